//! Tests of what belongs to a whole process.

use std::ffi::OsStr;
use std::process::Command;

const MARK: &str = "IN_A_PROCESS_OF_ITS_OWN";

/// Runs `body` in a process of its own that has these variables: this test program, told to run the one test that is
/// called `name`, which must be the one that calls this. Returns whether this is the process that started it.
pub fn run(name: &str, variables: &[(&str, &OsStr)], body: impl FnOnce()) -> bool {
    if std::env::var_os(MARK).is_some() {
        body();
        return false;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env(MARK, "yes");
    for (variable, value) in variables {
        command.env(variable, value);
    }
    let output = command.output().unwrap();
    let shown = [&output.stdout[..], &output.stderr[..]].concat();
    let shown = String::from_utf8_lossy(&shown);
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
    true
}
