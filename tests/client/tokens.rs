//! Tokens from files and functions: asked for when needed, kept, and asked for again when a server refuses them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use crate::support::http::{HANGS, Reply, Server};
use influxdb3_blocking::{Client, ClientBuilder, ErrorKind, ThreadPoolScheduler, WriteOptions};
use influxdb3_dev_server::DevServer;

fn builder(url: impl AsRef<str>) -> ClientBuilder {
    Client::builder().host(url).database("db")
}

/// Gives the tokens of a list, the last one for ever, and counts the calls.
fn counted(
    tokens: &'static [&'static str],
) -> (impl Fn() -> Result<String, Box<dyn std::error::Error + Send + Sync>>, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let provider = move || {
        let call = count.fetch_add(1, Ordering::SeqCst);
        Ok(tokens[call.min(tokens.len() - 1)].to_owned())
    };
    (provider, calls)
}

/// Accepts one token, and answers `refusal` to requests with any other.
fn accepting(token: &'static str, refusal: u16) -> Server {
    Server::start(move |_, request| {
        let is_it = request.header("authorization") == Some(&format!("Token {token}"));
        Reply::status(if is_it { 204 } else { refusal })
    })
}

/// What each request had for a token, in order.
fn sent(server: &Server) -> Vec<String> {
    let requests = server.requests();
    let tokens = requests.iter().map(|request| request.header("authorization").unwrap_or("none"));
    tokens.map(|token| token.trim_start_matches("Token ").to_owned()).collect()
}

/// A server whose tokens are good for `requests` requests each, and a client that gets them from it. The third says how
/// often it was asked, and the last whether two threads ever asked at the same time.
fn expiring(
    requests: usize,
    options: WriteOptions,
) -> (Arc<DevServer>, Client, Arc<AtomicUsize>, Arc<AtomicBool>) {
    let server = Arc::new(DevServer::builder().token("nobody has this one").start().unwrap());
    let (calls, asking) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let overlap = Arc::new(AtomicBool::new(false));
    let provider = {
        let (server, calls, overlap) = (server.clone(), calls.clone(), overlap.clone());
        move || {
            overlap.fetch_or(asking.fetch_add(1, Ordering::SeqCst) > 0, Ordering::SeqCst);
            calls.fetch_add(1, Ordering::SeqCst);
            // Others come meanwhile.
            thread::yield_now();
            let token = server.issue_token(requests);
            asking.fetch_sub(1, Ordering::SeqCst);
            Ok(token)
        }
    };
    let client = builder(server.url()).token_from(provider).write_options(options).build().unwrap();
    (server, client, calls, overlap)
}

#[test]
fn a_token_that_expires_all_the_time_fails_no_write_of_four_threads() {
    let (server, client, calls, overlap) = expiring(20, WriteOptions::synchronous());
    thread::scope(|scope| {
        for shard in 0..4 {
            let client = &client;
            scope.spawn(move || {
                for n in 1..=100 {
                    client.write(format!("m,shard={shard} f=1i {n}")).send().unwrap();
                }
            });
        }
    });
    assert_eq!(server.rows("db", "m"), 400);
    assert!(calls.load(Ordering::SeqCst) >= 400 / 20);
    assert!(!overlap.load(Ordering::SeqCst), "one asks while the others wait");
}

#[test]
fn a_token_that_expires_all_the_time_fails_no_batch_of_four_workers() {
    let options = WriteOptions::default()
        .batch_size(1)
        .merge_waiting(false)
        .write_scheduler(ThreadPoolScheduler::new(4));
    let (server, client, calls, overlap) = expiring(20, options);
    for n in 1..=400 {
        client.write(format!("m f=1i {n}")).send().unwrap();
    }
    client.close().unwrap();
    assert_eq!(server.rows("db", "m"), 400);
    let stats = client.write_stats();
    assert_eq!((stats.written.lines, stats.retries), (400, 0), "another token is no retry");
    assert!(calls.load(Ordering::SeqCst) >= 20 && !overlap.load(Ordering::SeqCst));
}

#[cfg(feature = "query")]
#[test]
fn a_token_that_expires_all_the_time_fails_no_query_on_either_path() {
    for over_http in [false, cfg!(feature = "parquet")] {
        let (server, client, calls, overlap) = expiring(5, WriteOptions::synchronous());
        client.write("m f=1i 1").send().unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        let query = client.query("SELECT f FROM m");
                        #[cfg(feature = "parquet")]
                        let query = query.over_http(over_http);
                        assert_eq!(query.table().unwrap().num_rows(), 1, "{over_http}");
                    }
                });
            }
        });
        assert!(calls.load(Ordering::SeqCst) >= 40 / 5 && !overlap.load(Ordering::SeqCst));
        drop(server);
    }
}

#[test]
fn a_token_is_asked_for_when_it_is_needed_and_then_kept() {
    let server = accepting("good-token", 401);
    let (provider, calls) = counted(&["good-token"]);
    let client = builder(server.url()).token_from(provider).build().unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 0, "nothing needed it");
    for _ in 0..3 {
        client.write("m f=1 1").send().unwrap();
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn after_a_401_a_token_is_asked_for_once_and_sent_if_it_is_another_one() {
    let server = accepting("good-token", 401);
    let (provider, calls) = counted(&["old-token", "good-token"]);
    let client = builder(server.url()).token_from(provider).build().unwrap();
    client.write("m f=1 1").send().unwrap();
    assert_eq!(sent(&server), ["old-token", "good-token"]);
    assert_eq!(calls.load(Ordering::SeqCst), 2);

    // The same one again: nothing speaks for another try.
    let server = accepting("good-token", 401);
    let (provider, calls) = counted(&["old-token"]);
    let client = builder(server.url()).token_from(provider).build().unwrap();
    let error = client.write("m f=1 1").send().unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(401)));
    assert_eq!((sent(&server).len(), calls.load(Ordering::SeqCst)), (1, 2));

    // Another one that is no better: once is enough.
    let server = accepting("good-token", 401);
    let (provider, calls) = counted(&["old-token", "bad-token", "good-token"]);
    let client = builder(server.url()).token_from(provider).build().unwrap();
    assert_eq!(client.write("m f=1 1").send().unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!((sent(&server).len(), calls.load(Ordering::SeqCst)), (2, 2));
}

#[test]
fn a_403_asks_for_another_token_only_after_a_success() {
    let server = accepting("good-token", 403);
    let (provider, calls) = counted(&["old-token", "good-token"]);
    let client = builder(server.url()).token_from(provider).build().unwrap();
    assert_eq!(client.write("m f=1 1").send().unwrap_err().status(), Some(403));
    assert_eq!(calls.load(Ordering::SeqCst), 1, "it may simply not be allowed");

    let server = Server::start(|n, request| {
        let token = if n == 0 { "Token first-token" } else { "Token second-token" };
        Reply::status(if request.header("authorization") == Some(token) { 204 } else { 403 })
    });
    let (provider, calls) = counted(&["first-token", "second-token"]);
    let client = builder(server.url()).token_from(provider).build().unwrap();
    client.write("m f=1 1").send().unwrap();
    client.write("m f=1 2").send().unwrap();
    assert_eq!(sent(&server), ["first-token", "first-token", "second-token"]);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[cfg(feature = "query")]
#[test]
fn a_query_whose_token_has_expired_is_asked_once_more_with_another_one() {
    use crate::support::batches::{answer, numbers};
    use crate::support::flight::{FlightServer, Step};
    for code in [7, 16] {
        let server = FlightServer::start(move |call, _| match call.header("authorization") {
            Some("Bearer good-token") => answer(vec![numbers(3)]),
            _ => vec![Step::StatusOnly(code, String::new())],
        });
        let (provider, calls) = counted(&["old-token", "good-token"]);
        let client = builder(server.url()).token_from(provider).build().unwrap();
        assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 3);
        assert_eq!((server.calls().len(), calls.load(Ordering::SeqCst)), (2, 2));
    }
}

#[test]
fn a_provider_that_fails_or_panics_is_an_error_of_that_call_alone() {
    let server = accepting("good-token", 401);
    let calls = AtomicUsize::new(0);
    let provider = move || match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Err("the vault is sealed".into()),
        1 => panic!("the vault is on fire"),
        2 => Ok("two words".to_owned()),
        _ => Ok(" good-token\n".to_owned()),
    };
    let client = builder(server.url()).token_from(provider).build().unwrap();
    for expected in [
        "the provider of tokens (token_from) has no token: the vault is sealed",
        "the provider of tokens (token_from) panicked: the vault is on fire",
        "the provider of tokens (token_from): the token has blanks, control characters or characters outside ASCII",
    ] {
        let error = client.write("m f=1 1").send().unwrap_err();
        assert_eq!(format!("{error:#}"), expected);
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert!(error.is_retryable() && !error.in_doubt());
        assert_eq!(error.unsent()[0].lines(), 1);
    }
    assert!(server.requests().is_empty());
    client.write("m f=1 1").send().unwrap();
}

#[test]
fn a_batch_waits_for_a_token_that_is_not_to_be_had_yet() {
    let server = accepting("good-token", 401);
    let calls = AtomicUsize::new(0);
    let provider = move || match calls.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Err("not yet".into()),
        _ => Ok("good-token".to_owned()),
    };
    let client = builder(server.url())
        .token_from(provider)
        .write_options(crate::support::batching::options())
        .build()
        .unwrap();
    client.write("m f=1 1").send().unwrap();
    client.flush().unwrap();
    assert_eq!((client.write_stats().written.lines, client.write_stats().retries), (1, 2));
}

#[test]
fn a_provider_that_blocks_is_an_error_of_the_calls_that_wait_and_is_not_called_twice() {
    let server = accepting("good-token", 401);
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let provider = move || {
        count.fetch_add(1, Ordering::SeqCst);
        released.lock().unwrap().recv_timeout(HANGS)?;
        Ok("good-token".to_owned())
    };
    let limit = Duration::from_millis(50);
    let client = builder(server.url()).token_from(provider).connect_timeout(limit).build().unwrap();
    for _ in 0..3 {
        let error = client.write("m f=1 1").send().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the provider of tokens (token_from) has given no token within 50ms"
        );
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.is_retryable() && !error.in_doubt());
    }
    #[cfg(feature = "query")]
    assert_eq!(client.query("SELECT 1").table().unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    release.send(()).unwrap();
    // Whoever comes while the answer is on its way may still be too early.
    while client.write("m f=1 1").send().is_err() {}
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[test]
fn an_authorization_header_of_ones_own_takes_the_place_of_the_token() {
    let server = Server::accepting();
    let (provider, calls) = counted(&["good-token"]);
    let client = builder(server.url()).token_from(provider).build().unwrap();
    client.write("m f=1 1").header("authorization", "Custom x").send().unwrap();
    assert_eq!(server.requests()[0].header("authorization"), Some("Custom x"));
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

/// A file of this test alone, removed at its end.
struct TokenFile(PathBuf);

impl TokenFile {
    fn new(name: &str) -> Self {
        let name = format!("influx-token-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.0, text).unwrap();
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_token_file_that_is_replaced_reaches_a_running_client() {
    let file = TokenFile::new("replaced");
    file.write("first-token\n");
    let server = DevServer::builder().token("first-token").record_requests(true).start().unwrap();
    let client = builder(server.url()).token_file(&file.0).build().unwrap();
    client.write("m f=1i 1").send().unwrap();
    file.write("second-token\n");
    // The old one is good still.
    client.write("m f=1i 2").send().unwrap();
    assert_eq!(server.requests().len(), 2);
    server.set_token("second-token");
    client.write("m f=1i 3").send().unwrap();
    #[cfg(feature = "query")]
    {
        server.set_token("third-token");
        file.write("third-token");
        assert_eq!(client.query("SELECT f FROM m").table().unwrap().num_rows(), 3);
    }
    assert_eq!(server.rows("db", "m"), 3);
}

#[test]
fn a_token_file_that_cannot_be_used_says_why_and_never_what_is_in_it() {
    let file = TokenFile::new("wrong");
    let url = "http://127.0.0.1:9";
    let path = file.0.display().to_string();
    let client = builder(url).token_file(&file.0).build().unwrap();
    let error = client.write("m f=1 1").send().unwrap_err();
    assert_eq!(error.to_string(), format!("the token file {path} cannot be read"));
    assert!(std::error::Error::source(&error).is_some());
    let long = "x".repeat(70_000);
    for (text, why) in [
        ("", "the token is empty: leave it out if the server needs none".to_owned()),
        (
            "s3cret and more",
            "the token has blanks, control characters or characters outside ASCII".into(),
        ),
        (&long, String::new()),
    ] {
        file.write(text);
        let error = client.write("m f=1 1").send().unwrap_err();
        let shown = format!("{error:#} {error:?} {client:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("xxxx"), "{shown}");
        assert!(shown.contains(&why) && shown.contains(&path), "{shown}");
        assert!(error.is_retryable(), "it may be written just now");
    }
}

#[test]
fn a_token_in_place_of_its_file_is_a_problem_that_does_not_show_it() {
    for error in [
        builder("http://a").token_file("apiv3_s3cret").build().unwrap_err(),
        Client::from_connection_string("http://a?tokenFile=apiv3_s3cret").unwrap_err(),
    ] {
        let text = format!("{error} {error:?}");
        assert!(text.contains("is a token itself") && !text.contains("s3cret"), "{text}");
    }
}

#[test]
fn the_last_of_token_and_its_sources_counts() {
    let server = Server::accepting();
    let file = TokenFile::new("last");
    file.write("of-file");
    let write = |builder: ClientBuilder| builder.build().unwrap().write("m f=1 1").send().unwrap();
    write(builder(server.url()).token_file(&file.0).token("fixed"));
    write(builder(server.url()).token("fixed").token_file(&file.0));
    write(builder(server.url()).token_file(&file.0).token_from(|| Ok("of-function".into())));
    let path = file.0.display();
    let text = format!("{}?database=db&tokenFile={path}&token=fixed", server.url());
    Client::from_connection_string(text).unwrap().write("m f=1 1").send().unwrap();
    assert_eq!(sent(&server), ["fixed", "of-file", "of-function", "fixed"]);
}

#[test]
fn a_token_file_of_the_environment_wins_over_a_token_of_it() {
    use std::ffi::OsStr;
    let (server, file) = (Server::accepting(), TokenFile::new("env"));
    let (url, path) = (server.url(), file.0.display().to_string());
    let variables = [
        ("INFLUX_HOST", OsStr::new(&url)),
        ("INFLUX_DATABASE", OsStr::new("db")),
        ("INFLUX_TOKEN_FILE", OsStr::new(&path)),
        ("INFLUXDB3_AUTH_TOKEN", OsStr::new("fixed")),
    ];
    file.write("of-file");
    let name = "tokens::a_token_file_of_the_environment_wins_over_a_token_of_it";
    let body = || Client::from_env().unwrap().write("m f=1 1").send().unwrap();
    if crate::support::own_process::with_variables(name, &variables, body) {
        assert_eq!(sent(&server), ["of-file"]);
    }
}

#[test]
fn what_a_server_says_of_a_token_is_hidden_in_errors_of_writes() {
    const TOKEN: &str = "apiv3_s3cret-s3cret-s3cret";
    let says = |text: String| {
        Server::start(move |_, _| {
            let echo =
                vec![("x-echo", format!("Bearer {TOKEN}")), ("location", format!("/?t={TOKEN}"))];
            Reply::Answer(400, echo, text.clone().into_bytes())
        })
    };
    let partial = format!(
        r#"{{"error":"partial write with {TOKEN}","data":[{{"error_message":"bad {TOKEN}","line_number":1}}]}}"#
    );
    for text in [format!("no {TOKEN}"), format!(r#"{{"error":"Token {TOKEN}"}}"#), partial] {
        let server = says(text);
        let client = builder(server.url()).token(TOKEN).use_v2_api(false).build().unwrap();
        let error = client.write("m f=1 1\nm f=2 2").send().unwrap_err();
        let echo = error.header("x-echo").unwrap();
        for shown in [&format!("{error:#}"), &format!("{error:?}"), echo] {
            assert!(!shown.contains("s3cret") && shown.contains("***"), "{shown}");
        }
    }
}
