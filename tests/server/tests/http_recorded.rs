//! The recorded HTTP answers of a real server, played against this one.

mod support;

use influxdb3_dev_server::DevServer;
use serde_json::Value;

/// Recorded as well, but not claimed.
const NOT_CLAIMED: [&str; 4] = [
    "v1 write",
    "v1 with bad lines",
    // One row of several, without an order.
    "query_sql, json",
    "configure database, list",
];

#[test]
fn the_same_answers_in_the_same_order() {
    let open = DevServer::start().unwrap();
    let closed = DevServer::builder().token("TOKEN").start().unwrap();
    let mut played = 0;
    for case in support::recorded("http.json") {
        let name = case["name"].as_str().unwrap();
        if NOT_CLAIMED.contains(&name) {
            continue;
        }
        let server = if name.starts_with("auth: ") { &closed } else { &open };
        play(server, name, &case);
        played += 1;
    }
    assert_eq!(played, 57);
}

fn play(server: &DevServer, name: &str, case: &Value) {
    let request = &case["request"];
    let body = match request["body_bytes"].as_u64() {
        Some(len) => vec![b'x'; len as usize],
        None => support::body(&request["body"]),
    };
    let headers: Vec<(&str, &str)> = request["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let method = request["method"].as_str().unwrap();
    let path = request["path"].as_str().unwrap();
    let answer = support::http(server, method, path, &headers, &body).unwrap();

    let expected = &case["response"];
    assert_eq!(u64::from(answer.status), expected["status"], "{name}: {}", answer.text());
    let expected_body = String::from_utf8(support::body(&expected["body"])).unwrap();
    assert_eq!(without_ids(answer.text()), without_ids(&expected_body), "{name}");
    for header in ["content-type", "content-length", "x-influxdb-build", "x-influxdb-version"] {
        assert_eq!(answer.header(header), expected["headers"][header].as_str(), "{name}: {header}");
    }
}

/// A ping tells the commit and the process: those are nobody else's.
fn without_ids(body: &str) -> String {
    match serde_json::from_str::<Value>(body) {
        Ok(mut json) if json.get("process_id").is_some() => {
            let keys: Vec<&str> = body.split('"').skip(1).step_by(4).collect();
            assert_eq!(keys, ["version", "revision", "process_id"]);
            json["revision"] = Value::Null;
            json["process_id"] = Value::Null;
            json.to_string()
        }
        _ => body.to_owned(),
    }
}
