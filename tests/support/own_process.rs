//! Tests that need a process to themselves: for its memory or its variables, or because they fork.

use std::ffi::OsStr;
use std::process::Command;

const MARK: &str = "INFLUX_TEST_IN_OWN_PROCESS";

/// Runs the test of this full name (`module::test`) again, alone in a process of its own, where `body` is what it does.
pub fn in_own_process(name: &str, body: impl FnOnce()) {
    with_variables(name, &[], body);
}

/// The same in a process that has these variables. Returns whether this is the process that started it.
pub fn with_variables(name: &str, variables: &[(&str, &OsStr)], body: impl FnOnce()) -> bool {
    if std::env::var_os(MARK).is_some() {
        body();
        return false;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(MARK, "1");
    for (variable, value) in variables {
        command.env(variable, value);
    }
    let test = command.output().unwrap();
    let text = String::from_utf8_lossy(&test.stdout);
    assert!(
        test.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&test.stderr)
    );
    true
}

/// What this process has in memory, in bytes.
#[cfg(target_os = "linux")]
pub fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
