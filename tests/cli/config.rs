//! What is in force, and the documents that are made of the arguments.

use std::fs;

use influxdb3_dev_server::DevServer;

use crate::run::{Folder, bare, influx3, run, run_with};
use crate::support::http::{Reply, Server};

const CONFIG: &str = "\
default = \"lab\"

[profiles.lab]
host = \"http://lab.invalid\"
database = \"lab-data\"
token-file = \"/nowhere/token\"

[profiles.plant]
host = \"http://plant.invalid\"
token-command = \"echo secret-of-plant\"
proxy = \"socks5://me:secret-of-proxy@proxy.invalid:1080\"
";

#[test]
fn flags_win_over_variables_over_the_profile_over_what_is_usual() {
    let folder = Folder::new();
    let file = folder.file("config.toml", CONFIG);
    let host = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = bare();
        command.env("INFLUX3_CONFIG", &file).args(["config", "--json"]).args(arguments);
        command.envs(variables.iter().copied());
        let shown: serde_json::Value = serde_json::from_str(&run(&mut command).ok()).unwrap();
        let host = &shown["settings"]["host"];
        format!("{} {}", host["value"].as_str().unwrap(), host["from"].as_str().unwrap())
    };
    let theirs = ("INFLUXDB3_HOST_URL", "http://theirs.invalid");
    let ours = ("INFLUX_HOST", "http://ours.invalid");
    assert_eq!(host(&[], &[]), "http://lab.invalid profile lab");
    assert_eq!(host(&["--profile", "plant"], &[]), "http://plant.invalid profile plant");
    assert_eq!(host(&[], &[("INFLUX3_PROFILE", "plant")]), "http://plant.invalid profile plant");
    assert_eq!(host(&[], &[theirs]), "http://theirs.invalid INFLUXDB3_HOST_URL");
    assert_eq!(host(&[], &[theirs, ours]), "http://ours.invalid INFLUX_HOST");
    assert_eq!(host(&["--host", "flag.invalid"], &[theirs, ours]), "flag.invalid --host");
    let shown = run(bare().args(["config"])).ok();
    assert!(shown.contains("http://127.0.0.1:8181  default"), "{shown}");
    assert!(shown.contains("database          (not set)"), "{shown}");
}

#[test]
fn the_time_limit_of_a_variable_wins_over_that_of_a_profile() {
    let folder = Folder::new();
    let file = folder.file("config.toml", "[profiles.slow]\ntimeout = \"1m\"\n");
    let server = Server::start(|_, _| Reply::Stall);
    let write = |flag: &[&str]| {
        let arguments = ["write", "--profile", "slow", "--max-retries", "0", "-"];
        let mut command = influx3(&server.url(), arguments);
        command.env("INFLUX3_CONFIG", &file).env("INFLUX_WRITE_TIMEOUT", "200ms");
        run_with(command.args(flag), b"m v=1 1").failed(1)
    };
    assert!(write(&[]).contains("within 200ms (--timeout)"), "{}", write(&[]));
    let told = write(&["--timeout", "100ms"]);
    assert!(told.contains("within 100ms (--timeout)"), "{told}");
}

#[test]
fn no_secret_is_shown() {
    let folder = Folder::new();
    let file = folder.file("config.toml", CONFIG);
    for json in [&[][..], &["--json"]] {
        let mut command = bare();
        command.env("INFLUX3_CONFIG", &file).env("INFLUX_TOKEN", "secret-of-variable");
        let shown = run(command.args(["config", "--profile", "plant"]).args(json)).ok();
        assert!(!shown.contains("secret-of-variable"), "{shown}");
        assert!(!shown.contains("secret-of-proxy"), "{shown}");
        assert!(shown.contains("INFLUX_TOKEN") && shown.contains("…@proxy.invalid"), "{shown}");
    }
}

#[test]
fn a_profile_cannot_hold_a_secret_and_slips_are_named() {
    let folder = Folder::new();
    for (text, problem) in [
        ("[profiles.a]\ntoken = 'x'", "holds no token"),
        ("[profiles.a]\nhots = 'x'", "\"hots\" means nothing"),
        ("default = 'b'\n[profiles.a]\nhost = 'x'", "there is no profile \"b\": there are a"),
        ("a = ", "line 1"),
    ] {
        let file = folder.file("config.toml", text);
        let told = run(bare().args(["config", "--config"]).arg(&file)).failed(2);
        assert!(told.contains(problem), "{told}");
    }
    run(bare().args(["config", "--config", "/nowhere/config.toml"])).failed(1);
    let example = folder.file("config.toml", run(bare().args(["config", "--example"])).ok());
    run(bare().args(["config", "--config"]).arg(&example)).ok();
}

#[test]
fn a_token_comes_from_a_file_a_command_or_standard_input() {
    let server = DevServer::builder().token("right").start().unwrap();
    let folder = Folder::new();
    let file = folder.file("token", "right\n");
    let file = file.to_str().unwrap();
    for arguments in [
        &["--token-file", file][..],
        &["--token-file", "-"],
        &["--token-command", "echo right"],
        &["--token", "right"],
    ] {
        let mut command = bare();
        command.args(["ping", "--host", &server.url()]).args(arguments);
        let ran = run_with(&mut command, b"right\n");
        assert_eq!(ran.err.contains("warning"), arguments[0] == "--token", "{}", ran.err);
        assert!(ran.ok().contains("InfluxDB 3."), "{arguments:?}");
    }
    for name in ["INFLUX_TOKEN", "INFLUXDB3_AUTH_TOKEN"] {
        run(bare().args(["ping", "--host", &server.url()]).env(name, "right")).ok();
    }
    let told = run(bare().args(["ping", "--host", &server.url()])).failed(1);
    assert!(told.contains("there is no token: set --token-file"), "{told}");
    let told = run(bare().args(["ping", "--token-command", "echo secret; exit 3"])).failed(1);
    assert!(told.contains("failed"), "{told}");
    let told = run(bare().args(["write", "-d", "d", "--token-file", "-"])).failed(2);
    assert!(told.contains("standard input cannot be both"), "{told}");
}

#[test]
fn of_several_hosts_the_next_one_is_asked_and_a_stronger_word_hides_a_host_of_writes() {
    let server = DevServer::start().unwrap();
    let dead = format!("http://127.0.0.1:{}", crate::support::http::unused_port());
    let url = server.url();
    run(bare().args(["ping", "--host", &dead, "--host", &url])).ok();
    run(bare().args(["ping"]).env("INFLUX_HOST", format!("{dead},{url}"))).ok();
    let write = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = bare();
        command.args(["write", "-d", "sensors", "--max-retries", "0", "-q"]).args(arguments);
        run_with(command.envs(variables.iter().copied()), b"m v=1 1").code
    };
    assert_eq!(write(&["--host", &dead, "--write-host", &url], &[]), 0);
    assert_eq!(write(&[], &[("INFLUX_HOST", &dead), ("INFLUXDB3_WRITE_HOST_URL", &url)]), 0);
    assert_eq!(write(&["--host", &url], &[("INFLUX_WRITE_HOST", &dead)]), 0);
    assert_eq!(write(&["--host", &url, "--write-host", &dead], &[]), 1);
}

#[test]
fn a_token_command_is_run_again_when_the_token_is_refused() {
    let server = DevServer::builder().token("new").start().unwrap();
    let folder = Folder::new();
    let token = folder.file("token", "old");
    // Gives the old token once.
    let command = format!("cat {0}; printf new > {0}", token.display());
    run(bare().args(["ping", "--host", &server.url(), "--token-command", &command])).ok();
}

#[test]
fn ping_tells_the_version() {
    let server = DevServer::start().unwrap();
    let shown = run(bare().args(["ping", "--json", "--host", &server.url()])).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        (shown["host"].as_str(), shown["version"].as_str()),
        (Some(&*server.url()), Some("3.6.0"))
    );
}

#[test]
fn every_command_has_help_with_examples_a_page_and_completions() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("man")).unwrap();
    run(bare().args(["man", "--out"]).arg(folder.path("man"))).ok();
    for command in ["write", "query", "sql", "ping", "config", "completions", "man"] {
        let help = run(bare().args([command, "--help"])).ok();
        assert!(help.contains("Examples:\n  influx3 "), "{command}");
        let page = fs::read_to_string(folder.path(&format!("man/influx3-{command}.1"))).unwrap();
        assert!(page.contains("Examples:"), "{command}");
    }
    assert!(run(bare().arg("--help")).ok().contains("Exit codes: 0 done, 1 failed, 2 usage"));
    assert!(run(bare().args(["man"])).ok().contains(".TH influx3"));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = run(bare().args(["completions", shell])).ok();
        assert!(text.contains("dry-run"), "{shell}");
    }
    let version = run(bare().args(["--version"])).ok();
    assert!(version.starts_with(concat!("influx3 ", env!("CARGO_PKG_VERSION"), "\n")), "{version}");
    let read = "formats: lp, csv, json, jsonl, parquet, feather, orc\npacked with: gzip, zstd\n";
    assert!(version.ends_with(read), "{version}");
    assert_eq!(run(bare().arg("-V")).ok(), concat!("influx3 ", env!("CARGO_PKG_VERSION"), "\n"));
}
