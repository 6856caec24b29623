//! Everyone who can turn rows into line protocol.

use std::cell::RefCell;

use influxdb_line_protocol::LineProtocolBuilder;
use influxdb3_blocking::fuzzing::encode_record_to;
use influxdb3_blocking::{Columns, LineBuffer, Point, Precision, Timestamp};
use influxdb3_client::{WriteInput, WriteOptions};
use questdb::ingress::{Buffer, ColumnName, ProtocolVersion, TableName, TimestampNanos};

use crate::allocations;
use crate::shapes::{Row, Shape, Value};
use crate::watch::Watch;

pub struct Contender {
    pub id: &'static str,
    pub title: &'static str,
    /// The peer that does the same, by its id.
    pub against: Option<&'static str>,
    /// Encodes all rows of a shape once.
    pub run: fn(&Shape, &mut Watch),
}

pub const CONTENDERS: &[Contender] = &[
    Contender {
        id: "point",
        title: "Point, built and encoded",
        against: Some("client"),
        run: point,
    },
    Contender {
        id: "points",
        title: "Point, all built, then all encoded",
        against: Some("client"),
        run: points,
    },
    Contender {
        id: "client",
        title: "influxdb3-client, all built, then all encoded",
        against: None,
        run: client,
    },
    Contender {
        id: "point-built",
        title: "Point, encoded",
        against: Some("client-built"),
        run: point_built,
    },
    Contender {
        id: "client-built",
        title: "influxdb3-client, encoded",
        against: None,
        run: client_built,
    },
    Contender {
        id: "point-dropped",
        title: "Point, encoded and dropped",
        against: Some("client-dropped"),
        run: point_dropped,
    },
    Contender {
        id: "client-dropped",
        title: "influxdb3-client, encoded and dropped (it takes them)",
        against: None,
        run: client_dropped,
    },
    Contender {
        id: "point-kept",
        title: "Point, very many of them kept, encoded",
        against: Some("client-kept"),
        run: point_kept,
    },
    Contender {
        id: "client-kept",
        title: "influxdb3-client, very many kept, encoded",
        against: None,
        run: client_kept,
    },
    Contender { id: "columns", title: "Columns, a record batch", against: None, run: columns },
    Contender { id: "buffer", title: "LineBuffer", against: Some("questdb"), run: buffer },
    Contender { id: "questdb", title: "questdb-rs Buffer", against: None, run: questdb },
    Contender {
        id: "questdb-names",
        title: "questdb-rs Buffer, names never checked",
        against: None,
        run: questdb_names,
    },
    Contender {
        id: "builder",
        title: "influxdb-line-protocol builder",
        against: None,
        run: builder,
    },
    Contender {
        id: "numbers",
        title: "zmij and itoa, only the numbers",
        against: None,
        run: numbers,
    },
    Contender { id: "memcpy", title: "memcpy of the lines", against: None, run: memcpy },
];

thread_local! {
    /// Buffers that have grown: only the first batch pays for that.
    static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static LINES: RefCell<LineBuffer> = RefCell::new(LineBuffer::new());
    static QUESTDB: RefCell<Buffer> = RefCell::new(Buffer::new(ProtocolVersion::V1));
}

fn in_bytes(shape: &Shape, watch: &mut Watch, section: impl FnOnce(&mut Vec<u8>)) {
    BYTES.with_borrow_mut(|bytes| {
        bytes.clear();
        bytes.reserve(shape.lines.len() + 4096);
        watch.measure(shape.rows.len(), || section(bytes));
        assert_eq!(bytes.len(), shape.lines.len());
    });
}

fn make(row: &Row) -> Point {
    let mut point = Point::new(row.measurement);
    for (key, value) in &row.tags {
        point = point.tag(key, value);
    }
    for (key, value) in &row.fields {
        point = match value {
            Value::Float(value) => point.field(key, *value),
            Value::Integer(value) => point.field(key, *value),
            Value::Text(value) => point.field(key, value),
        };
    }
    point.time(Timestamp::nanos(row.nanos))
}

fn point(shape: &Shape, watch: &mut Watch) {
    in_bytes(shape, watch, |bytes| {
        for row in &shape.rows {
            make(row).write_line_protocol(Precision::Nanosecond, bytes).unwrap();
        }
    });
}

fn points(shape: &Shape, watch: &mut Watch) {
    in_bytes(shape, watch, |bytes| {
        let points: Vec<Point> = shape.rows.iter().map(make).collect();
        for point in &points {
            point.write_line_protocol(Precision::Nanosecond, bytes).unwrap();
        }
    });
}

fn point_built(shape: &Shape, watch: &mut Watch) {
    let points: Vec<Point> = shape.rows.iter().map(make).collect();
    in_bytes(shape, watch, |bytes| {
        for point in &points {
            point.write_line_protocol(Precision::Nanosecond, bytes).unwrap();
        }
    });
}

fn point_dropped(shape: &Shape, watch: &mut Watch) {
    let points: Vec<Point> = shape.rows.iter().map(make).collect();
    in_bytes(shape, watch, move |bytes| {
        for point in points {
            point.write_line_protocol(Precision::Nanosecond, bytes).unwrap();
        }
    });
}

fn make_theirs(row: &Row) -> influxdb3_client::Point {
    let mut point = influxdb3_client::Point::new(row.measurement);
    for (key, value) in &row.tags {
        point = point.tag(*key, value.as_str());
    }
    for (key, value) in &row.fields {
        point = match value {
            Value::Float(value) => point.field(*key, *value),
            Value::Integer(value) => point.field(*key, *value),
            Value::Text(value) => point.field(*key, value.as_str()),
        };
    }
    point.timestamp_nanos(row.nanos)
}

fn client(shape: &Shape, watch: &mut Watch) {
    let options = WriteOptions::default();
    let bytes = watch.measure(shape.rows.len(), || {
        let points: Vec<_> = shape.rows.iter().map(make_theirs).collect();
        points.into_lp_batches(&options).map(Result::unwrap).map(|bytes| bytes.len()).sum::<usize>()
    });
    assert!(bytes > shape.rows.len() * 40);
}

fn client_built(shape: &Shape, watch: &mut Watch) {
    let options = WriteOptions::default();
    let points: Vec<_> = shape.rows.iter().map(make_theirs).collect();
    // What drops the points is not counted.
    let (bytes, _batches) = watch.measure(shape.rows.len(), || {
        let mut batches = points.into_lp_batches(&options);
        let bytes = batches.by_ref().map(Result::unwrap).map(|bytes| bytes.len()).sum::<usize>();
        (bytes, batches)
    });
    assert!(bytes > shape.rows.len() * 40);
}

fn client_dropped(shape: &Shape, watch: &mut Watch) {
    let options = WriteOptions::default();
    let points: Vec<_> = shape.rows.iter().map(make_theirs).collect();
    let bytes = watch.measure(shape.rows.len(), || {
        points.into_lp_batches(&options).map(Result::unwrap).map(|bytes| bytes.len()).sum::<usize>()
    });
    assert!(bytes > shape.rows.len() * 40);
}

/// So many that they do not fit into the caches: 100 000, but no more than 16 MB of line protocol.
fn kept(shape: &Shape) -> impl Iterator<Item = &Row> {
    let count = (16_000_000 * shape.rows.len() / shape.lines.len()).min(100_000);
    shape.rows.iter().cycle().take(count)
}

fn point_kept(shape: &Shape, watch: &mut Watch) {
    let points: Vec<Point> = kept(shape).map(make).collect();
    let mut bytes = Vec::with_capacity(20_000_000);
    watch.measure(points.len(), || {
        for point in &points {
            point.write_line_protocol(Precision::Nanosecond, &mut bytes).unwrap();
        }
    });
    assert!(bytes.len() > points.len() * 40);
}

fn client_kept(shape: &Shape, watch: &mut Watch) {
    let options = WriteOptions::default();
    let points: Vec<_> = kept(shape).map(make_theirs).collect();
    let count = points.len();
    // What drops the points is not counted.
    let (bytes, _batches) = watch.measure(count, || {
        let mut batches = points.into_lp_batches(&options);
        let bytes = batches.by_ref().map(Result::unwrap).map(|bytes| bytes.len()).sum::<usize>();
        (bytes, batches)
    });
    assert!(bytes > count * 40);
}

/// What a point of a shape takes in memory while it is kept in a vector: one of ours, and one of influxdb3-client.
pub fn bytes_of_a_point(shape: &Shape) -> (usize, usize) {
    fn of<T>(points: impl FnOnce() -> Vec<T>) -> usize {
        let before = allocations::live();
        let points = points();
        (allocations::live() - before) / points.len()
    }
    (
        of(|| shape.rows.iter().map(make).collect()),
        of(|| shape.rows.iter().map(make_theirs).collect()),
    )
}

fn columns(shape: &Shape, watch: &mut Watch) {
    in_bytes(shape, watch, |bytes| {
        let tags = shape.rows[0].tags.iter().map(|(key, _)| *key);
        let columns = Columns::new(&shape.batch).measurement(shape.rows[0].measurement).tags(tags);
        encode_record_to(bytes, columns, Vec::new(), Precision::Nanosecond).unwrap();
    });
}

fn buffer(shape: &Shape, watch: &mut Watch) {
    LINES.with_borrow_mut(|lines| {
        lines.clear();
        watch.measure(shape.rows.len(), || {
            for row in &shape.rows {
                let mut line = lines.measurement(row.measurement).unwrap();
                for (key, value) in &row.tags {
                    line = line.tag(key, value).unwrap();
                }
                for (key, value) in &row.fields {
                    line = match value {
                        Value::Float(value) => line.field(key, *value),
                        Value::Integer(value) => line.field(key, *value),
                        Value::Text(value) => line.field(key, value),
                    }
                    .unwrap();
                }
                line.at(Timestamp::nanos(row.nanos)).unwrap();
            }
        });
        assert_eq!(lines.len(), shape.lines.len());
    });
}

fn questdb(shape: &Shape, watch: &mut Watch) {
    QUESTDB.with_borrow_mut(|lines| {
        lines.clear();
        watch.measure(shape.rows.len(), || {
            for row in &shape.rows {
                lines.table(row.measurement).unwrap();
                for (key, value) in &row.tags {
                    lines.symbol(*key, value).unwrap();
                }
                for (key, value) in &row.fields {
                    match value {
                        Value::Float(value) => lines.column_f64(*key, *value),
                        Value::Integer(value) => lines.column_i64(*key, *value),
                        Value::Text(value) => lines.column_str(*key, value),
                    }
                    .unwrap();
                }
                lines.at(TimestampNanos::new(row.nanos)).unwrap();
            }
        });
        assert!(lines.len() > shape.rows.len() * 40);
    });
}

fn questdb_names(shape: &Shape, watch: &mut Watch) {
    QUESTDB.with_borrow_mut(|lines| {
        lines.clear();
        watch.measure(shape.rows.len(), || {
            for row in &shape.rows {
                lines.table(TableName::new_unchecked(row.measurement)).unwrap();
                for (key, value) in &row.tags {
                    lines.symbol(ColumnName::new_unchecked(key), value).unwrap();
                }
                for (key, value) in &row.fields {
                    let key = ColumnName::new_unchecked(key);
                    match value {
                        Value::Float(value) => lines.column_f64(key, *value),
                        Value::Integer(value) => lines.column_i64(key, *value),
                        Value::Text(value) => lines.column_str(key, value),
                    }
                    .unwrap();
                }
                lines.at(TimestampNanos::new(row.nanos)).unwrap();
            }
        });
        assert!(lines.len() > shape.rows.len() * 40);
    });
}

fn builder(shape: &Shape, watch: &mut Watch) {
    in_bytes_of_any_length(shape, watch, |bytes| {
        for row in &shape.rows {
            let mut line = LineProtocolBuilder::new_with(&mut *bytes).measurement(row.measurement);
            for (key, value) in &row.tags {
                line = line.tag(key, value);
            }
            let mut fields = row.fields.iter();
            let (key, value) = fields.next().unwrap();
            let mut line = match value {
                Value::Float(value) => line.field(key, *value),
                Value::Integer(value) => line.field(key, *value),
                Value::Text(value) => line.field(key, value.as_str()),
            };
            for (key, value) in fields {
                line = match value {
                    Value::Float(value) => line.field(key, *value),
                    Value::Integer(value) => line.field(key, *value),
                    Value::Text(value) => line.field(key, value.as_str()),
                };
            }
            line.timestamp(row.nanos).close_line();
        }
    });
}

/// What nobody can do without: the digits of the same numbers, without anything around them.
fn numbers(shape: &Shape, watch: &mut Watch) {
    in_bytes_of_any_length(shape, watch, |bytes| {
        for row in &shape.rows {
            for (_, value) in &row.fields {
                match value {
                    Value::Float(value) => {
                        bytes.extend_from_slice(
                            zmij::Buffer::new().format_finite(*value).as_bytes(),
                        );
                    }
                    Value::Integer(value) => {
                        bytes.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes());
                    }
                    Value::Text(_) => {}
                }
            }
            bytes.extend_from_slice(itoa::Buffer::new().format(row.nanos).as_bytes());
        }
    });
}

fn memcpy(shape: &Shape, watch: &mut Watch) {
    in_bytes(shape, watch, |bytes| {
        let mut start = 0;
        for &end in &shape.line_ends {
            bytes.extend_from_slice(&shape.lines[start..end]);
            start = end;
        }
    });
}

fn in_bytes_of_any_length(shape: &Shape, watch: &mut Watch, section: impl FnOnce(&mut Vec<u8>)) {
    BYTES.with_borrow_mut(|bytes| {
        bytes.clear();
        bytes.reserve(shape.lines.len() * 2);
        watch.measure(shape.rows.len(), || section(bytes));
    });
}
