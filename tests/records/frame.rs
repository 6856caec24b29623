//! Data frames of polars as records. The oracle is `Columns` on an Arrow batch of the same values, made by hand.
#![cfg(all(feature = "arrow", feature = "polars"))]

use std::sync::Arc;

use crate::support::http::Server;
use influxdb3_blocking::arrow_array::types::Int8Type;
use influxdb3_blocking::arrow_array::*;
use influxdb3_blocking::polars_core::prelude::{
    Categories, Column, DataFrame, DataType, FrozenCategories, IntoColumn, IntoSeries, NamedFrom,
    Scalar, Series, TimeUnit, TimeZone, df,
};
use influxdb3_blocking::{Client, Columns, ErrorKind, Frame, Precision, Record, Result};

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

fn frame(columns: Vec<(&str, Series)>) -> DataFrame {
    let named = |(name, series): (&str, Series)| series.with_name(name.into()).into_column();
    DataFrame::new_infer_height(columns.into_iter().map(named).collect()).unwrap()
}

fn series<T, P>(values: T) -> Series
where
    Series: NamedFrom<T, P>,
    P: ?Sized,
{
    Series::new("".into(), values)
}

fn cast(series: Series, to: DataType) -> Series {
    series.strict_cast(&to).unwrap()
}

/// Every type of polars, and the same values in Arrow.
fn pairs() -> Vec<(Series, ArrayRef)> {
    use DataType::*;
    let utc = || TimeZone::opt_try_new(Some("UTC")).unwrap();
    let paris = || TimeZone::opt_try_new(Some("Europe/Paris")).unwrap();
    let moments = vec![Some(1_641_024_000_123), None, Some(-1)];
    let texts = vec![Some("a \"b\",\\c="), None, Some("a text of more than twelve bytes")];
    let dictionary: DictionaryArray<Int8Type> = texts.clone().into_iter().collect();
    let frozen = FrozenCategories::new(texts.iter().flatten().copied()).unwrap();
    vec![
        (
            cast(series([Some(-8_i32), None, Some(127)]), Int8),
            Arc::new(Int8Array::from(vec![Some(-8), None, Some(127)])),
        ),
        (
            cast(series([Some(-32_768_i32), None, Some(1)]), Int16),
            Arc::new(Int16Array::from(vec![Some(i16::MIN), None, Some(1)])),
        ),
        (
            series([Some(i32::MIN), None, Some(1)]),
            Arc::new(Int32Array::from(vec![Some(i32::MIN), None, Some(1)])),
        ),
        (
            series([Some(i64::MIN), None, Some(i64::MAX)]),
            Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)])),
        ),
        (
            cast(series([Some(i64::MIN), None, Some(i64::MAX)]), Int128),
            Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)])),
        ),
        (
            cast(series([Some(255_u32), None, Some(0)]), UInt8),
            Arc::new(UInt8Array::from(vec![Some(255), None, Some(0)])),
        ),
        (
            cast(series([Some(65_535_u32), None, Some(0)]), UInt16),
            Arc::new(UInt16Array::from(vec![Some(65_535), None, Some(0)])),
        ),
        (
            series([Some(u32::MAX), None, Some(0)]),
            Arc::new(UInt32Array::from(vec![Some(u32::MAX), None, Some(0)])),
        ),
        (
            series([Some(u64::MAX), None, Some(0)]),
            Arc::new(UInt64Array::from(vec![Some(u64::MAX), None, Some(0)])),
        ),
        (
            cast(series([Some(u64::MAX), None, Some(0)]), UInt128),
            Arc::new(UInt64Array::from(vec![Some(u64::MAX), None, Some(0)])),
        ),
        (
            cast(series([Some(0.5_f32), None, Some(f32::NAN)]), Float16),
            Arc::new(Float32Array::from(vec![Some(0.5), None, None])),
        ),
        (
            series([Some(0.1_f32), None, Some(f32::INFINITY)]),
            Arc::new(Float32Array::from(vec![Some(0.1), None, Some(f32::INFINITY)])),
        ),
        (
            series([Some(-0.0_f64), None, Some(f64::NAN)]),
            Arc::new(Float64Array::from(vec![Some(-0.0), None, Some(f64::NAN)])),
        ),
        (
            series([Some(true), None, Some(false)]),
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
        (series(texts.clone()), Arc::new(StringViewArray::from(texts.clone()))),
        (
            cast(series(texts.clone()), DataType::from_categories(Categories::global())),
            Arc::new(dictionary.clone()),
        ),
        (
            cast(series(texts.clone()), DataType::from_frozen_categories(frozen)),
            Arc::new(dictionary),
        ),
        (
            cast(series([Some("-123.45"), None, Some("0.05")]), Decimal(9, 2)),
            Arc::new(
                Decimal128Array::from(vec![Some(-12_345), None, Some(5)])
                    .with_precision_and_scale(9, 2)
                    .unwrap(),
            ),
        ),
        (
            cast(series(moments.clone()), Datetime(TimeUnit::Milliseconds, None)),
            Arc::new(TimestampMillisecondArray::from(moments.clone())),
        ),
        (
            cast(series(moments.clone()), Datetime(TimeUnit::Microseconds, utc())),
            Arc::new(TimestampMicrosecondArray::from(moments.clone()).with_timezone("UTC")),
        ),
        (
            cast(series(moments.clone()), Datetime(TimeUnit::Nanoseconds, paris())),
            Arc::new(TimestampNanosecondArray::from(moments.clone()).with_timezone("Europe/Paris")),
        ),
        (
            cast(series([Some(19_000_i32), None, Some(-1)]), Date),
            Arc::new(Date32Array::from(vec![Some(19_000), None, Some(-1)])),
        ),
        (
            cast(series([Some(86_399_000_000_001_i64), None, Some(0)]), Time),
            Arc::new(Time64NanosecondArray::from(vec![Some(86_399_000_000_001), None, Some(0)])),
        ),
        (
            cast(series(moments.clone()), Duration(TimeUnit::Milliseconds)),
            Arc::new(DurationMillisecondArray::from(moments.clone())),
        ),
        (
            cast(series(moments.clone()), Duration(TimeUnit::Nanoseconds)),
            Arc::new(DurationNanosecondArray::from(moments)),
        ),
        (Series::new_null("".into(), 3), Arc::new(NullArray::new(3))),
    ]
}

/// What both become; an error by its text, in which the type may have another name.
fn both(
    df: &DataFrame,
    batch: &RecordBatch,
    tags: &[&str],
) -> [std::result::Result<String, ErrorKind>; 2] {
    let tags = || tags.iter().copied();
    [
        written(Frame::new(df).measurement("m").tags(tags())).map_err(|error| error.kind()),
        written(Columns::new(batch).measurement("m").tags(tags())).map_err(|error| error.kind()),
    ]
}

#[test]
fn every_type_is_written_as_its_twin_in_arrow() {
    for (series, array) in pairs() {
        let name = series.dtype().to_string();
        let numbers = || Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef;
        let df = frame(vec![("v", series.clone()), ("f", self::series([1_i64, 2, 3]))]);
        let batch = batch(vec![("v", array.clone()), ("f", numbers())]);
        for tags in [&[][..], &["v"]] {
            let [ours, theirs] = both(&df, &batch, tags);
            assert!(ours.is_ok(), "{name}");
            assert_eq!(ours, theirs, "{name}, tags {tags:?}");
        }
        // As a time, without the null in the middle.
        for row in [0, 2] {
            let df = frame(vec![("time", series.slice(row, 1)), ("f", self::series([1_i64]))]);
            let array = array.slice(row as usize, 1);
            let batch = self::batch(vec![("time", array), ("f", numbers().slice(0, 1))]);
            let [ours, theirs] = both(&df, &batch, &[]);
            // The twins of these two are narrower, so that their errors come elsewhere.
            if !["i128", "u128"].contains(&&*name) {
                assert_eq!(ours, theirs, "{name} as a time");
            }
        }
    }
}

#[test]
fn columns_in_many_chunks_of_different_lengths_are_read_row_by_row() {
    let rows = 5_000;
    let chunked = |lengths: &[usize], of: &dyn Fn(usize) -> Series| {
        let (mut whole, mut at, mut turn) = (of(0).slice(0, 0), 0, 0);
        while at < rows {
            let length = lengths[turn % lengths.len()].min(rows - at);
            whole.append(&of(at).slice(0, length)).unwrap();
            (at, turn) = (at + length, turn + 1);
        }
        assert_eq!(whole.len(), rows);
        whole
    };
    let names = |from: usize| {
        let names: Vec<String> = (from..rows).map(|n| format!("name {}", n % 7)).collect();
        series(names)
    };
    let categories = |from| cast(names(from), DataType::from_categories(Categories::global()));
    let numbers = |from: usize| series((from as i64..rows as i64).collect::<Vec<_>>());
    let gaps = |from: usize| {
        series((from..rows).map(|n| (n % 3 > 0).then_some(n as f64 / 4.0)).collect::<Vec<_>>())
    };
    let df = frame(vec![
        ("time", chunked(&[1, 1023, 2], &numbers)),
        ("kind", chunked(&[7], &categories)),
        ("name", chunked(&[rows], &names)),
        ("gap", chunked(&[0, 1024, 1025], &gaps)),
    ]);
    assert!(df["kind"].n_chunks() > 700);
    let text = || (0..rows).map(|n| format!("name {}", n % 7));
    let batch = batch(vec![
        ("time", Arc::new(Int64Array::from_iter_values(0..rows as i64)) as ArrayRef),
        ("kind", Arc::new(StringArray::from_iter_values(text()))),
        ("name", Arc::new(StringArray::from_iter_values(text()))),
        (
            "gap",
            Arc::new(
                (0..rows).map(|n| (n % 3 > 0).then_some(n as f64 / 4.0)).collect::<Float64Array>(),
            ),
        ),
    ]);
    let [ours, theirs] = both(&df, &batch, &["kind"]);
    assert_eq!(ours.as_ref().unwrap().lines().count(), rows);
    assert_eq!(ours, theirs);
    // A part of the frame begins in the middle of its chunks.
    let [ours, theirs] = both(&df.slice(1500, 2000), &batch.slice(1500, 2000), &["kind"]);
    assert_eq!(ours.as_ref().unwrap().lines().count(), 2000);
    assert_eq!(ours, theirs);
    assert_eq!(written(Frame::new(&df.slice(0, 0)).measurement("m")).unwrap(), "");
}

#[test]
fn a_value_that_polars_keeps_once_for_all_rows_is_that_of_all_rows() {
    let category = Scalar::new(DataType::String, "x y".into());
    let number = Scalar::new(DataType::Int64, 7_i64.into());
    let nothing = Scalar::null(DataType::Float64);
    let mut df = df!("time" => [1_i64, 2]).unwrap();
    for (name, scalar) in [("t", category), ("n", number), ("z", nothing)] {
        df.with_column(Column::new_scalar(name.into(), scalar, 2)).unwrap();
    }
    let lines = written(Frame::new(&df).measurement("m").tags(["t"])).unwrap();
    assert_eq!(lines, "m,t=x\\ y n=7i 1\nm,t=x\\ y n=7i 2\n");
}

#[test]
fn a_column_that_no_line_can_hold_is_named() {
    let inner = frame(vec![("x", series([1_i64]))]).into_struct("".into());
    let columns = [
        (Series::new("".into(), [series([1_i64])]), "the nested type"),
        (
            cast(
                Series::new("".into(), [series([1_i64])]),
                DataType::Array(DataType::Int64.into(), 1),
            ),
            "the nested type",
        ),
        (inner.into_series(), "the nested type"),
        (series([&b"x"[..]]), "no column of InfluxDB can hold"),
    ];
    for (column, words) in columns {
        let df = frame(vec![("f", series([1_i64])), ("bad one", column)]);
        let error = written(Frame::new(&df).measurement("m")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRecord);
        assert!(error.to_string().contains("the column \"bad one\" is of "), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_value_that_cannot_be_written_is_named_by_row_and_column() {
    let mut late = series((0..3000).map(|n| format!("v{n}")).collect::<Vec<_>>()).slice(0, 2500);
    late.append(&series(["a\nb"])).unwrap();
    let df = frame(vec![("t", late), ("f", series((0..2501).collect::<Vec<i64>>()))]);
    let error = written(Frame::new(&df).measurement("m").tags(["t"])).unwrap_err();
    assert!(error.to_string().contains("row 2501, column \"t\""), "{error}");
    let huge = cast(series(["170141183460469231731687303715884105727"]), DataType::Int128);
    let df = frame(vec![("f", huge)]);
    let error = written(Frame::new(&df).measurement("m")).unwrap_err();
    assert!(error.to_string().contains("row 1, column \"f\""), "{error}");
    assert!(error.to_string().contains("303715884105727 does not fit 64 bits"), "{error}");
}

#[test]
fn the_options_are_those_of_columns() {
    let kinds = cast(series(["k", "l"]), DataType::from_categories(Categories::global()));
    let df = frame(vec![
        ("iox::measurement", series(["i", "j"])),
        ("measurement", series(["a", "b c"])),
        ("kind", kinds),
        ("at", series([1_500_i64, 2_500])),
        ("f", series([1_i64, 2])),
    ]);
    let df = df.head(Some(1));
    let of = |frame: Frame<'_>| written(frame.timestamp_column("at")).unwrap();
    assert_eq!(of(Frame::new(&df)), "a iox::measurement=\"i\",kind=\"k\",f=1i 1500\n");
    assert_eq!(
        of(Frame::new(&df).measurement_column("kind").date_unit(Precision::Millisecond)),
        "k iox::measurement=\"i\",measurement=\"a\",f=1i 1500000000\n"
    );
    let error = written(Frame::new(&df).measurement_column("f")).unwrap_err();
    assert!(error.to_string().contains("must be text"), "{error}");
    let error = written(Frame::new(&df).tags(["x"])).unwrap_err();
    assert!(error.to_string().contains("the tag column \"x\" is not there"), "{error}");
    let server = Server::accepting();
    let builder = Client::builder().host(server.url()).database("db").default_tag("site", "lab");
    let client = builder.build().unwrap();
    let frame = Frame::new(&df).measurement("m").tags(["kind"]).timestamp_column("at");
    client.write(frame).precision(Precision::Second).send().unwrap();
    assert_eq!(
        server.requests()[0].text(),
        "m,kind=k,site=lab iox::measurement=\"i\",measurement=\"a\",f=1i 1500\n"
    );
}
