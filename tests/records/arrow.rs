//! Arrow record batches as records.
#![cfg(feature = "arrow")]

use std::sync::Arc;

use crate::support::http::Server;
use influxdb3_blocking::arrow_array::builder::{Int32Builder, ListBuilder};
use influxdb3_blocking::arrow_array::types::{Int8Type, Int32Type};
use influxdb3_blocking::arrow_array::*;
use influxdb3_blocking::arrow_schema::ArrowError;
use influxdb3_blocking::{Client, Columns, ErrorKind, Precision, Record, Result};

fn written<R: Record<K>, K>(record: R) -> Result<String> {
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    client.write(record).send()?;
    Ok(server.requests().iter().map(|request| request.text()).collect())
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)))
        .unwrap()
}

/// The field and the tag that a column of one value becomes.
fn as_field_and_tag(column: ArrayRef) -> (String, String) {
    let batch = batch(vec![("v", column), ("f", Arc::new(BooleanArray::from(vec![true])))]);
    let line = written(Columns::new(&batch).measurement("m")).unwrap();
    let field = line.strip_prefix("m v=").and_then(|rest| rest.strip_suffix(",f=true\n"));
    let field = field.unwrap_or_else(|| panic!("{line}")).to_owned();
    let line = written(Columns::new(&batch).measurement("m").tags(["v"])).unwrap();
    let tag = line.strip_prefix("m,v=").and_then(|rest| rest.strip_suffix(" f=true\n"));
    (field, tag.unwrap_or_else(|| panic!("{line}")).to_owned())
}

fn nanos_of(column: ArrayRef) -> Result<i64> {
    let batch = batch(vec![("time", column), ("f", Arc::new(BooleanArray::from(vec![true])))]);
    let line = written(Columns::new(&batch).measurement("m"))?;
    Ok(line.strip_prefix("m f=true ").unwrap().trim().parse().unwrap())
}

#[test]
fn every_type_has_its_field_and_its_tag() {
    let day = 19_000 * 86_400_i64;
    let cases: Vec<(ArrayRef, &str, &str)> = vec![
        (Arc::new(Int8Array::from(vec![-8])), "-8i", "-8"),
        (Arc::new(Int16Array::from(vec![i16::MIN])), "-32768i", "-32768"),
        (Arc::new(Int32Array::from(vec![32])), "32i", "32"),
        (
            Arc::new(Int64Array::from(vec![i64::MIN])),
            "-9223372036854775808i",
            "-9223372036854775808",
        ),
        (Arc::new(UInt8Array::from(vec![8])), "8u", "8"),
        (Arc::new(UInt16Array::from(vec![16])), "16u", "16"),
        (Arc::new(UInt32Array::from(vec![32])), "32u", "32"),
        (
            Arc::new(UInt64Array::from(vec![u64::MAX])),
            "18446744073709551615u",
            "18446744073709551615",
        ),
        (Arc::new(Float32Array::from(vec![0.1])), "0.1", "0.1"),
        (Arc::new(Float64Array::from(vec![-0.0])), "-0.0", "-0.0"),
        (Arc::new(BooleanArray::from(vec![false])), "false", "false"),
        (
            Arc::new(StringArray::from(vec!["a \"b\",\\c"])),
            "\"a \\\"b\\\",\\\\c\"",
            "a\\ \"b\"\\,\\\\c",
        ),
        (Arc::new(LargeStringArray::from(vec!["ü"])), "\"ü\"", "ü"),
        (
            Arc::new(StringViewArray::from(vec!["a text of more than twelve bytes"])),
            "\"a text of more than twelve bytes\"",
            "a\\ text\\ of\\ more\\ than\\ twelve\\ bytes",
        ),
        (Arc::new(vec!["x"].into_iter().collect::<DictionaryArray<Int8Type>>()), "\"x\"", "x"),
        (
            Arc::new(Decimal32Array::from(vec![-12345]).with_precision_and_scale(9, 2).unwrap()),
            "-123.45",
            "-123.45",
        ),
        (
            Arc::new(Decimal64Array::from(vec![5]).with_precision_and_scale(18, 3).unwrap()),
            "0.005",
            "0.005",
        ),
        (
            Arc::new(
                Decimal128Array::from(vec![i128::from(i64::MAX) * 100])
                    .with_precision_and_scale(38, 0)
                    .unwrap(),
            ),
            "922337203685477580700",
            "922337203685477580700",
        ),
        (
            Arc::new(
                Decimal256Array::from_iter_values([7_i64.into()])
                    .with_precision_and_scale(76, -2)
                    .unwrap(),
            ),
            "700",
            "700",
        ),
        (
            Arc::new(TimestampSecondArray::from(vec![day])),
            "\"2022-01-08T00:00:00Z\"",
            "2022-01-08T00:00:00Z",
        ),
        (
            Arc::new(TimestampMillisecondArray::from(vec![-1]).with_timezone("Europe/Paris")),
            "\"1969-12-31T23:59:59.999Z\"",
            "1969-12-31T23:59:59.999Z",
        ),
        (
            Arc::new(TimestampMicrosecondArray::from(vec![1])),
            "\"1970-01-01T00:00:00.000001Z\"",
            "1970-01-01T00:00:00.000001Z",
        ),
        (
            Arc::new(TimestampNanosecondArray::from(vec![1])),
            "\"1970-01-01T00:00:00.000000001Z\"",
            "1970-01-01T00:00:00.000000001Z",
        ),
        (Arc::new(Date32Array::from(vec![19_000])), "\"2022-01-08\"", "2022-01-08"),
        (Arc::new(Date64Array::from(vec![day * 1000])), "\"2022-01-08\"", "2022-01-08"),
        (
            Arc::new(Date64Array::from(vec![1500])),
            "\"1970-01-01T00:00:01.500Z\"",
            "1970-01-01T00:00:01.500Z",
        ),
        (Arc::new(Time32SecondArray::from(vec![86_399])), "\"23:59:59\"", "23:59:59"),
        (Arc::new(Time32MillisecondArray::from(vec![1])), "\"00:00:00.001\"", "00:00:00.001"),
        (Arc::new(Time64MicrosecondArray::from(vec![3_600_000_000])), "\"01:00:00\"", "01:00:00"),
        (
            Arc::new(Time64NanosecondArray::from(vec![1])),
            "\"00:00:00.000000001\"",
            "00:00:00.000000001",
        ),
        (Arc::new(DurationSecondArray::from(vec![-5])), "-5i", "-5"),
        (Arc::new(DurationMillisecondArray::from(vec![5])), "5i", "5"),
        (Arc::new(DurationMicrosecondArray::from(vec![5])), "5i", "5"),
        (Arc::new(DurationNanosecondArray::from(vec![5])), "5i", "5"),
    ];
    for (column, field, tag) in cases {
        let name = column.data_type().to_string();
        assert_eq!(as_field_and_tag(column), (field.to_owned(), tag.to_owned()), "{name}");
    }
}

#[test]
fn timestamps_count_by_their_unit() {
    assert_eq!(nanos_of(Arc::new(TimestampSecondArray::from(vec![-1]))).unwrap(), -1_000_000_000);
    assert_eq!(
        nanos_of(Arc::new(TimestampMillisecondArray::from(vec![3]).with_timezone("+02:00")))
            .unwrap(),
        3_000_000
    );
    assert_eq!(nanos_of(Arc::new(TimestampMicrosecondArray::from(vec![3]))).unwrap(), 3_000);
    assert_eq!(
        nanos_of(Arc::new(TimestampNanosecondArray::from(vec![i64::MAX]))).unwrap(),
        i64::MAX
    );
    assert_eq!(nanos_of(Arc::new(Date32Array::from(vec![1]))).unwrap(), 86_400_000_000_000);
    assert_eq!(nanos_of(Arc::new(Date64Array::from(vec![1]))).unwrap(), 1_000_000);
    assert_eq!(nanos_of(Arc::new(Int64Array::from(vec![7]))).unwrap(), 7);
    assert_eq!(nanos_of(Arc::new(UInt32Array::from(vec![7]))).unwrap(), 7);
    assert_eq!(nanos_of(Arc::new(Float64Array::from(vec![7.0]))).unwrap(), 7);
    assert_eq!(
        nanos_of(Arc::new(StringArray::from(vec!["1970-01-01T00:00:01Z"]))).unwrap(),
        1_000_000_000
    );
    assert_eq!(nanos_of(Arc::new(StringArray::from(vec!["12"]))).unwrap(), 12);
    let dictionary: DictionaryArray<Int32Type> = vec!["1970-01-01"].into_iter().collect();
    assert_eq!(nanos_of(Arc::new(dictionary)).unwrap(), 0);
    let wrong: Vec<(ArrayRef, &str)> = vec![
        (
            Arc::new(TimestampSecondArray::from(vec![i64::MAX])),
            "row 1, column \"time\": the timestamp",
        ),
        (
            Arc::new(TimestampSecondArray::from(vec![None])),
            "row 1, column \"time\": there is no timestamp",
        ),
        (Arc::new(StringArray::from(vec!["soon"])), "row 1, column \"time\": \"soon\" is no time"),
        (Arc::new(UInt64Array::from(vec![u64::MAX])), "is no timestamp"),
        (Arc::new(Float64Array::from(vec![f64::NAN])), "NaN is no timestamp"),
        (Arc::new(BooleanArray::from(vec![true])), "must be a timestamp"),
        (Arc::new(Time32SecondArray::from(vec![1])), "must be a timestamp"),
    ];
    for (column, words) in wrong {
        let error = nanos_of(column).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRecord);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn integers_are_times_in_the_precision_or_the_unit() {
    let batch = batch(vec![
        ("at", Arc::new(Int64Array::from(vec![1_500])) as ArrayRef),
        ("f", Arc::new(Int64Array::from(vec![1]))),
    ]);
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let columns = || Columns::new(&batch).measurement("m").timestamp_column("at");
    client.write(columns()).precision(Precision::Millisecond).send().unwrap();
    client.write(columns().date_unit(Precision::Millisecond)).send().unwrap();
    client
        .write(columns().date_unit(Precision::Millisecond))
        .precision(Precision::Second)
        .send()
        .unwrap();
    let sent: Vec<String> = server.requests().iter().map(|request| request.text()).collect();
    assert_eq!(sent, ["m f=1i 1500\n", "m f=1i 1500000000\n", "m f=1i 1\n"]);
}

#[test]
fn nulls_and_non_finite_values_are_left_out_and_rows_without_fields_too() {
    let tags: DictionaryArray<Int8Type> =
        vec![Some("x"), None, Some(""), Some("x")].into_iter().collect();
    let batch = batch(vec![
        ("time", Arc::new(Int64Array::from(vec![1, 2, 3, 4])) as ArrayRef),
        ("t", Arc::new(tags)),
        ("u", Arc::new(StringArray::from(vec![None, Some("y"), Some(""), None]))),
        (
            "a",
            Arc::new(Float64Array::from(vec![
                Some(1.0),
                Some(f64::NAN),
                Some(f64::INFINITY),
                None,
            ])),
        ),
        ("b", Arc::new(Float32Array::from(vec![Some(f32::NEG_INFINITY), Some(2.0), None, None]))),
        ("s", Arc::new(StringArray::from(vec![None, Some(""), None, None]))),
        ("n", Arc::new(NullArray::new(4))),
    ]);
    let lines = written(Columns::new(&batch).measurement("m").tags(["t", "u"])).unwrap();
    assert_eq!(lines, "m,t=x a=1.0 1\nm,u=y b=2.0,s=\"\" 2\n");
}

#[test]
fn names_are_escaped_and_clashes_are_refused() {
    let one = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let awkward = batch(vec![("a b", one()), ("c=d", one()), ("e,f", one())]);
    assert_eq!(
        written(Columns::new(&awkward).measurement("m x").tags(["c=d"])).unwrap(),
        "m\\ x,c\\=d=1 a\\ b=1i,e\\,f=1i\n"
    );
    for (names, tags, words) in [
        (["a", "a"], "a", "two columns have the name \"a\""),
        (["a", "b"], "c", "the tag column \"c\" is not there; the columns are \"a\", \"b\""),
        (["a", "b\n"], "a", "the field key"),
        (["", "a"], "a", "column 1 has no name"),
        (["time", "a"], "time", "cannot be both the timestamp and a tag"),
        (["a", "__chunk_order"], "a", "reserved"),
        (["time", "a"], "a", "no column is left for the fields"),
    ] {
        let batch = batch(names.iter().map(|name| (*name, one())).collect());
        let error = written(Columns::new(&batch).measurement("m").tags([tags])).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let error = written(Columns::new(&awkward)).unwrap_err();
    assert!(error.to_string().contains("no measurement"), "{error}");
    let error = written(Columns::new(&awkward).measurement("m").timestamp_column("x")).unwrap_err();
    assert!(error.to_string().contains("the timestamp column \"x\" is not there"), "{error}");
}

#[test]
fn nested_and_binary_types_are_refused_by_name() {
    let mut list = ListBuilder::new(Int32Builder::new());
    list.append_value([Some(1)]);
    let inner = batch(vec![("x", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(list.finish()),
        Arc::new(StructArray::from(inner)),
        Arc::new(BinaryArray::from_vec(vec![b"x"])),
        Arc::new(IntervalYearMonthArray::from(vec![1])),
    ];
    for column in columns {
        let batch = batch(vec![
            ("f", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
            ("bad one", column),
        ]);
        let error = written(Columns::new(&batch).measurement("m")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRecord);
        assert!(error.to_string().contains("the column \"bad one\" is of "), "{error}");
    }
}

#[test]
fn a_value_that_cannot_be_written_is_named_by_row_and_column() {
    let values: Vec<String> =
        (0..3000).map(|n| if n == 2500 { "a\nb".into() } else { format!("v{n}") }).collect();
    let batch = batch(vec![
        ("t", Arc::new(StringArray::from(values)) as ArrayRef),
        ("f", Arc::new(Int64Array::from_iter_values(0..3000))),
    ]);
    let error = written(Columns::new(&batch).measurement("m").tags(["t"])).unwrap_err();
    assert!(error.to_string().contains("row 2501, column \"t\""), "{error}");
}

#[test]
fn the_measurement_is_a_name_or_a_column() {
    let batch = batch(vec![
        ("iox::measurement", Arc::new(StringArray::from(vec!["i", "j"])) as ArrayRef),
        ("measurement", Arc::new(StringArray::from(vec!["a", "b c"]))),
        ("kind", Arc::new(vec!["k", "l"].into_iter().collect::<DictionaryArray<Int8Type>>())),
        ("f", Arc::new(Int64Array::from(vec![1, 2]))),
    ]);
    let of = |columns: Columns<'_>| written(columns).unwrap();
    let batch = &batch.slice(0, 1);
    assert_eq!(of(Columns::new(batch)), "a iox::measurement=\"i\",kind=\"k\",f=1i\n");
    assert_eq!(
        of(Columns::new(batch).measurement("m")),
        "m iox::measurement=\"i\",measurement=\"a\",kind=\"k\",f=1i\n"
    );
    assert_eq!(
        of(Columns::new(batch).measurement_column("kind")),
        "k iox::measurement=\"i\",measurement=\"a\",f=1i\n"
    );
    let error = written(Columns::new(batch).measurement_column("f")).unwrap_err();
    assert!(error.to_string().contains("must be text"), "{error}");
    let tagged = of(Columns::new(batch).measurement("m").tags(["measurement"]));
    assert_eq!(tagged, "m,measurement=a iox::measurement=\"i\",kind=\"k\",f=1i\n");
}

#[test]
fn default_tags_are_added_in_order_and_the_row_wins() {
    let batch = batch(vec![
        ("site", Arc::new(StringArray::from(vec![Some("own"), None])) as ArrayRef),
        ("b", Arc::new(StringArray::from(vec!["1", "2"]))),
        ("f", Arc::new(Int64Array::from(vec![1, 2]))),
    ]);
    let server = Server::accepting();
    let builder = Client::builder().host(server.url()).database("db");
    let client =
        builder.default_tag("site", "lab").default_tag("c", "x").tag_order(["c"]).build().unwrap();
    client.write(Columns::new(&batch).measurement("m").tags(["site", "b"])).send().unwrap();
    assert_eq!(server.requests()[0].text(), "m,c=x,b=1,site=own f=1i\nm,c=x,b=2,site=lab f=2i\n");
    let error = client.write(Columns::new(&batch).measurement("m").tags(["b"])).send().unwrap_err();
    assert!(error.to_string().contains("\"site\" is both a tag and a field"), "{error}");
}

#[test]
fn all_batches_of_a_reader_are_written_and_its_errors_come_through() {
    let one = |from: i64| {
        batch(vec![
            ("time", Arc::new(Int64Array::from(vec![from, from + 1])) as ArrayRef),
            ("f", Arc::new(Int64Array::from(vec![from, from + 1]))),
        ])
    };
    let reader = |batches| RecordBatchIterator::new(batches, one(0).schema());
    let good = reader(vec![Ok(one(0)), Ok(one(2))]);
    let lines = written(Columns::from_reader(good).measurement("m")).unwrap();
    assert_eq!(lines, "m f=0i 0\nm f=1i 1\nm f=2i 2\nm f=3i 3\n");
    let broken = ArrowError::ParseError("broken".into());
    let error =
        written(Columns::from_reader(reader(vec![Ok(one(0)), Err(broken)])).measurement("m"))
            .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let late = batch(vec![
        ("time", Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef),
        ("f", Arc::new(Int64Array::from(vec![1, 2]))),
    ]);
    let error = written(Columns::from_reader(reader(vec![Ok(one(0)), Ok(late)])).measurement("m"))
        .unwrap_err();
    assert!(error.to_string().contains("row 4, column \"time\""), "{error}");
    let other = batch(vec![
        ("time", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
        ("g", Arc::new(Int64Array::from(vec![1]))),
    ]);
    let error = written(Columns::from_reader(reader(vec![Ok(one(0)), Ok(other)])).measurement("m"))
        .unwrap_err();
    assert!(error.to_string().contains("other columns"), "{error}");
}

#[test]
fn slices_and_empty_batches_are_what_they_show() {
    let whole = batch(vec![
        (
            "t",
            Arc::new(vec!["a", "b", "a", "c"].into_iter().collect::<DictionaryArray<Int32Type>>())
                as ArrayRef,
        ),
        ("f", Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(4)]))),
    ]);
    let lines =
        |batch: &RecordBatch| written(Columns::new(batch).measurement("m").tags(["t"])).unwrap();
    assert_eq!(lines(&whole.slice(1, 3)), "m,t=a f=3i\nm,t=c f=4i\n");
    assert_eq!(lines(&whole.slice(4, 0)), "");
}
