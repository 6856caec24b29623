//! Queries over HTTP: formats, parameters, and what is refused.

mod support;

use influxdb3_dev_server::DevServer;

fn server() -> DevServer {
    let server = DevServer::start().unwrap();
    support::http(
        &server,
        "POST",
        "/api/v3/write_lp?db=db&precision=ns",
        &[],
        b"m,t=a f=1.5 1\nm,t=b i=2i 2",
    );
    server
}

fn get(server: &DevServer, path: &str) -> support::Answer {
    support::http(server, "GET", path, &[], b"").unwrap()
}

fn post(server: &DevServer, body: &str, headers: &[(&str, &str)]) -> support::Answer {
    support::http(server, "POST", "/api/v3/query_sql", headers, body.as_bytes()).unwrap()
}

const ROWS: &str = "/api/v3/query_sql?db=db&q=SELECT%20t,f,i,time%20FROM%20m%20ORDER%20BY%20time";

#[test]
fn each_format_has_its_content_type_and_leaves_null_out_or_empty() {
    let server = server();
    for (format, content_type, text) in [
        (
            "json",
            "application/json",
            "[{\"t\":\"a\",\"f\":1.5,\"time\":\"1970-01-01T00:00:00.000000001\"},\
             {\"t\":\"b\",\"i\":2,\"time\":\"1970-01-01T00:00:00.000000002\"}]",
        ),
        (
            "jsonl",
            "application/jsonl",
            "{\"t\":\"a\",\"f\":1.5,\"time\":\"1970-01-01T00:00:00.000000001\"}\n\
             {\"t\":\"b\",\"i\":2,\"time\":\"1970-01-01T00:00:00.000000002\"}\n",
        ),
        (
            "csv",
            "text/csv",
            "t,f,i,time\na,1.5,,1970-01-01T00:00:00.000000001\nb,,2,1970-01-01T00:00:00.000000002\n",
        ),
    ] {
        let answer = get(&server, &format!("{ROWS}&format={format}"));
        assert_eq!((answer.status, answer.text()), (200, text), "{format}");
        assert_eq!(answer.header("content-type"), Some(content_type));
    }
    let pretty = get(&server, &format!("{ROWS}&format=pretty"));
    assert!(pretty.text().starts_with("+---+-----+---+"), "{}", pretty.text());
    let parquet = get(&server, &format!("{ROWS}&format=parquet"));
    assert!(parquet.body.starts_with(b"PAR1") && parquet.body.ends_with(b"PAR1"));
    assert_eq!(parquet.header("content-type"), Some("application/vnd.apache.parquet"));
}

#[test]
fn what_is_accepted_counts_where_no_format_is_named() {
    let server = server();
    let ask = |accept| post(&server, r#"{"db":"db","q":"SELECT 1 AS n"}"#, &[("accept", accept)]);
    assert_eq!(ask("text/csv").text(), "n\n1\n");
    assert_eq!(ask("text/html,*/*").text(), "[{\"n\":1}]");
    assert_eq!(ask("image/png").status, 400);
    let named = r#"{"db":"db","q":"SELECT 1 AS n","format":"json"}"#;
    assert_eq!(post(&server, named, &[("accept", "text/csv")]).text(), "[{\"n\":1}]");
}

#[test]
fn an_answer_without_rows_is_nothing_but_in_json_and_text() {
    let server = server();
    for (format, text) in
        [("json", "[]"), ("jsonl", ""), ("csv", ""), ("parquet", ""), ("pretty", "++\n++")]
    {
        let path = format!(
            "/api/v3/query_sql?db=db&q=SELECT%20*%20FROM%20m%20WHERE%20false&format={format}"
        );
        let answer = get(&server, &path);
        assert_eq!((answer.status, answer.text()), (200, text), "{format}");
    }
}

#[test]
fn parameters_come_as_an_object_or_as_the_text_of_one() {
    let server = server();
    let body = r#"{"db":"db","q":"SELECT f FROM m WHERE t = $t","params":{"t":"a"}}"#;
    assert_eq!(post(&server, body, &[]).text(), "[{\"f\":1.5}]");
    let path = "/api/v3/query_sql?db=db&q=SELECT%20f%20FROM%20m%20WHERE%20t%20=%20$t&params=%7B%22t%22:%22a%22%7D";
    assert_eq!(get(&server, path).text(), "[{\"f\":1.5}]");
    let shown = get(&server, "/api/v3/query_influxql?db=db&q=SHOW%20MEASUREMENTS");
    assert_eq!(shown.text(), "[{\"iox::measurement\":\"measurements\",\"name\":\"m\"}]");
}

#[test]
fn what_is_wrong_has_the_status_of_release_3_6() {
    let server = server();
    for (path, status, text) in [
        ("/api/v3/query_sql", 400, "missing query parameters 'db' and 'q'"),
        ("/api/v3/query_sql?db=db", 400, "serde error: missing field `q`"),
        (
            "/api/v3/query_sql?db=no&q=SELECT%201",
            404,
            "{\"error\":\"query error: database not found: no\"}",
        ),
    ] {
        let answer = get(&server, path);
        assert_eq!((answer.status, answer.text()), (status, text), "{path}");
    }
    let answer = post(&server, "{", &[]);
    assert_eq!(answer.status, 400);
    assert!(answer.text().starts_with("serde json error: "), "{}", answer.text());
    let answer = post(&server, r#"{"db":"db","q":"SELECT 1/0"}"#, &[]);
    assert_eq!(answer.status, 500);
    assert!(answer.text().starts_with("datafusion error: "), "{}", answer.text());
    let closed = DevServer::builder().token("TOKEN").start().unwrap();
    assert_eq!(get(&closed, ROWS).status, 401);
    let malformed = [("authorization", "TOKEN")];
    assert_eq!(support::http(&closed, "GET", ROWS, &malformed, b"").unwrap().status, 400);
}
