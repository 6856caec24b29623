//! `influx3 completions` and `influx3 man`: made of the arguments themselves.

use std::io::Write as _;
use std::path::Path;

use clap::CommandFactory as _;

use crate::arguments::Arguments;
use crate::failure::Failure;

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "influx3", &mut text);
    print(&text)
}

/// The page of the command, or in a directory one for it and for each of its commands.
pub(crate) fn man(out: Option<&Path>) -> Result<(), Failure> {
    let command = Arguments::command();
    match out {
        Some(directory) => clap_mangen::generate_to(command, directory)
            .map_err(|error| Failure::io(directory.display(), &error)),
        None => {
            let mut text = Vec::new();
            let rendered = clap_mangen::Man::new(command).render(&mut text);
            rendered.map_err(|error| Failure::io("the page", &error))?;
            print(&text)
        }
    }
}

fn print(text: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let printed = out.write_all(text).and_then(|()| out.flush());
    printed.map_err(|error| Failure::io("standard output", &error))
}
