//! Finds programs of others, starts them, and ends them.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What the tests look for: a name, which `INTEROP_REQUIRED` may have in its list, and how it is installed.
pub(crate) struct ThirdParty {
    name: &'static str,
    package: &'static str,
    found: OnceLock<Option<PathBuf>>,
    find: fn() -> Option<PathBuf>,
}

/// VictoriaMetrics, which takes line protocol.
pub(crate) static VICTORIA_METRICS: ThirdParty = ThirdParty {
    name: "victoria-metrics",
    package: "Debian's victoria-metrics",
    found: OnceLock::new(),
    find: || ["victoria-metrics", "victoria-metrics-prod"].into_iter().find_map(in_path),
};

/// InfluxDB 1, whose InfluxQL is the first.
pub(crate) static INFLUXDB_1: ThirdParty = ThirdParty {
    name: "influxd",
    package: "Debian's influxdb",
    found: OnceLock::new(),
    find: || in_path("influxd"),
};

/// A Python with Arrow's Flight, which is C++.
pub(crate) static PYARROW: ThirdParty = ThirdParty {
    name: "pyarrow",
    package: "pip install pyarrow",
    found: OnceLock::new(),
    find: || python_with("import pyarrow.flight"),
};

/// A Python with InfluxData's client.
pub(crate) static PYTHON_CLIENT: ThirdParty = ThirdParty {
    name: "influxdb3-python",
    package: "pip install influxdb3-python pandas",
    found: OnceLock::new(),
    find: || python_with("import influxdb_client_3, pandas"),
};

impl ThirdParty {
    /// Where it is. If it is not, the test that asks is to do nothing; that is told, past whatever collects the output of
    /// tests.
    ///
    /// # Panics
    /// It is not there, and is required.
    pub(crate) fn find(&self) -> Option<&Path> {
        let found = self.found.get_or_init(self.find).as_deref();
        if found.is_none() {
            let required = std::env::var("INTEROP_REQUIRED").unwrap_or_default();
            let is_required = required.split(',').any(|name| name == self.name);
            assert!(
                !is_required,
                "{} is required and cannot be found ({})",
                self.name, self.package
            );
            let test = thread::current().name().unwrap_or("a test").to_owned();
            let text = format!("SKIPPED: {test}: no {} ({})\n", self.name, self.package);
            std::io::stderr().write_all(text.as_bytes()).unwrap();
        }
        found
    }
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// `INTEROP_PYTHON`, or else `python3`, if it can do this.
fn python_with(import: &str) -> Option<PathBuf> {
    let python = match std::env::var_os("INTEROP_PYTHON") {
        Some(python) => PathBuf::from(python),
        None => in_path("python3")?,
    };
    let run = Command::new(&python)
        .args(["-c", import])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    run.is_ok_and(|status| status.success()).then_some(python)
}

/// A program that runs until this is dropped.
pub(crate) struct Running {
    child: Child,
    /// Where its files are.
    folder: Folder,
}

impl Running {
    /// # Panics
    /// It cannot be started.
    pub(crate) fn start(mut command: Command, folder: Folder) -> Self {
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, folder }
    }

    /// Waits until the port takes connections.
    ///
    /// # Panics
    /// The program ends, or takes none for a minute.
    pub(crate) fn wait_for(&mut self, address: SocketAddr) {
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{status}: {}", self.log());
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "no answer: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The first line of its output.
    pub(crate) fn first_line(&mut self) -> String {
        let mut line = String::new();
        let output = self.child.stdout.take().expect("standard output is a pipe");
        BufReader::new(output).read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "no line: {}", self.log());
        line.trim_end().to_owned()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path("log")).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder that is gone when this is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("interop-{name}-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file in which a program's output is kept.
    pub(crate) fn log(&self) -> Stdio {
        std::fs::File::create(self.path("log")).unwrap().into()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A port that nobody listens on at this moment.
pub(crate) fn free_port() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// A script beside these tests, ready to be run.
pub(crate) fn script(python: &Path, name: &str) -> Command {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/python").join(name);
    let mut command = Command::new(python);
    command.arg(file);
    command
}

/// Runs a program to its end and returns its output.
///
/// # Panics
/// It fails.
pub(crate) fn output(mut command: Command, input: &str) -> Vec<u8> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{command:?}: {}\n{errors}", ended.status);
    ended.stdout
}

/// A request over HTTP/1.1 with the parameters of a form; returns status and body.
pub(crate) fn post_form(address: SocketAddr, path: &str, form: &[(&str, &str)]) -> (u16, String) {
    let mut body = String::new();
    for (key, value) in form {
        let value: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        body.push_str(&format!("{}{key}={value}", if body.is_empty() { "" } else { "&" }));
    }
    post(address, path, "application/x-www-form-urlencoded", &body)
}

pub(crate) fn post(address: SocketAddr, path: &str, kind: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    // Of HTTP/1.0, so that the answer ends with the connection and has no chunks.
    let head = format!(
        "POST {path} HTTP/1.0\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// Marks an argument as one that a program takes with an equals sign.
pub(crate) fn flag(name: &str, value: impl AsRef<OsStr>) -> std::ffi::OsString {
    let mut flag = std::ffi::OsString::from(format!("-{name}="));
    flag.push(value.as_ref());
    flag
}
