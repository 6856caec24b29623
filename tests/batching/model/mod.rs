//! The parts of the model test.

pub(crate) mod program;
pub(crate) mod tale;
pub(crate) mod world;
