//! Points in line protocol: what is written, left out and refused.

#![allow(clippy::unwrap_used)] // in functions beside the tests

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use influxdb3_blocking::{Error, ErrorKind, FieldValue, Point, Precision, Timestamp};

fn line(point: Point) -> String {
    point.to_line_protocol(Precision::Nanosecond).unwrap()
}

fn refusal(point: Point) -> String {
    let mut out = b"before\n".to_vec();
    let error = point.write_line_protocol(Precision::Nanosecond, &mut out).unwrap_err();
    assert_eq!(out, b"before\n", "a refused point leaves the buffer as it was");
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    assert_eq!(
        point.to_line_protocol(Precision::Nanosecond).unwrap_err().to_string(),
        error.to_string()
    );
    error.to_string()
}

#[test]
fn a_point_is_one_line_with_sorted_tags_and_fields_as_they_were_added() {
    let point = Point::new("home")
        .tag("room", "Kitchen")
        .field("temp", 21.5)
        .tag("floor", "1")
        .field("co", 0)
        .time(Timestamp::seconds(1_641_024_000));
    assert_eq!(
        line(point.clone()),
        "home,floor=1,room=Kitchen temp=21.5,co=0i 1641024000000000000"
    );
    let mut out = Vec::new();
    point.write_line_protocol(Precision::Second, &mut out).unwrap();
    point.write_line_protocol(Precision::Second, &mut out).unwrap();
    assert_eq!(out, b"home,floor=1,room=Kitchen temp=21.5,co=0i 1641024000\n".repeat(2));
}

#[test]
fn every_type_has_its_own_form() {
    let owned = String::from("text");
    let (boxed, shared) = (Box::<str>::from("text"), Arc::<str>::from("text"));
    let cases: [(FieldValue<'_>, &str); 57] = [
        (1.0.into(), "1.0"),
        (0.1.into(), "0.1"),
        ((-0.0).into(), "-0.0"),
        (1e21.into(), "1e+21"),
        (1e-7.into(), "1e-7"),
        (5e-324.into(), "5e-324"),
        (f64::MAX.into(), "1.7976931348623157e+308"),
        (0.1f32.into(), "0.1"),
        (16_777_216f32.into(), "16777216.0"),
        (f32::MAX.into(), "3.4028235e+38"),
        (1i8.into(), "1i"),
        ((-1i16).into(), "-1i"),
        (1i32.into(), "1i"),
        (1.into(), "1i"),
        (i64::MIN.into(), "-9223372036854775808i"),
        (i64::MAX.into(), "9223372036854775807i"),
        (3isize.into(), "3i"),
        (1u8.into(), "1u"),
        (1u16.into(), "1u"),
        (1u32.into(), "1u"),
        (u64::MAX.into(), "18446744073709551615u"),
        (3usize.into(), "3u"),
        (true.into(), "true"),
        (false.into(), "false"),
        ("".into(), r#""""#),
        ("text".into(), r#""text""#),
        (String::from("text").into(), r#""text""#),
        ((&owned).into(), r#""text""#),
        (Cow::Borrowed("text").into(), r#""text""#),
        (Some("text").into(), r#""text""#),
        (Some(1u8).into(), "1u"),
        (Some(Some(false)).into(), "false"),
        ((&1.5).into(), "1.5"),
        ((&0.1f32).into(), "0.1"),
        ((&-1i8).into(), "-1i"),
        ((&1i16).into(), "1i"),
        ((&1i32).into(), "1i"),
        ((&1i64).into(), "1i"),
        ((&1isize).into(), "1i"),
        ((&1u8).into(), "1u"),
        ((&1u16).into(), "1u"),
        ((&1u32).into(), "1u"),
        ((&1u64).into(), "1u"),
        ((&1usize).into(), "1u"),
        ((&true).into(), "true"),
        ((&"text").into(), r#""text""#),
        ((&Cow::Borrowed("text")).into(), r#""text""#),
        (Box::<str>::from("text").into(), r#""text""#),
        ((&boxed).into(), r#""text""#),
        (Rc::<str>::from("text").into(), r#""text""#),
        (Arc::<str>::from("text").into(), r#""text""#),
        ((&shared).into(), r#""text""#),
        ('"'.into(), r#""\"""#),
        ((&'ü').into(), r#""ü""#),
        ((&Some(1u8)).into(), "1u"),
        (Timestamp::millis(1500).into(), r#""1970-01-01T00:00:01.500Z""#),
        ("line\nfeed\ttab\rcr\0nul".into(), "\"line\nfeed\ttab\rcr\0nul\""),
    ];
    for (value, expected) in cases {
        let value_of_point = value.clone();
        assert_eq!(line(Point::new("m").field("f", value)), format!("m f={expected}"));
        let point = Point::new("m").field("f", value_of_point.clone());
        assert_eq!(point.fields().collect::<Vec<_>>(), [("f", value_of_point)]);
    }
}

#[test]
fn names_and_texts_are_escaped_for_the_place_where_they_stand() {
    let cases = [
        ("a,b", r"a\,b", r"a\,b"),
        ("a b", r"a\ b", r"a\ b"),
        ("a=b", "a=b", r"a\=b"),
        (r"a\b", r"a\\b", r"a\\b"),
        (r"a\,b", r"a\\\,b", r"a\\\,b"),
        (r"C:\new", r"C:\\new", r"C:\\new"),
        ("a\"b", "a\"b", "a\"b"),
        (" a ", r"\ a\ ", r"\ a\ "),
        ("é日🦀", "é日🦀", "é日🦀"),
        ("a#", "a#", "a#"),
    ];
    for (text, measurement, key) in cases {
        assert_eq!(line(Point::new(text).field("f", 1)), format!("{measurement} f=1i"));
        let point = Point::new("m").tag(text, text).field("f", 1);
        assert_eq!(point.tags().collect::<Vec<_>>(), [(text, text)]);
        assert_eq!(line(point), format!("m,{key}={key} f=1i"));
        let point = Point::new("m").field(text, 1);
        assert_eq!(line(point), format!("m {key}=1i"));
    }
    assert_eq!(line(Point::new("m").field("f", r#"a "b" \c, d=e"#)), r#"m f="a \"b\" \\c, d=e""#);
    assert_eq!(line(Point::new("m").field("f", r"C:\")), r#"m f="C:\\""#);
    // Only a measurement that begins with it is taken for a comment.
    assert_eq!(line(Point::new("m").tag("#", "#").field("#a", "#")), r##"m,#=# #a="#""##);
    // Control characters are fine in what is no key, and a carriage return is one.
    assert_eq!(
        line(Point::new("m\u{1}\r").tag("k", "\0\r\u{1}").field("f", 1)),
        "m\u{1}\r,k=\0\r\u{1} f=1i"
    );
}

#[test]
fn what_the_server_cannot_read_back_is_refused_with_a_text_that_names_it() {
    let ok = || Point::new("home").tag("room", "Kitchen").field("temp", 21.5);
    let cases = [
        (Point::new("").field("f", 1), "the measurement \"\" is empty: give it a name"),
        (Point::new("a\nb").field("f", 1), "the measurement \"a\\nb\" contains a newline, which"),
        (Point::new("a\tb").field("f", 1), "the measurement \"a\\tb\" contains a tab, which"),
        (Point::new("a\0b").field("f", 1), "the measurement \"a\\0b\" contains a NUL, which"),
        (Point::new("a\\").field("f", 1), "the measurement \"a\\\\\" ends in a backslash, which"),
        (Point::new("#a").field("f", 1), "the measurement \"#a\" begins with #, which"),
        (ok().tag("", "x"), "measurement \"home\": the tag key \"\" is empty"),
        (ok().tag("a\nb", "x"), "measurement \"home\": the tag key \"a\\nb\" contains a newline"),
        (
            ok().tag("a\u{1}", "x"),
            "the tag key \"a\\u{1}\" contains the control character '\\u{1}'",
        ),
        (ok().tag("a\u{85}", "x"), "contains the control character '\\u{85}'"),
        (ok().tag("a\u{7f}", "x"), "contains the control character '\\u{7f}'"),
        (ok().tag("a\r", "x"), "contains the control character '\\r'"),
        (ok().tag("a\\", "x"), "the tag key \"a\\\\\" ends in a backslash"),
        (ok().tag("time", "x"), "the tag key \"time\" is reserved for the timestamp: set the time"),
        (ok().tag("__chunk_order", "x"), "is reserved by the server: rename it"),
        (
            ok().tag("k", "a\nb"),
            "measurement \"home\": the value \"a\\nb\" of the tag \"k\" contains a newline",
        ),
        (ok().tag("k", "a\tb"), "the value \"a\\tb\" of the tag \"k\" contains a tab"),
        (ok().tag("k", "a\\"), "the value \"a\\\\\" of the tag \"k\" ends in a backslash"),
        (ok().field("", 1), "measurement \"home\": the field key \"\" is empty"),
        (ok().field("a\nb", 1), "the field key \"a\\nb\" contains a newline"),
        (ok().field("a\0", "text"), "the field key \"a\\0\" contains a NUL"),
        (ok().field("a\\", 1), "the field key \"a\\\\\" ends in a backslash"),
        (ok().field("time", 1), "the field key \"time\" is reserved for the timestamp"),
        (
            ok().field("room", 1),
            "\"room\" is both a tag and a field, but a column is only one of them",
        ),
        (
            Point::new("home").tag("room", "Kitchen"),
            "measurement \"home\": no field is left to write",
        ),
        (Point::new("home").field("f", f64::NAN), "no field is left to write"),
        (
            ok().time(Timestamp::seconds(i64::MAX)),
            "measurement \"home\": the timestamp of 9223372036854775807000000000",
        ),
    ];
    for (point, expected) in cases {
        let text = refusal(point);
        assert!(text.contains(expected), "{text} / {expected}");
        assert!(text.contains(": "), "it says what to do: {text}");
    }
}

#[test]
fn long_names_are_cut_in_errors() {
    let text = refusal(Point::new("é".repeat(100_000) + "\n").field("f", 1));
    assert!(text.len() < 400, "{text}");
}

#[test]
fn of_equal_keys_the_last_counts() {
    let point = Point::new("m")
        .tag("a", "1")
        .tag("b", "1")
        .tag("a", "2")
        .field("x", 1)
        .field("y", 1)
        .field("x", "two");
    assert_eq!(point.tags().collect::<Vec<_>>(), [("a", "2"), ("b", "1")]);
    assert_eq!(line(point), r#"m,a=2,b=1 y=1i,x="two""#);
}

#[test]
fn of_very_many_columns_the_last_of_each_key_counts() {
    let mut point = Point::new("m");
    for round in 0..3 {
        for column in 0..400 {
            point = point
                .tag(format!("t{column:03}"), format!("{round}"))
                .field(format!("f{column}"), round);
        }
    }
    let tags: String = (0..400).map(|column| format!(",t{column:03}=2")).collect();
    let fields: Vec<String> = (0..400).map(|column| format!("f{column}=2i")).collect();
    assert_eq!(line(point), format!("m{tags} {}", fields.join(",")));
}

#[test]
fn what_is_empty_null_or_not_finite_is_left_out_and_takes_away_what_was_there() {
    let point = Point::new("m")
        .tag("gone", "x")
        .tag("gone", "")
        .tag("empty", "")
        .field("kept", 1)
        .field("nan", f64::NAN)
        .field("inf", f32::NEG_INFINITY)
        .field("none", None::<&str>)
        .field("gone", 1)
        .field("gone", f64::NAN);
    assert_eq!(point.tags().count(), 0);
    assert_eq!(line(point), "m kept=1i");
    // A tag and a field of one name are no contradiction if one of them is not written.
    assert_eq!(line(Point::new("m").tag("a", "").field("a", 1)), "m a=1i");
    assert_eq!(
        line(Point::new("m").field("a", 1).tag("a", "x").field("a", None::<i64>).field("b", 1)),
        "m,a=x b=1i"
    );
    // What is left out is not checked.
    assert_eq!(
        line(Point::new("m").tag("time", "").field("a\n", f64::NAN).field("b", 1)),
        "m b=1i"
    );
}

#[test]
fn times_are_rounded_down_to_the_precision() {
    let point = |nanos| Point::new("m").field("f", 1).time(Timestamp::nanos(nanos));
    for (nanos, precision, expected) in [
        (60_000_000_070, Precision::Nanosecond, "60000000070"),
        (60_000_000_070, Precision::Microsecond, "60000000"),
        (60_000_000_070, Precision::Millisecond, "60000"),
        (60_000_000_070, Precision::Second, "60"),
        (-1, Precision::Second, "-1"),
        (-1_000_001, Precision::Millisecond, "-2"),
        (i64::MAX, Precision::Nanosecond, "9223372036854775807"),
        (i64::MIN, Precision::Nanosecond, "-9223372036854775808"),
    ] {
        assert_eq!(point(nanos).to_line_protocol(precision).unwrap(), format!("m f=1i {expected}"));
    }
    let error = point(i64::MIN).to_line_protocol(Precision::Second).unwrap_err();
    assert!(error.to_string().contains("1677 to 2262"), "{error}");
    // Not every system has a clock that knows times before 1970.
    if let Some(before) = UNIX_EPOCH.checked_sub(Duration::from_nanos(1)) {
        let point = Point::new("m").field("f", 1).time(before);
        assert_eq!(point.timestamp(), Some(Timestamp::nanos(-1)));
    }
}

#[test]
fn points_compare_by_what_they_say() {
    let point =
        Point::new("m").tag("a", "1").tag("b", "2").field("f", 1.5).time(Timestamp::nanos(1));
    let other = Point::new("m")
        .field("f", "gone")
        .tag("b", "2")
        .tag("a", "0")
        .tag("a", "1")
        .field("f", 1.5)
        .time(Timestamp::nanos(1));
    assert_eq!(point, other);
    assert_eq!(point.clone(), point);
    assert_ne!(point, point.clone().tag("c", "3"));
    let several = point.clone().field("g", 1).field("h", "x");
    assert_eq!(several, point.clone().field("h", "x").field("g", 1), "in any order");
    assert_ne!(several, point.clone().field("h", "x").field("g", 2));
    assert_ne!(several, point.clone().field("h", "x").field("i", 1));
    assert_ne!(several, point.clone().field("g", 1));
    assert_ne!(point, point.clone().field("g", f64::NAN));
    assert_ne!(point, point.clone().field("f", 1.5f32));
    assert_ne!(point, point.clone().time(Timestamp::nanos(2)));
    assert_eq!(
        format!("{point:?}"),
        r#"Point { measurement: "m", tags: {"a": "1", "b": "2"}, fields: {"f": Float(1.5)}, time: Some(Timestamp(1)) }"#
    );
}

#[test]
fn a_tag_may_be_an_option_of_any_kind_of_text() {
    let (some, none) = (Some(String::from("x")), None::<String>);
    let point = Point::new("m")
        .tag("a", &some)
        .tag("b", some.as_deref())
        .tag("c", some)
        .tag("d", &none)
        .tag("e", None::<&str>)
        .tag("f", Some(Cow::Borrowed("y")))
        .tag("g", Some(Arc::<str>::from("z")))
        .tag("h", "gone")
        .tag("h", none)
        .field("x", 1);
    assert_eq!(line(point), "m,a=x,b=x,c=x,f=y,g=z x=1i");
}

#[test]
fn columns_are_set_in_place_and_from_iterators() {
    let mut point = Point::new("m");
    point
        .set_tag("b", "1")
        .set_tag("c", Some("2"))
        .set_field("f", 1.5)
        .set_time(Timestamp::nanos(7));
    for (number, key) in ["x", "y"].into_iter().enumerate() {
        point.set_field(key, number);
    }
    let columns = std::collections::BTreeMap::from([("d", Some("3")), ("e", None)]);
    let point = point.with_tags(columns).with_fields([("z", Some(true)), ("n", None)]);
    assert_eq!(line(point), "m,b=1,c=2,d=3 f=1.5,x=0u,y=1u,z=true 7");
}

#[test]
fn a_point_shows_its_line_or_why_there_is_none() {
    let point = Point::new("a b").tag("t", "x,y").field("f", "\"").time(Timestamp::seconds(1));
    assert_eq!(point.to_string(), r#"a\ b,t=x\,y f="\"" 1000000000"#);
    assert_eq!(
        Point::new("m").field("time", 1).to_string(),
        "<measurement \"m\": the field key \"time\" is reserved for the timestamp: set the time of the point, or \
         rename the column>"
    );
}

#[test]
fn points_and_errors_cross_threads() {
    fn check<T: Send + Sync + Clone + 'static>() {}
    check::<Point>();
    check::<Timestamp>();
    check::<FieldValue<'static>>();
    fn error<T: Send + Sync>() {}
    error::<Error>();
}
