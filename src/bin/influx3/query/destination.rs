//! Where an answer goes: to standard output, or to a file that is there when it is whole.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Where an answer goes.
#[derive(Debug)]
pub(crate) struct Destination {
    /// What it is written to; none once it was finished.
    writer: Option<Writer>,
    /// The file in the making, and what it is called then.
    renamed: Option<(PathBuf, PathBuf)>,
}

#[derive(Debug)]
enum Writer {
    Stdout(BufWriter<io::Stdout>),
    File(BufWriter<File>),
}

impl Destination {
    pub(crate) fn stdout() -> Self {
        let writer = Writer::Stdout(BufWriter::with_capacity(BUFFER, io::stdout()));
        Self { writer: Some(writer), renamed: None }
    }

    /// A file is written beside the one of this name and takes its place at the end; a pipe or a device is written to
    /// as it is.
    pub(crate) fn file(path: &Path) -> Result<Self, Failure> {
        let failed = |error| Failure::io(path.display(), &error);
        let is_special = path.metadata().is_ok_and(|metadata| !metadata.is_file());
        let (made, renamed) = if is_special {
            (path.to_owned(), None)
        } else {
            let name = path.file_name().ok_or_else(|| {
                Failure::usage(format!("{}: it is no name of a file", path.display()))
            })?;
            let mut part = std::ffi::OsString::from(".");
            part.push(name);
            part.push(format!(".{}.part", std::process::id()));
            let part = path.with_file_name(part);
            (part.clone(), Some((part, path.to_owned())))
        };
        let file = File::options().write(true).create(true).truncate(!is_special).open(&made);
        let writer = Writer::File(BufWriter::with_capacity(BUFFER, file.map_err(failed)?));
        Ok(Self { writer: Some(writer), renamed })
    }

    /// Whether somebody looks at it.
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self.writer, Some(Writer::Stdout(_))) && io::stdout().is_terminal()
    }

    pub(crate) fn is_stdout(&self) -> bool {
        matches!(self.writer, Some(Writer::Stdout(_)))
    }

    /// Flushes, and gives the file its final name.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let name = self.name();
        let failed = |error| Failure::io(&name, &error);
        self.flush().map_err(failed)?;
        self.writer = None;
        if let Some((part, path)) = self.renamed.take() {
            std::fs::rename(part, path).map_err(failed)?;
        }
        Ok(())
    }

    /// What it is called in messages.
    pub(crate) fn name(&self) -> String {
        let path = self.renamed.as_ref().map(|(_, path)| path.display().to_string());
        path.unwrap_or_else(|| "the output".to_owned())
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.writer {
            Some(Writer::Stdout(writer)) => writer.write(bytes),
            Some(Writer::File(writer)) => writer.write(bytes),
            None => Err(io::Error::other("it is finished")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.writer {
            Some(Writer::Stdout(writer)) => writer.flush(),
            Some(Writer::File(writer)) => writer.flush(),
            None => Ok(()),
        }
    }
}

/// Removes a file that was not finished.
impl Drop for Destination {
    fn drop(&mut self) {
        if let Some((part, _)) = self.renamed.take() {
            self.writer = None;
            // If that fails, the next run writes over it.
            let _ = std::fs::remove_file(part);
        }
    }
}

const BUFFER: usize = 64 << 10;
