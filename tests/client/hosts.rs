//! Hosts in every form of configuration, and what is taken from the environment of the server's own command line.

use std::ffi::OsStr;

use crate::support::http::Server;
use crate::support::own_process;
use influxdb3_blocking::{Client, ErrorKind};

fn problem(text: &str) -> String {
    let error = Client::from_connection_string(text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

fn shown(text: &str) -> String {
    format!("{:?}", Client::from_connection_string(text).unwrap())
}

#[test]
fn a_connection_string_may_have_several_hosts_and_one_for_each_path() {
    let several = shown("https://a:8181, b.example.io,a:8181?database=db");
    assert!(several.contains(r#"["https://a:8181", "https://b.example.io:443"]"#), "{several}");
    let of_path = shown("http://a:1?writeHost=http%3A%2F%2Fb%3A2,c:3");
    assert!(of_path.contains(r#"["http://b:2", "https://c:3"]"#), "{of_path}");
    for (text, expected) in [
        ("http://a,,http://b", "the connection string: the host is empty"),
        ("http://a,ftp://b", "the connection string: the host has the scheme \"ftp\""),
        ("http://a?writeHost=http://u:s3cret@b", "writeHost: the host contains user information"),
        ("http://a?queryHost=http://a:0", "queryHost: the host has the port \"0\""),
    ] {
        let problem = problem(text);
        assert!(problem.starts_with(expected) && !problem.contains("s3cret"), "{problem}");
    }
}

#[test]
fn an_empty_list_of_hosts_is_a_problem() {
    let none: [&str; 0] = [];
    for builder in [
        Client::builder().hosts(none),
        Client::builder().host("http://a").write_hosts(none),
        Client::builder().host("http://a").query_hosts(none),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.to_string(), "there is no host in the list: give one at least");
    }
}

/// Writes by what the environment says, in a process of its own, and returns what the server got.
fn write_with(name: &str, variables: &[(&str, &str)], server: &Server) {
    let variables: Vec<_> =
        variables.iter().map(|(name, value)| (*name, OsStr::new(*value))).collect();
    let name = format!("hosts::{name}");
    let body = || Client::from_env().unwrap().write("m f=1i 1").send().unwrap();
    if own_process::with_variables(&name, &variables, body) {
        let requests = server.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].path, "/api/v2/write?bucket=their-db&precision=ns");
        assert_eq!(requests[0].header("authorization"), Some("Token their-token"));
    }
}

#[test]
fn the_variables_of_the_servers_command_line_are_read() {
    let server = Server::accepting();
    write_with(
        "the_variables_of_the_servers_command_line_are_read",
        &[
            ("INFLUXDB3_HOST_URL", "http://127.0.0.1:9"),
            ("INFLUXDB3_WRITE_HOST_URL", &server.url()),
            ("INFLUXDB3_QUERY_HOST_URL", "http://127.0.0.1:9"),
            ("INFLUXDB3_DATABASE_NAME", "their-db"),
            ("INFLUXDB3_AUTH_TOKEN", "their-token"),
            ("INFLUXDB3_TLS_NO_VERIFY", "false"),
            ("INFLUXDB3_TLS_CA", ""),
        ],
        &server,
    );
}

#[test]
fn our_own_variables_come_first() {
    let server = Server::accepting();
    write_with(
        "our_own_variables_come_first",
        &[
            ("INFLUX_HOST", "http://127.0.0.1:9"),
            ("INFLUX_WRITE_HOST", &server.url()),
            ("INFLUX_QUERY_HOST", "http://127.0.0.1:9"),
            ("INFLUXDB3_HOST_URL", "no host at all"),
            ("INFLUXDB3_WRITE_HOST_URL", "no host either"),
            ("INFLUX_DATABASE", "their-db"),
            ("INFLUXDB3_DATABASE_NAME", "another"),
            ("INFLUX_TOKEN", "their-token"),
            ("INFLUXDB3_AUTH_TOKEN", "two words"),
        ],
        &server,
    );
}

#[test]
fn problems_name_the_variable_that_has_them() {
    let name = "hosts::problems_name_the_variable_that_has_them";
    let variables = [
        ("INFLUX_HOST", OsStr::new("  ")),
        ("INFLUXDB3_HOST_URL", OsStr::new("ftp://a")),
        ("INFLUXDB3_AUTH_TOKEN", OsStr::new("two words")),
        ("INFLUXDB3_TLS_NO_VERIFY", OsStr::new("perhaps")),
        ("INFLUXDB3_TLS_CA", OsStr::new("/nowhere/ca.pem")),
    ];
    own_process::with_variables(name, &variables, || {
        let error = Client::from_env().unwrap_err().to_string();
        for expected in [
            "INFLUXDB3_HOST_URL: the host has the scheme \"ftp\"",
            "INFLUXDB3_AUTH_TOKEN: the token has blanks",
            "INFLUXDB3_TLS_NO_VERIFY: \"perhaps\" is neither",
            "INFLUXDB3_TLS_CA: \"/nowhere/ca.pem\" cannot be read",
        ] {
            assert!(error.contains(expected), "{error}");
        }
        assert!(!error.contains("two words"), "{error}");
    });
}

#[test]
fn no_proxy_excepts_single_hosts() {
    let (first, second) = (Server::accepting(), Server::accepting());
    let proxy = crate::support::proxy::Proxy::start(None);
    let (via, except) = (format!("http://{}", proxy.address()), second.address().to_string());
    let hosts = format!("{},{}", first.url(), second.url());
    let variables = [
        ("INFLUX_HOST", OsStr::new(&hosts)),
        ("INFLUX_DATABASE", OsStr::new("db")),
        ("INFLUX_PROXY_FROM_ENV", OsStr::new("true")),
        ("http_proxy", OsStr::new(&via)),
        ("no_proxy", OsStr::new(&except)),
    ];
    let body = || {
        let client = Client::from_env().unwrap();
        client.write("m f=1i 1").send().unwrap();
        let text = std::env::var("INFLUX_HOST").unwrap();
        let second = text.split(',').nth(1).unwrap();
        let client = Client::builder().with_env().host(second).build().unwrap();
        client.write("m f=1i 1").send().unwrap();
    };
    if own_process::with_variables("hosts::no_proxy_excepts_single_hosts", &variables, body) {
        assert_eq!((first.requests().len(), second.requests().len()), (1, 1));
        assert_eq!(proxy.heads().len(), 1, "the way to the first one only");
    }
}
