//! The server as a program.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Output, Stdio},
};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_influxdb3-dev-server"))
}

/// Ends the program with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_says_where_it_listens_and_answers_there() {
    let args = ["--port=0", "--wal-flush-interval=1s", "--release=3.12"];
    let child = program().args(args).stdout(Stdio::piped()).spawn().unwrap();
    let mut running = Running(child);
    let mut url = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let addr = url.trim().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nOK"),
        "{answer}"
    );
}

#[test]
fn bad_arguments_are_named() {
    let missing = ["--tls-cert", "/no/such/file"];
    for (args, message) in [
        (&["--prot", "1"][..], "unknown argument '--prot'; try --help"),
        (&["--port"], "--port needs a value"),
        (&["--port", "65536"], "--port: '65536' is no port"),
        (&["--host=localhost"], "--host: 'localhost' is no IP address"),
        (&["--token="], "--token: empty"),
        (&["--wal-flush-interval=1"], "--wal-flush-interval: '1' is no time like 100ms or 1s"),
        (&["--wal-flush-interval=-1s"], "--wal-flush-interval: '-1s' is no time"),
        (&missing, "--tls-cert: /no/such/file: "),
        (&["--tls-key", "Cargo.toml"], "--tls-cert and --tls-key go together"),
        (&["--tls-key=Cargo.toml", "--tls-cert=Cargo.toml"], "cannot start: "),
    ] {
        let Output { status, stdout, stderr } = program().args(args).output().unwrap();
        assert_eq!(status.code(), Some(2), "{args:?}");
        assert!(stdout.is_empty());
        let stderr = String::from_utf8(stderr).unwrap();
        assert!(stderr.starts_with(&format!("influxdb3-dev-server: {message}")), "{stderr}");
    }
    let help = program().arg("--help").output().unwrap();
    assert!(help.status.success());
    assert!(String::from_utf8(help.stdout).unwrap().contains("--tls-key FILE"));
}
