//! The command in a terminal: a pty of its own.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;

use influxdb3_dev_server::DevServer;
use unicode_width::UnicodeWidthStr as _;

use crate::run::{Folder, data, home_server, influx3, run_with};
use crate::support::flight::{FlightServer, Step};
use crate::support::http::{Gate, HANGS, Reply, Server, unused_port};

/// A command in a terminal, and what is to be seen.
struct Terminal {
    child: Child,
    keys: File,
    output: Receiver<Vec<u8>>,
    seen: String,
    /// The beginning of a character whose end has not come.
    begun: Vec<u8>,
}

impl Terminal {
    fn start(command: &mut Command, columns: u16) -> Self {
        let (mut master, mut slave) = (0, 0);
        let size = libc::winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: all pointers are to values of here, or null where that is allowed.
        let opened = unsafe {
            libc::openpty(&mut master, &mut slave, std::ptr::null_mut(), std::ptr::null(), &size)
        };
        assert_eq!(opened, 0);
        // SAFETY: they were just opened, and nobody else has them.
        let (master, slave) = unsafe { (File::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) };
        let stdio = || Stdio::from(slave.try_clone().unwrap());
        command.stdin(stdio()).stdout(stdio()).stderr(stdio());
        // SAFETY: both calls may be made between fork and exec.
        unsafe {
            command.pre_exec(|| {
                if libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        // None of them is to be kept open by the child.
        for fd in [master.as_raw_fd(), slave.as_raw_fd()] {
            // SAFETY: it sets a flag of a descriptor of here.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        let child = command.spawn().unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        drop(slave);
        let mut screen = master.try_clone().unwrap();
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // A terminal that nobody has open any more gives an error.
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keys: master, output, seen: String::new(), begun: Vec::new() }
    }

    fn type_in(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until this is to be seen behind what was waited for before, and takes everything up to it.
    fn wait_for(&mut self, text: &str) -> String {
        let start = Instant::now();
        loop {
            if let Some(place) = self.seen.find(text) {
                let rest = self.seen.split_off(place + text.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            let left = HANGS.saturating_sub(start.elapsed());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.see(&bytes),
                Err(error) => panic!("{error}: no {text:?} in {:?}", self.seen),
            }
        }
    }

    fn see(&mut self, bytes: &[u8]) {
        self.begun.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.begun) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.begun.split_off(whole);
        self.seen.push_str(std::str::from_utf8(&self.begun).unwrap());
        self.begun = rest;
    }

    /// Everything else, and how it ended.
    fn end(mut self) -> (String, ExitStatus) {
        let status = self.child.wait().unwrap();
        while let Ok(bytes) = self.output.recv_timeout(HANGS) {
            self.see(&bytes);
        }
        (self.seen.replace("\r\n", "\n"), status)
    }
}

#[test]
fn a_terminal_as_standard_input_is_refused_with_a_hint() {
    let terminal = Terminal::start(&mut influx3("http://nowhere.invalid", ["write"]), 80);
    let (seen, status) = terminal.end();
    assert_eq!(status.code(), Some(2));
    assert!(seen.contains("standard input is a terminal") && seen.contains("< home.lp"), "{seen}");
    let terminal = Terminal::start(&mut influx3("http://nowhere.invalid", ["query"]), 80);
    let (seen, status) = terminal.end();
    assert_eq!(status.code(), Some(2));
    assert!(seen.contains("influx3 sql is a prompt"), "{seen}");
}

#[test]
fn without_a_file_what_waits_in_a_spool_is_sent_from_a_terminal() {
    let folder = Folder::new();
    let spool = folder.path("waiting");
    let nowhere = format!("http://127.0.0.1:{}", unused_port());
    let mut command = influx3(&nowhere, ["write", "--max-retries", "0", "-q", "--spool"]);
    run_with(command.arg(&spool), b"m v=1 1\nm v=2 2").ok();
    let server = DevServer::start().unwrap();
    let mut command = influx3(&server.url(), ["write", "--spool"]);
    let (seen, status) = Terminal::start(command.arg(&spool), 80).end();
    assert_eq!(status.code(), Some(0), "{seen}");
    assert!(seen.contains("wrote 2 lines") && seen.contains("2 from the spool"), "{seen}");
    assert_eq!(server.rows("sensors", "m"), 2);
    let mut command = influx3(&server.url(), ["write", "--resume-from", "2", "--spool"]);
    let (seen, status) = Terminal::start(command.arg(&spool), 80).end();
    assert_eq!(status.code(), Some(2), "{seen}");
    assert!(seen.contains("--resume-from is about the first file"), "{seen}");
}

#[test]
fn binary_formats_are_refused_on_a_terminal() {
    let server = home_server();
    for format in ["parquet", "feather"] {
        let arguments = ["query", "SELECT * FROM home", "--format", format];
        let (seen, status) = Terminal::start(&mut influx3(&server.url(), arguments), 80).end();
        assert_eq!(status.code(), Some(2));
        assert!(seen.contains("is not for a terminal") && seen.contains("--output FILE"), "{seen}");
    }
}

#[test]
fn a_table_fits_the_terminal_and_shows_both_ends() {
    let server = home_server();
    let long = "long ".repeat(30);
    let lines: String = (0..60)
        .map(|n| format!("wide text=\"温度 \u{1f600} {long}\",n={n}i,b=\"{long}\" {n}\n"))
        .collect();
    run_with(&mut influx3(&server.url(), ["write", "-q", "-"]), lines.as_bytes()).ok();
    for columns in [80, 200] {
        let sql = "SELECT text, n, b, time FROM wide ORDER BY n";
        let command = &mut influx3(&server.url(), ["query", sql]);
        let (seen, status) = Terminal::start(command, columns).end();
        assert!(status.success(), "{seen}");
        let widths: Vec<_> = seen
            .lines()
            .filter(|line| line.starts_with(['|', '+']))
            .map(|line| line.width())
            .collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{seen}");
        assert!(widths[0] <= usize::from(columns), "{seen}");
        assert!(widths[0] + 4 > usize::from(columns), "no room is wasted: {seen}");
        assert_eq!(widths.len(), 4 + 41, "{seen}");
        assert!(seen.ends_with("40 of 60 rows\n"), "{seen}");
    }
}

#[test]
fn a_bar_moves_on_a_terminal_and_is_gone_at_the_end() {
    let folder = Folder::new();
    let text = "x".repeat(1000);
    let lines: String = (1..=12_000).map(|n| format!("m v={n},t=\"{text}\" {n}\n")).collect();
    let file = folder.file("big.lp", lines);
    let gate = Gate::default();
    let server = Server::start({
        let gate = gate.clone();
        move |number, _| match number {
            // The first 10 MB are written at once.
            0 | 1 => Reply::status(204),
            _ => Reply::After(gate.clone(), Box::new(Reply::status(204))),
        }
    });
    let mut command = influx3(&server.url(), ["write", "--workers", "1"]);
    let mut terminal = Terminal::start(command.arg(&file), 80);
    terminal.wait_for("/12.");
    let bar = terminal.wait_for("s left") + &terminal.seen;
    assert!(bar.contains('%') && bar.contains("lines"), "{bar:?}");
    gate.open();
    let (seen, status) = terminal.end();
    assert!(status.success(), "{seen}");
    assert!(seen.contains("influx3: wrote 12,000 lines"), "{seen:?}");
    let after = seen.split("influx3: wrote").last().unwrap();
    assert!(!after.contains('%'), "{after:?}");
}

#[test]
fn nothing_moves_and_nothing_has_colour_without_a_terminal() {
    let server = home_server();
    let home = data("home.csv");
    let mut command = influx3(&server.url(), ["write", "-m", "home", "-t", "room", "-p", "s"]);
    let ran = crate::run::run(command.arg(home));
    assert!(!ran.err.contains(['\u{1b}', '\r']), "{:?}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    let ran = crate::run::run(&mut influx3(&server.url(), ["--no-such-flag"]));
    assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
    // On a terminal, colour can be turned off.
    let mut command = influx3(&server.url(), ["--no-such-flag"]);
    let (seen, _) = Terminal::start(&mut command, 80).end();
    assert!(seen.contains('\u{1b}'), "{seen:?}");
    let mut command = influx3(&server.url(), ["--no-such-flag"]);
    let (seen, _) = Terminal::start(command.env("NO_COLOR", "1"), 80).end();
    assert!(!seen.contains('\u{1b}'), "{seen:?}");
}

#[test]
fn a_prompt_takes_statements_of_several_lines_and_completes_names() {
    let server = home_server();
    let folder = Folder::new();
    let mut command = influx3(&server.url(), ["sql", "--format", "csv"]);
    let mut terminal = Terminal::start(command.env("XDG_STATE_HOME", folder.path("")), 80);
    terminal.wait_for("for help");
    terminal.wait_for("influx3> ");
    terminal.type_in("SELECT count(*) AS n\r");
    terminal.type_in("FROM home;\r");
    terminal.wait_for("n\r\n26\r\n");
    terminal.wait_for("influx3> ");
    terminal.type_in("SELECT max(temp) AS top FROM hom\t;\r");
    terminal.wait_for("top\r\n23.3\r\n");
    terminal.wait_for("influx3> ");
    // What fails does not end it.
    terminal.type_in("SELECT * FROM nix;\r");
    terminal.wait_for("influx3: ");
    terminal.wait_for("influx3> ");
    // At the prompt, Ctrl-C takes back what was typed.
    terminal.type_in("SELECT nonsense\u{3}");
    terminal.wait_for("influx3> ");
    terminal.type_in("\\d\r");
    terminal.wait_for("\r\nhome\r\n");
    terminal.wait_for("influx3> ");
    terminal.type_in("\u{4}");
    let (seen, status) = terminal.end();
    assert!(status.success(), "{seen}");
    let history = crate::run::text(&folder.path("influx3/history"));
    assert!(history.contains("max(temp)"), "{history}");
}

#[test]
fn ctrl_c_cancels_a_statement_and_not_the_prompt() {
    let (reset, was_reset) = mpsc::channel();
    let (begun, has_begun) = mpsc::channel();
    let server = FlightServer::start(move |_, call| match call {
        0 => vec![Step::Head, Step::Tell(begun.clone()), Step::UntilReset(reset.clone())],
        _ => crate::support::batches::answer(vec![crate::support::batches::numbers(1)]),
    });
    let folder = Folder::new();
    let mut command = influx3(&server.url(), ["sql", "--format", "csv", "-q"]);
    let mut terminal = Terminal::start(command.env("XDG_STATE_HOME", folder.path("")), 80);
    terminal.wait_for("influx3> ");
    terminal.type_in("SELECT 1;\r");
    has_begun.recv_timeout(HANGS).unwrap();
    terminal.type_in("\u{3}");
    was_reset.recv_timeout(HANGS).unwrap();
    terminal.wait_for("cancelled");
    terminal.wait_for("influx3> ");
    terminal.type_in("SELECT 2;\r");
    terminal.wait_for("n,f\r\n0,0.0\r\n");
    terminal.wait_for("influx3> ");
    terminal.type_in("\\q\r");
    assert!(terminal.end().1.success());
}
