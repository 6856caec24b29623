//! Line buffers: what is written, refused, and taken back.

#![allow(clippy::expect_used, clippy::unwrap_used)] // in functions beside the tests

use influxdb3_blocking::{ErrorKind, Line, LineBuffer, Point, Precision, Result, Timestamp};

#[test]
fn lines_are_those_of_points() {
    let mut lines = LineBuffer::new();
    let time = Timestamp::seconds(1_641_024_000);
    lines
        .measurement("ho me")
        .unwrap()
        .tag("room", "Living Room")
        .unwrap()
        .tag("a=b", r"C:\x")
        .unwrap()
        .field("temp", 21.5)
        .unwrap()
        .field("text", "a \"b\"\n\\")
        .unwrap()
        .field("n", Some(3u8))
        .unwrap()
        .at(time)
        .unwrap();
    let point = Point::new("ho me")
        .tag("room", "Living Room")
        .field("temp", 21.5)
        .field("text", "a \"b\"\n\\")
        .field("n", 3u8);
    // The order of the calls is kept, also of tags.
    let expected = point
        .to_line_protocol(Precision::Nanosecond)
        .unwrap()
        .replace(" temp", r",a\=b=C:\\x temp");
    assert_eq!(lines.as_bytes(), format!("{expected} 1641024000000000000\n").as_bytes());
    assert_eq!((lines.lines(), lines.len(), lines.is_empty()), (1, lines.as_bytes().len(), false));
}

#[test]
fn an_error_takes_the_line_back_and_leaves_the_others() {
    let mut lines = LineBuffer::with_precision(Precision::Second);
    lines.measurement("m").unwrap().field("f", 1).unwrap().end().unwrap();
    type Attempt = fn(&mut LineBuffer) -> Result<()>;
    let attempts: [(Attempt, &str); 18] = [
        (|l| l.measurement("").map(drop), "the measurement \"\" is empty"),
        (|l| l.measurement("a\nb").map(drop), "contains a newline"),
        (
            |l| l.measurement("m")?.tag("", "x").map(drop),
            "measurement \"m\": the tag key \"\" is empty",
        ),
        // As the caller gave it, not as it is escaped.
        (|l| l.measurement("a b,c\\d")?.end(), "measurement \"a b,c\\\\d\": no field"),
        (
            |l| l.measurement("a long name, with blanks in it and with commas")?.end(),
            "measurement \"a long name, with blanks in it and with commas\": no field",
        ),
        (|l| l.measurement("m")?.tag("time", "x").map(drop), "is reserved for the timestamp"),
        (
            |l| l.measurement("m")?.tag("a", "x\ty").map(drop),
            "the value \"x\\ty\" of the tag \"a\"",
        ),
        (
            |l| l.measurement("m")?.tag("a", "x")?.tag("a", "y").map(drop),
            "the tag \"a\" is there twice",
        ),
        (
            |l| l.measurement("m")?.tag("a b", "x")?.tag("a b", "y").map(drop),
            "the tag \"a b\" is there twice",
        ),
        (
            |l| l.measurement("m")?.tag("a", "x")?.field("a", 1).map(drop),
            "\"a\" is both a tag and a field",
        ),
        (
            |l| l.measurement("m")?.field("a", 1)?.field("a", 2).map(drop),
            "the field \"a\" is there twice",
        ),
        (
            |l| l.measurement("m")?.field("a", 1)?.tag("b", "x").map(drop),
            "the tag \"b\" comes after a field",
        ),
        (|l| l.measurement("m")?.field("a\\", 1).map(drop), "ends in a backslash"),
        (|l| l.measurement("m")?.field("__chunk_order", 1).map(drop), "is reserved by the server"),
        (|l| l.measurement("m")?.end(), "measurement \"m\": no field is left to write"),
        (
            |l| {
                l.measurement("m")?
                    .tag("a", "x")?
                    .field("f", f64::NAN)?
                    .field("g", None::<u8>)?
                    .end()
            },
            "no field is left to write",
        ),
        (|l| l.measurement("m")?.field("f", 1)?.at(Timestamp::seconds(i64::MIN)), "1677 to 2262"),
        (|l| l.measurement("m")?.field("f", 1)?.at(Timestamp::nanos(i64::MIN)), "1677 to 2262"),
    ];
    for (attempt, expected) in attempts {
        let error = attempt(&mut lines).unwrap_err();
        assert!(error.to_string().contains(expected), "{error} / {expected}");
        assert_eq!(error.kind(), ErrorKind::InvalidRecord);
        assert_eq!((lines.as_bytes(), lines.len(), lines.lines()), (&b"m f=1i\n"[..], 7, 1));
    }
    lines.measurement("m").unwrap().field("f", 2).unwrap().at(Timestamp::millis(-1)).unwrap();
    assert_eq!((lines.as_bytes(), lines.lines()), (&b"m f=1i\nm f=2i -1\n"[..], 2));
}

#[test]
fn a_line_goes_on_after_an_error_if_that_is_asked_for() {
    // The second and later lines know the keys of the line before, the last ones do not.
    let keys = ["t", "a b", "a key that is longer than what is kept of one", "u"];
    let mut lines = LineBuffer::new();
    let mut expected = String::new();
    for round in 0..6 {
        let mut line = lines.measurement("m").unwrap();
        expected += "m";
        for key in keys.iter().skip(round / 3) {
            for bad in ["x\ny", "x\\"] {
                let error = line.add_tag(key, bad).unwrap_err().to_string();
                assert!(error.contains("measurement \"m\": the value"), "{error}");
            }
            assert!(line.add_tag("", "x").is_err() && line.add_field("time", 1).is_err());
            line.add_tag(key, "v").unwrap().add_tag("none", None::<&str>).unwrap();
            assert!(line.add_tag(key, "v").unwrap_err().to_string().contains("is there twice"));
            expected += &format!(",{}=v", key.replace(' ', "\\ ").replace(',', "\\,"));
        }
        for (number, key) in ["f", "g h"].into_iter().enumerate() {
            assert!(line.add_field("f\n", 1).is_err() && line.add_field("t\\", "x").is_err());
            line.add_field(key, number).unwrap().add_field("nan", f64::NAN).unwrap();
            assert!(line.add_field(key, 1).unwrap_err().to_string().contains("is there twice"));
            assert!(line.add_tag("late", "x").is_err());
            assert!(
                line.add_field("u", 1).unwrap_err().to_string().contains("both a tag and a field")
            );
            expected += &format!("{}{}={number}u", [" ", ","][number], key.replace(' ', "\\ "));
        }
        line.end().unwrap();
        expected += "\n";
        assert_eq!(std::str::from_utf8(lines.as_bytes()), Ok(&*expected));
        assert_eq!(lines.lines(), round + 1);
    }
}

#[test]
fn points_go_into_a_buffer_among_its_own_lines() {
    let mut lines = LineBuffer::with_precision_and_capacity(Precision::Second, 100);
    let own = |lines: &mut LineBuffer| {
        lines
            .measurement("m")
            .unwrap()
            .tag("a b", "1")
            .unwrap()
            .field("f", 1)
            .unwrap()
            .end()
            .unwrap();
    };
    own(&mut lines);
    let point = Point::new("p").tag("t", "x").field("f", 1).time(Timestamp::millis(1500));
    lines.push(&point).unwrap();
    own(&mut lines);
    for refused in
        [Point::new("p"), Point::new("p").field("f", f64::NAN), point.clone().tag("time", "x")]
    {
        assert_eq!(lines.push(&refused).unwrap_err().kind(), ErrorKind::InvalidRecord);
    }
    let _ = lines.measurement("begun").unwrap().tag("a b", "2").unwrap();
    lines.push(&point).unwrap();
    own(&mut lines);
    let own = r"m,a\ b=1 f=1i".to_owned() + "\n";
    let point = "p,t=x f=1i 1\n";
    assert_eq!(lines.lines(), 5);
    assert_eq!(lines.precision(), Precision::Second);
    let _ = lines.measurement("begun").unwrap();
    assert_eq!(lines.into_bytes(), [&own, point, &own, point, &own].concat().as_bytes());
}

#[test]
fn a_line_that_is_not_ended_was_never_there() {
    let mut lines = LineBuffer::with_capacity(100);
    let _ = lines.measurement("begun").unwrap().field("f", 1).unwrap();
    assert!(lines.is_empty() && lines.as_bytes().is_empty());
    lines.measurement("m").unwrap().field("f", 1).unwrap().end().unwrap();
    let _ = lines.measurement("begun").unwrap().tag("a", "b").unwrap();
    assert_eq!(lines.clone().as_bytes(), b"m f=1i\n");
    lines.clear();
    assert_eq!((lines.as_bytes(), lines.len(), lines.lines()), (&b""[..], 0, 0));
    lines.measurement("m").unwrap().field("f", 2).unwrap().end().unwrap();
    assert_eq!(lines.as_bytes(), b"m f=2i\n");
}

#[test]
fn equal_keys_are_found_among_very_many() {
    let mut lines = LineBuffer::new();
    let mut line = lines.measurement("m").unwrap();
    for column in 0..1_000 {
        line = line.field(format!("column {column}"), column).unwrap();
    }
    line.end().unwrap();
    let whole = lines.len();
    for repeated in [0, 31, 32, 500, 999] {
        let mut line = lines.measurement("m").unwrap();
        for column in 0..1_000 {
            line = line.field(format!("column {column}"), column).unwrap();
        }
        let error = line.field(format!("column {repeated}"), 1).unwrap_err();
        assert!(error.to_string().contains("is there twice"), "{error}");
        assert_eq!(lines.len(), whole);
    }
}

#[test]
fn a_line_can_be_built_in_a_loop_and_in_functions() -> Result<()> {
    fn with_fields<'a>(line: Line<'a>, fields: &[(&str, f64)]) -> Result<Line<'a>> {
        fields.iter().try_fold(line, |line, (key, value)| line.field(key, *value))
    }
    let mut lines = LineBuffer::new();
    let line = lines.measurement("m")?.tag("empty", "")?.tag("t", "x")?;
    with_fields(line, &[("a", 1.0), ("b", f64::INFINITY), ("c", 2.0)])?.end()?;
    assert_eq!(lines.as_bytes(), b"m,t=x a=1.0,c=2.0\n");
    Ok(())
}

/// The keys of a line are compared with those of the line before, by where these stand. What stands there after a
/// line was taken back or the buffer was cleared is something else.
#[test]
fn keys_of_lines_that_are_gone_are_forgotten() {
    fn three(lines: &mut LineBuffer) -> Result<Line<'_>> {
        lines.measurement("mm")?.tag("b", "1")?.tag("c", "2")
    }
    // Escaped, it has `,a=` at the places where the keys stood.
    let imitation = "x,a=,a=";
    let ways: [fn(&mut LineBuffer); 3] = [
        |lines| assert!(three(lines).unwrap().tag("", "3").is_err()),
        |lines| drop(three(lines).unwrap()),
        |lines| {
            three(lines).unwrap().field("f", 1).unwrap().end().unwrap();
            lines.clear();
        },
    ];
    for way in ways {
        let mut lines = LineBuffer::new();
        way(&mut lines);
        let line = lines.measurement(imitation).unwrap().tag("a", "1").unwrap();
        let error = line.tag("a", "2").unwrap_err();
        assert!(error.to_string().contains("the tag \"a\" is there twice"), "{error}");
        assert!(lines.is_empty());
    }
}

/// Of the line before a buffer was cleared, those keys are known again that do not need its bytes for that.
#[test]
fn keys_come_again_after_the_buffer_was_cleared() {
    let long = "a key that is longer than what is kept of one";
    let mut lines = LineBuffer::new();
    for columns in [["a", "b", "c"], ["a", "b c", "d"], ["a", long, "d"], ["x y", "b", long]] {
        let [first, second, third] = columns;
        for measurement in ["m", "m n", long] {
            let mut written = Vec::new();
            for _ in 0..3 {
                lines.clear();
                let line = lines.measurement(measurement).unwrap().tag(first, "1").unwrap();
                let line = line.field(second, 1).unwrap().field(third, 2).unwrap();
                line.end().unwrap();
                written.push(lines.as_bytes().to_vec());

                // The same keys, and one of them again.
                lines.clear();
                let line = lines.measurement(measurement).unwrap().tag(first, "1").unwrap();
                let line = line.field(second, 1).unwrap();
                let error = line.field(second, 2).unwrap_err();
                assert!(error.to_string().contains("is there twice"), "{error}");
            }
            let escape = |text: &str| text.replace(' ', "\\ ");
            let [first, second, third] = columns.map(escape);
            let expected = format!("{},{first}=1 {second}=1i,{third}=2i\n", escape(measurement));
            assert_eq!(written, [expected.as_bytes(); 3]);
        }
    }
}

#[test]
fn lines_with_the_keys_of_the_line_before_are_checked_like_any_other() {
    let mut lines = LineBuffer::new();
    for _ in 0..3 {
        let line = lines.measurement("m").unwrap().tag("a b", "1").unwrap().tag("c", "2").unwrap();
        line.field("d", 1).unwrap().field("e", 2).unwrap().end().unwrap();
    }
    let whole = lines.as_bytes().to_vec();
    assert_eq!(whole, b"m,a\\ b=1,c=2 d=1i,e=2i\n".repeat(3));
    type Attempt = fn(Line<'_>) -> Result<Line<'_>>;
    let attempts: [(Attempt, &str); 5] = [
        (|l| l.tag("a b", "1")?.tag("a b", "2"), "the tag \"a b\" is there twice"),
        (|l| l.tag("a b", "1")?.tag("c", "2")?.field("a b", 1), "is both a tag and a field"),
        (
            |l| l.tag("a b", "1")?.tag("c", "2")?.field("d", 1)?.field("e", 1)?.field("d", 1),
            "the field \"d\" is there twice",
        ),
        (|l| l.tag("a b", "1")?.tag("c", "2")?.field("d", 1)?.tag("e", "x"), "comes after a field"),
        (|l| l.tag("a b", "1")?.tag("c", "2\n"), "contains a newline"),
    ];
    for (attempt, expected) in attempts {
        let error = attempt(lines.measurement("m").unwrap()).map(drop).unwrap_err();
        assert!(error.to_string().contains(expected), "{error} / {expected}");
        assert_eq!(lines.as_bytes(), whole);
    }
    // What looks like a key as it was written is not that key.
    lines
        .measurement("m")
        .unwrap()
        .tag("a\\ b", "1")
        .unwrap()
        .field("d", 1)
        .unwrap()
        .end()
        .unwrap();
    assert!(lines.as_bytes().ends_with(b"\nm,a\\\\\\ b=1 d=1i\n"));
    // A tag can become a field, and the other way round.
    lines.measurement("m").unwrap().field("c", 1).unwrap().end().unwrap();
    lines.measurement("m").unwrap().tag("c", "1").unwrap().field("d", 1).unwrap().end().unwrap();
    lines.measurement("m").unwrap().field("c", 1).unwrap().field("d", 1).unwrap().end().unwrap();
    assert!(lines.as_bytes().ends_with(b"\nm c=1i\nm,c=1 d=1i\nm c=1i,d=1i\n"));
}

/// Keys and measurements around the length that is kept beside the lines, and such as are escaped.
#[test]
fn long_and_escaped_keys_come_again_like_any_other() {
    let odd = ["a b", "a\\ b", "a\\b", "é", "=", ",", "a=b,c d\\e"].map(str::to_owned);
    let names: Vec<String> = (1..70).map(|length| "k".repeat(length)).chain(odd).collect();
    let escaped = |name: &str| {
        let escaped = name.replace('\\', "\\\\").replace(' ', "\\ ").replace(',', "\\,");
        (escaped.clone(), escaped.replace('=', "\\="))
    };
    for name in &names {
        for other in
            [name.as_str(), "x", "a\\ b", "a long name that is not one of the others, in no line"]
        {
            let mut lines = LineBuffer::new();
            let mut expected = String::new();
            // The other name comes in between, and is written as the first one is or not.
            for key in [name, name, other, name, other, other, name] {
                let (tag, field) = (format!("t{key}"), format!("f{key}"));
                let line = lines.measurement(key).unwrap().tag(&tag, "v").unwrap();
                line.field(&field, 1).unwrap().field("z", 2).unwrap().end().unwrap();
                let (measurement, key) = escaped(key);
                expected += &format!("{measurement},t{key}=v f{key}=1i,z=2i\n");
                // The same key once more is found, wherever it was known from.
                let line = lines.measurement("m").unwrap().tag(&tag, "v").unwrap();
                let line = line.field(&field, 1).unwrap();
                assert!(line.field(&tag, 1).is_err());
                let line = lines.measurement("m").unwrap().tag(&tag, "v").unwrap();
                assert!(line.field(&field, 1).unwrap().field(&field, 1).is_err());
                lines
                    .measurement("m")
                    .unwrap()
                    .tag(&tag, "v")
                    .unwrap()
                    .field("y", 1)
                    .unwrap()
                    .end()
                    .unwrap();
                expected += &format!("m,t{key}=v y=1i\n");
            }
            assert_eq!(std::str::from_utf8(lines.as_bytes()), Ok(&*expected));
        }
    }
}
