//! What is written over HTTP comes back over Flight as it was.
#![cfg(feature = "query")]

use influxdb3_blocking::{Client, LineBuffer, Point, Precision, Timestamp};
use influxdb3_dev_server::DevServer;

fn start() -> (DevServer, Client) {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    (server, client)
}

/// Texts that line protocol has to escape, and texts that only look like it.
const AWKWARD: [&str; 22] = [
    "plain",
    "two words",
    "a,b",
    "a=b",
    "a\\b",
    "a\\,b",
    "a\\\\b",
    "\\",
    "a\"b",
    "\"",
    "'single'",
    "#comment",
    "Küche 🏠",
    "日本語",
    "cr\rin the middle",
    "t",
    "1i",
    "NaN",
    "null",
    " leading and trailing ",
    "$param",
    "\u{7f}\u{85}\u{2028}",
];

#[test]
fn every_field_type_comes_back_with_its_value() {
    let (_server, client) = start();
    let floats = [0.0, -0.0, 1.5, f64::MIN, f64::MAX, f64::MIN_POSITIVE, 5e-324, 1e300, 0.1 + 0.2];
    let signed = [0, 1, -1, i64::MIN, i64::MAX];
    let unsigned = [0, 1, u64::MAX];
    for (n, &float) in floats.iter().enumerate() {
        let n = i64::try_from(n).unwrap();
        let signed = signed[n as usize % signed.len()];
        let unsigned = unsigned[n as usize % unsigned.len()];
        let point = Point::new("types").field("f", float).field("i", signed).field("u", unsigned);
        client
            .write(point.field("b", n % 2 == 0).field("s", "x").time(Timestamp::nanos(n)))
            .send()
            .unwrap();
    }
    let table =
        client.query("SELECT f, i, u, b, s, time FROM types ORDER BY time").table().unwrap();
    assert_eq!(table.num_rows(), floats.len());
    for (n, row) in table.rows().enumerate() {
        assert_eq!(row.get::<f64>("f").unwrap().to_bits(), floats[n].to_bits());
        assert_eq!(row.get::<i64>("i").unwrap(), signed[n % signed.len()]);
        assert_eq!(row.get::<u64>("u").unwrap(), unsigned[n % unsigned.len()]);
        assert_eq!(row.get::<bool>("b").unwrap(), n % 2 == 0);
        assert_eq!(row.get::<&str>("s").unwrap(), "x");
        assert_eq!(row.get::<i64>("time").unwrap(), n as i64);
    }
}

#[test]
fn an_f32_comes_back_as_the_number_it_shows() {
    let (_server, client) = start();
    client.write(Point::new("m").field("f", 0.1_f32)).send().unwrap();
    let table = client.query("SELECT f FROM m").table().unwrap();
    assert_eq!(table.rows().next().unwrap().get::<f64>("f").unwrap(), 0.1);
}

#[test]
fn every_awkward_text_comes_back_from_every_place() {
    let (_server, client) = start();
    let mut buffer = LineBuffer::new();
    for (n, text) in AWKWARD.into_iter().enumerate() {
        let time = Timestamp::nanos(n as i64);
        let name = format!("m {text}");
        // A name may not end in a backslash, and a key has no control characters.
        let name = if name.ends_with('\\') { format!("{name}.") } else { name };
        let key: String = name.chars().filter(|c| !c.is_control()).collect();
        let tag = if text.ends_with('\\') { format!("{text}.") } else { text.to_owned() };
        let string = format!("{text}\nsecond line\ttab\0nul\\");
        let point = Point::new(&name)
            .tag(format!("t{key}"), &tag)
            .field(format!("f{key}"), string.as_str());
        client.write(point.time(time)).send().unwrap();
        let line =
            buffer.measurement(format!("b{name}")).unwrap().tag(format!("t{key}"), &tag).unwrap();
        line.field(format!("f{key}"), string.as_str()).unwrap().at(time).unwrap();

        client.write(&buffer).send().unwrap();
        buffer.clear();
        for table in [name.clone(), format!("b{name}")] {
            let quoted = format!("\"{}\"", table.replace('"', "\"\""));
            let result = client.query(format!("SELECT * FROM {quoted}")).table().unwrap();
            assert_eq!(result.num_rows(), 1, "{table:?}");
            let row = result.rows().next().unwrap();
            assert_eq!(row.get::<&str>(format!("t{key}").as_str()).unwrap(), tag, "{table:?}");
            assert_eq!(row.get::<&str>(format!("f{key}").as_str()).unwrap(), string, "{table:?}");
            assert_eq!(row.get::<i64>("time").unwrap(), n as i64);
        }
    }
}

#[test]
fn fields_and_tags_that_a_point_lacks_are_null() {
    let (_server, client) = start();
    client
        .write([
            Point::new("m").tag("t", "x").field("a", 1).time(Timestamp::nanos(1)),
            Point::new("m")
                .field("b", "y")
                .field("nan", f64::NAN)
                .tag("empty", "")
                .time(Timestamp::nanos(2)),
            Point::new("m").field("a", 3).field("nan", 0.5).time(Timestamp::nanos(3)),
        ])
        .send()
        .unwrap();
    let table = client.query("SELECT t, a, b, nan FROM m ORDER BY time").table().unwrap();
    let rows: Vec<_> = table
        .rows()
        .map(|row| {
            (
                row.get::<Option<String>>("t").unwrap(),
                row.get::<Option<i64>>("a").unwrap(),
                row.get::<Option<String>>("b").unwrap(),
                row.get::<Option<f64>>("nan").unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (Some("x".to_owned()), Some(1), None, None),
            (None, None, Some("y".to_owned()), None),
            (None, Some(3), None, Some(0.5)),
        ]
    );
}

#[test]
fn times_come_back_in_every_precision_from_1677_to_2262() {
    let (_server, client) = start();
    let extremes =
        [i64::MIN, i64::MIN + 1, -1_500_000_000, -1, 0, 1, 1_700_000_000_123_456_789, i64::MAX];
    for precision in
        [Precision::Nanosecond, Precision::Microsecond, Precision::Millisecond, Precision::Second]
    {
        let unit = precision.nanos();
        // Rounded down, the earliest times are out of the server's range in the coarser units.
        let written: Vec<i64> = extremes
            .into_iter()
            .filter_map(|nanos| Some((nanos, nanos.div_euclid(unit).checked_mul(unit)?)))
            .map(|(nanos, floor)| {
                let point = Point::new(format!("m_{precision}"))
                    .field("exact", nanos)
                    .time(Timestamp::nanos(nanos));
                client.write(point).precision(precision).send().unwrap();
                floor
            })
            .collect();
        let table =
            client.query(format!("SELECT time FROM m_{precision} ORDER BY time")).table().unwrap();
        let mut expected = written;
        expected.dedup();
        let read: Vec<_> = table.rows().map(|row| row.get::<i64>("time").unwrap()).collect();
        assert_eq!(read, expected, "{precision}");
    }
}

#[test]
fn text_goes_to_the_server_as_it_is() {
    let (_server, client) = start();
    let text = "home,room=Living\\ Room temp=21.1,hum=35.9,co=0i 1641024000\nhome,room=Kitchen temp=21.0 1641024000";
    client.write(text).precision(Precision::Second).send().unwrap();
    let table = client.query("SELECT room, temp, co FROM home ORDER BY room").table().unwrap();
    let rows: Vec<_> = table
        .rows()
        .map(|row| {
            (
                row.get::<String>("room").unwrap(),
                row.get::<f64>("temp").unwrap(),
                row.get::<Option<i64>>("co").unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [("Kitchen".to_owned(), 21.0, None), ("Living Room".to_owned(), 21.1, Some(0))]
    );
}

#[test]
fn both_endpoints_and_gzip_store_the_same() {
    let server = DevServer::start().unwrap();
    for (database, v2, gzip) in
        [("a", true, None), ("b", false, None), ("c", true, Some(0)), ("d", false, Some(0))]
    {
        let builder = Client::builder().host(server.url()).database(database).use_v2_api(v2);
        let builder = match gzip {
            None => builder,
            Some(threshold) => builder.gzip_threshold(threshold),
        };
        let client = builder.build().unwrap();
        client
            .write((0..1000).map(|n| Point::new("m").field("n", n).time(Timestamp::nanos(n))))
            .send()
            .unwrap();
        let table = client.query("SELECT count(*) AS n, sum(n) AS sum FROM m").table().unwrap();
        let row = table.rows().next().unwrap();
        assert_eq!((row.get::<i64>("n").unwrap(), row.get::<i64>("sum").unwrap()), (1000, 499_500));
    }
}

#[test]
fn a_write_over_the_limit_of_the_server_is_stored_whole() {
    let (server, client) = start();
    let text = "x".repeat(1000);
    let points =
        (0..12_000).map(|n| Point::new("big").field("s", text.as_str()).time(Timestamp::nanos(n)));
    client.write(points).send().unwrap();
    assert_eq!(server.rows("db", "big"), 12_000);
}

#[test]
fn a_batch_with_one_bad_line_names_it_and_stores_the_others() {
    let (server, client) = start();
    let points: Vec<_> = (0..10)
        .map(|n| {
            let point = Point::new("m").tag("n", n.to_string()).time(Timestamp::nanos(n));
            if n == 7 { point.field("f", "a text") } else { point.field("f", 1.5) }
        })
        .collect();
    let error = client.write(&points).use_v2_api(false).send().unwrap_err();
    assert_eq!(error.lines_written(), 9);
    let bad = &error.line_errors()[0];
    assert_eq!((bad.line_number(), bad.index()), (Some(8), Some(7)));
    assert_eq!(bad.line(), Some("m,n=7 f=\"a text\" 7"));
    assert!(bad.message().contains("invalid column type"), "{bad}");
    assert_eq!(server.rows("db", "m"), 9);

    let error = client.write(&points).database("v2").send().unwrap_err();
    assert!(error.to_string().contains("use_v2_api(false)"), "{error}");
    assert_eq!(error.unsent()[0].lines(), 10);
    assert_eq!(server.rows("v2", "m"), 0);
}

#[test]
fn sql_parameters_of_every_type_arrive() {
    let (_server, client) = start();
    client
        .write((0..4).map(|n: i64| {
            let point = Point::new("p")
                .tag("t", ["a", "b"][n as usize % 2])
                .field("n", n)
                .field("f", n as f64 / 2.0);
            point.field("b", n > 1).time(Timestamp::nanos(n))
        }))
        .send()
        .unwrap();
    let count = |condition: &str, build: &dyn Fn(influxdb3_blocking::QueryRequest<'_>) -> i64| {
        build(client.query(format!("SELECT count(*) AS n FROM p WHERE {condition}")))
    };
    let read = |request: influxdb3_blocking::QueryRequest<'_>| {
        let table = request.table().unwrap();
        table.rows().next().unwrap().get::<i64>("n").unwrap()
    };
    assert_eq!(count("t = $v", &|q| read(q.param("v", "a"))), 2);
    assert_eq!(count("n > $v", &|q| read(q.param("v", 1))), 2);
    assert_eq!(count("n > $v", &|q| read(q.param("v", 1_u64))), 2);
    assert_eq!(count("f > $v", &|q| read(q.param("v", 0.75))), 2);
    assert_eq!(count("b = $v", &|q| read(q.param("v", true))), 2);
    assert_eq!(count("t = $v", &|q| read(q.param("v", None::<&str>))), 0);
}
