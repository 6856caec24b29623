//! Runs the command, away from the settings of whoever runs the tests.
#![allow(unreachable_pub)]

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use influxdb3_dev_server::DevServer;

/// A folder of a test, gone when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("influx3-test-{}-{count}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file with this text.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn new(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The standard output of a run that must have done what it was asked for.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out
    }

    /// The standard error of a run that must have ended with this exit code.
    #[track_caller]
    pub fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self.err
    }
}

/// The command without anybody's settings.
pub fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_influx3"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("INFLUX") {
            command.env_remove(name);
        }
    }
    let nowhere = std::env::temp_dir().join("influx3-test-has-no-settings");
    command.env("XDG_CONFIG_HOME", &nowhere).env("XDG_STATE_HOME", &nowhere);
    command.env_remove("NO_COLOR").env("TERM", "xterm-256color");
    command
}

/// The command that knows this server and the database `sensors`.
pub fn influx3<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(url: &str, arguments: I) -> Command {
    let mut command = bare();
    command.env("INFLUX_HOST", url).env("INFLUX_DATABASE", "sensors").args(arguments);
    command
}

/// Runs it with nothing on standard input.
pub fn run(command: &mut Command) -> Ran {
    run_with(command, b"")
}

/// Runs it with this on standard input.
pub fn run_with(command: &mut Command, stdin: &[u8]) -> Ran {
    let mut child = spawn(command);
    let mut pipe = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // It may want no more of it.
            let _ = pipe.write_all(stdin);
        });
        Ran::new(child.wait_with_output().unwrap())
    })
}

/// Starts it, with pipes.
pub fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits for its end.
pub fn end(child: Child) -> Ran {
    Ran::new(child.wait_with_output().unwrap())
}

/// What Ctrl-C does.
#[cfg(unix)]
pub fn interrupt(child: &Child) {
    let process = libc::pid_t::try_from(child.id()).unwrap();
    // SAFETY: it only sends a signal, to a child that was not waited for.
    assert_eq!(unsafe { libc::kill(process, libc::SIGINT) }, 0);
}

pub fn data(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "data", name].iter().collect()
}

pub fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// A server that has the 26 rows of the home sensors.
pub fn home_server() -> DevServer {
    let server = DevServer::start().unwrap();
    let lines = crate::support::home::lines().join("\n");
    let mut write = influx3(&server.url(), ["write", "--precision", "s", "-q", "-"]);
    run_with(&mut write, lines.as_bytes()).ok();
    assert_eq!(server.rows("sensors", "home"), 26);
    server
}
