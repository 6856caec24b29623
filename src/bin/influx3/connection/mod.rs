//! Which server, which database, which token: from flags, the environment, a profile, or the usual ones.

mod profile;
mod settings;
mod token;

pub(crate) use self::profile::{EXAMPLE, KEYS};
pub(crate) use self::settings::{Setting, Settings};
