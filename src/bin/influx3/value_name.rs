//! The values of an argument by their names on the command line.

use clap::ValueEnum;

/// The name of a value; empty if it is one that cannot be given.
pub(crate) fn value_name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}
