//! The parts of the model test.

pub(crate) mod account;
pub(crate) mod program;
pub(crate) mod world;
