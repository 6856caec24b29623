//! Which files are meant.

use std::fmt;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use super::format::InputFormat;
use crate::failure::{Exit, Failure};
use crate::features::Feature;

/// One thing that is read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Input {
    File { path: PathBuf, format: Option<InputFormat> },
    Stdin { format: InputFormat },
}

impl Input {
    /// How many bytes there are, if that is known.
    pub(crate) fn len(&self) -> Option<u64> {
        let Self::File { path, .. } = self else { return None };
        std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|file| file.len())
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => path.display().fmt(f),
            Self::Stdin { .. } => f.write_str("standard input"),
        }
    }
}

/// The inputs that are named: files as they are, all known files of a folder, what a pattern matches; standard input if
/// none is named. With a spool, a terminal is no input.
pub(crate) fn expand(
    named: &[PathBuf],
    format: Option<InputFormat>,
    has_spool: bool,
) -> Result<Vec<Input>, Failure> {
    if named.is_empty() {
        if has_spool && std::io::stdin().is_terminal() {
            return Ok(Vec::new());
        }
        return Ok(vec![stdin(format)?]);
    }
    let mut inputs = Vec::new();
    for path in named {
        if path.as_os_str() == "-" {
            if inputs.iter().any(|input| matches!(input, Input::Stdin { .. })) {
                return Err(Failure::usage("standard input (-) is named twice"));
            }
            inputs.push(stdin(format)?);
            continue;
        }
        let mut files = Vec::new();
        if path.is_dir() {
            add_folder(path, format, &mut files)?;
        } else if path.exists() {
            files.push(path.clone());
        } else {
            add_pattern(path, &mut files)?;
        }
        for path in files {
            let known = format.or_else(|| InputFormat::of(&path));
            let packing = is_zstd(&path).then_some(Feature::Zstd);
            for feature in known.and_then(InputFormat::feature).into_iter().chain(packing) {
                feature.check(&path.display().to_string())?;
            }
            if known.is_none() {
                return Err(Failure::usage(format!(
                    "{}: the name does not say the format: give it with --format",
                    path.display()
                )));
            }
            inputs.push(Input::File { path, format: known });
        }
    }
    Ok(inputs)
}

fn stdin(format: Option<InputFormat>) -> Result<Input, Failure> {
    if std::io::stdin().is_terminal() {
        return Err(Failure::usage("standard input is a terminal: there is nothing to write")
            .with_advice("name a file, or send one: influx3 write -d sensors < home.lp")
            .with_advice("to type lines by hand: cat | influx3 write -d sensors -"));
    }
    let format = format.unwrap_or(InputFormat::Lp);
    if let Some(feature) = format.feature() {
        feature.check("standard input of this format")?;
    }
    Ok(Input::Stdin { format })
}

/// Whether the name says so. What was packed without saying so is seen when it is read.
fn is_zstd(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "zst" || extension == "zstd")
}

/// All files below a folder whose names say the format, in the order of their names.
fn add_folder(
    folder: &Path,
    format: Option<InputFormat>,
    files: &mut Vec<PathBuf>,
) -> Result<(), Failure> {
    let before = files.len();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |error| Failure::io(folder.display(), &error);
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if let Some(found) = InputFormat::of(&entry.path())
                && format.is_none_or(|format| format == found)
            {
                files.push(entry.path());
            }
        }
    }
    files.get_mut(before..).unwrap_or_default().sort();
    if files.len() == before {
        let folder = folder.display();
        let problem = match format {
            Some(format) => format!("{folder}: the folder has no file whose name says {format}"),
            None => format!(
                "{folder}: the folder has no file with a known ending (.lp, .csv, .json, .jsonl, .parquet, .feather, \
                 .arrow, .orc)"
            ),
        };
        return Err(Failure::usage(problem).with_advice(format!(
            "name files or a pattern, and the format: influx3 write --format csv '{folder}/*.txt'"
        )));
    }
    Ok(())
}

fn add_pattern(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let text = path.to_string_lossy();
    if !text.contains(['*', '?', '[']) {
        return Err(Failure::new(Exit::Failed, "File", format!("{text}: there is no such file")));
    }
    let before = files.len();
    let matches = glob::glob(&text)
        .map_err(|error| Failure::usage(format!("{text}: it is no pattern: {}", error.msg)))?;
    for found in matches {
        let path = found.map_err(|error| Failure::io(&text, error.error()))?;
        if path.is_file() {
            files.push(path);
        }
    }
    if files.len() == before {
        return Err(Failure::new(Exit::Failed, "File", format!("{text}: it matches no file")));
    }
    Ok(())
}

/// Refuses a file of rejects that is read as well.
pub(crate) fn check_rejects(inputs: &[Input], rejects: &Path) -> Result<(), Failure> {
    let Ok(rejects) = rejects.canonicalize() else { return Ok(()) };
    let is_rejects = |input: &&Input| match input {
        Input::File { path, .. } => path.canonicalize().is_ok_and(|path| path == rejects),
        Input::Stdin { .. } => false,
    };
    match inputs.iter().find(is_rejects) {
        Some(input) => Err(Failure::usage(format!(
            "{input} is read and would be appended to: name another file with --rejects"
        ))),
        None => Ok(()),
    }
}
