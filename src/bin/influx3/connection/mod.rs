//! Which server, which database, which token: from flags, the environment, a profile, or the defaults.

mod profile;
mod redacted;
mod settings;
mod token;

pub(crate) use self::profile::{EXAMPLE, KEYS};
pub(crate) use self::redacted::redacted;
pub(crate) use self::settings::{Purpose, Setting, Settings};
