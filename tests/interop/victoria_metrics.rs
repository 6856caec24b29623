//! VictoriaMetrics takes what the client writes: every sample is there, with its labels, value and time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use influxdb3_blocking::{
    Client, ErrorKind, Point, Precision, ThreadPoolScheduler, Timestamp, WriteOptions,
};
use serde_json::Value;

use crate::support::home;
use crate::third_party::{Folder, Running, VICTORIA_METRICS, flag, free_port, post_form};

/// A series and its samples: milliseconds and value.
type Series = BTreeMap<String, Vec<(i64, f64)>>;

struct Server {
    _running: Running,
    address: SocketAddr,
}

impl Server {
    fn start() -> Option<Self> {
        let program = VICTORIA_METRICS.find()?;
        let (folder, address) = (Folder::new("victoria-metrics"), free_port());
        let mut command = Command::new(program);
        command
            .arg(flag("httpListenAddr", address.to_string()))
            .arg(flag("storageDataPath", folder.path("data")))
            .arg(flag("retentionPeriod", "100y"))
            .stdout(folder.log())
            .stderr(std::process::Stdio::null());
        let mut running = Running::start(command, folder);
        running.wait_for(address);
        Some(Self { _running: running, address })
    }

    fn client(&self) -> influxdb3_blocking::ClientBuilder {
        Client::builder().host(format!("http://{}", self.address)).database("db")
    }

    /// All that is stored. The name of a series is its labels, sorted, as `name{key=value,…}`.
    fn series(&self) -> Series {
        post_form(self.address, "/internal/force_flush", &[]);
        let all = [("match[]", "{__name__=~\".+\"}")];
        let (status, body) = post_form(self.address, "/api/v1/export", &all);
        assert_eq!(status, 200, "{body}");
        let mut series = Series::new();
        for line in body.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let labels: BTreeMap<String, String> =
                serde_json::from_value(line["metric"].clone()).unwrap();
            let others: Vec<_> = labels
                .iter()
                .filter(|(key, _)| *key != "__name__")
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            let name = format!("{}{{{}}}", labels["__name__"], others.join(","));
            let times = line["timestamps"].as_array().unwrap().iter().map(|t| t.as_i64().unwrap());
            let values = line["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap());
            series.entry(name).or_default().extend(times.zip(values));
        }
        series.values_mut().for_each(|samples| samples.sort_by_key(|(time, _)| *time));
        series
    }
}

#[test]
fn every_type_and_every_awkward_name_arrives() {
    let Some(server) = Server::start() else { return };
    let client = server.client().build().unwrap();
    let time = Timestamp::nanos(1_700_000_000_123_456_789);
    let point = Point::new("ho me")
        .tag("ro,om", "Kit=chen, \"new\"")
        .tag("größe", "ß\\ü")
        .field("float", -1.5e-7)
        .field("int", -9_007_199_254_740_991_i64)
        .field("unsigned", 42_u64)
        .field("yes", true)
        .field("te xt", "a string, which is 0 there")
        .time(time);
    client.write(point).send().unwrap();
    let labels = "{größe=ß\\ü,ro,om=Kit=chen, \"new\"}";
    let expected: Series = [
        ("float", -1.5e-7),
        ("int", -9_007_199_254_740_991.0),
        ("unsigned", 42.0),
        ("yes", 1.0),
        ("te xt", 0.0),
    ]
    .into_iter()
    .map(|(field, value)| (format!("ho me_{field}{labels}"), vec![(1_700_000_000_123, value)]))
    .collect();
    assert_eq!(server.series(), expected);
}

#[test]
fn a_time_is_the_same_in_every_precision_compressed_or_not() {
    let Some(server) = Server::start() else { return };
    let client = server.client().gzip_threshold(1).build().unwrap();
    for (name, precision) in [
        ("s", Precision::Second),
        ("ms", Precision::Millisecond),
        ("us", Precision::Microsecond),
        ("ns", Precision::Nanosecond),
    ] {
        let point = Point::new(name).field("f", 1.0).time(Timestamp::seconds(1_700_000_000));
        client.write(point).precision(precision).send().unwrap();
    }
    let series = server.series();
    assert_eq!(series.keys().collect::<Vec<_>>(), ["ms_f{}", "ns_f{}", "s_f{}", "us_f{}"]);
    assert!(series.values().all(|samples| samples == &[(1_700_000_000_000, 1.0)]), "{series:?}");
}

#[test]
fn batches_of_many_points_arrive_whole_and_once() {
    let Some(server) = Server::start() else { return };
    let options = WriteOptions::default()
        .batch_size(500)
        .flush_interval(Duration::from_millis(50))
        .write_scheduler(ThreadPoolScheduler::new(4));
    let client = server.client().write_options(options).build().unwrap();
    let time = |n: i64| 1_700_000_000_000 + n;
    for n in 0..10_000 {
        let point = Point::new("count").field("n", n).time(Timestamp::millis(time(n)));
        client.write(point).send().unwrap();
    }
    client.close().unwrap();
    let expected: Vec<_> = (0..10_000).map(|n| (time(n), n as f64)).collect();
    assert_eq!(server.series()["count_n{}"], expected);
}

#[test]
fn a_file_arrives_as_the_table_that_it_is() {
    let Some(server) = Server::start() else { return };
    let client = server.client().build().unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/home.csv");
    let report = client.write_file(file).measurement("home").tags(["room"]);
    assert_eq!(report.precision(Precision::Second).send().unwrap().lines, 26);
    let mut expected = Series::new();
    for (time, room, temp, hum, co) in home::rows() {
        for (field, value) in [("temp", temp), ("hum", hum), ("co", co as f64)] {
            let samples = expected.entry(format!("home_{field}{{room={room}}}")).or_default();
            samples.push((1000 * time, value));
        }
    }
    assert_eq!(server.series(), expected);
}

#[test]
fn what_it_does_not_have_is_an_error_with_its_words() {
    let Some(server) = Server::start() else { return };
    let client = server.client().build().unwrap();
    // It has no endpoint of version 3.
    let error = client.write("m f=1 1").use_v2_api(false).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
    assert!(error.to_string().contains("unsupported path requested"), "{error}");
    assert_eq!(error.into_unsent().len(), 1);
    // Its answer to a ping is empty and names no version.
    let error = client.server_version().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server, "{error}");
    // It speaks no gRPC.
    let error = client.query("SELECT 1").table().unwrap_err();
    assert!(!error.to_string().is_empty());
    assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
}
