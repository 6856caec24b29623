//! No digit of a number in a file is changed on its way to line protocol, and what is no number is never one in silence.
#![cfg(all(feature = "csv", feature = "json"))]

use super::options::{lines, refused};
use crate::random::Random;
use influxdb_line_protocol::{FieldValue, parse_lines};
use influxdb3_blocking::{ColumnType, ErrorKind};

/// Doubles of every size, and of the size of measurements, at which rounding by best effort goes wrong most often.
fn doubles(count: usize) -> Vec<f64> {
    let mut random = Random::new(5);
    let mut doubles = Vec::new();
    while doubles.len() < count {
        let any = f64::from_bits(random.number());
        let usual = (random.number() >> 11) as f64 / (1_u64 << 53) as f64 * 100.0;
        doubles.extend([any, usual].into_iter().filter(|double| double.is_finite()));
    }
    doubles
}

fn bits(lines: &str) -> Vec<u64> {
    let value = |line: Result<influxdb_line_protocol::ParsedLine<'_>, _>| match line
        .unwrap()
        .field_set[0]
        .1
    {
        FieldValue::F64(value) => value.to_bits(),
        ref other => panic!("{other:?}"),
    };
    parse_lines(lines).map(value).collect()
}

#[test]
fn doubles_of_csv_and_json_arrive_with_the_same_bits() {
    let doubles = doubles(20_000);
    let expected: Vec<u64> = doubles.iter().map(|double| double.to_bits()).collect();
    // The standard library prints what reads back as the same double.
    let json: String = doubles
        .iter()
        .enumerate()
        .map(|(n, d)| format!("{{\"time\":{n},\"f\":{d:?}}}\n"))
        .collect();
    let csv: String = doubles.iter().enumerate().map(|(n, d)| format!("{n},{d:?}\n")).collect();
    let columns: String = doubles
        .iter()
        .enumerate()
        .map(|(n, d)| format!("{}\"{n}\":{d:?}", if n == 0 { "" } else { "," }))
        .collect();
    let times: String = (0..doubles.len())
        .map(|n| format!("{}\"{n}\":{n}", if n == 0 { "" } else { "," }))
        .collect();
    let frame = format!("{{\"time\":{{{times}}},\"f\":{{{columns}}}}}");
    for (name, text) in [("a.jsonl", json), ("a.csv", format!("time,f\n{csv}")), ("a.json", frame)]
    {
        assert_eq!(bits(&lines(name, &text, |file| file)), expected, "{name}");
    }
}

#[test]
fn digits_that_no_double_has_and_integers_beyond_64_bits_stay_as_they_are() {
    let rows = [
        ("117.63331139400017", "18446744073709551617"),
        ("9007199254740993.0", "36893488147419103233"),
        ("123456789.12345678901234", "18446744073709551619"),
        ("1.50", "-9223372036854775809"),
    ];
    let expected: String =
        rows.iter().enumerate().map(|(n, (v, id))| format!("m v={v},id=\"{id}\" {n}\n")).collect();
    let json: String = rows
        .iter()
        .enumerate()
        .map(|(n, (v, id))| format!("{{\"time\":{n},\"v\":{v},\"id\":{id}}}\n"))
        .collect();
    assert_eq!(lines("a.jsonl", &json, |file| file), expected);
    let csv: String =
        rows.iter().enumerate().map(|(n, (v, id))| format!("{n},{v},{id}\n")).collect();
    assert_eq!(lines("a.csv", &format!("time,v,id\n{csv}"), |file| file), expected);
    let data: Vec<String> =
        rows.iter().enumerate().map(|(n, (v, id))| format!("[{n},{v},{id}]")).collect();
    let split = format!("{{\"columns\":[\"time\",\"v\",\"id\"],\"data\":[{}]}}", data.join(","));
    assert_eq!(lines("a.json", &split, |file| file), expected);
}

#[test]
fn numbers_of_json_are_judged_as_those_of_csv_are() {
    let numbers = [
        "0",
        "-0",
        "1",
        "-1",
        "1.0",
        "1e3",
        "1E-3",
        "-1.25e2",
        "1e400",
        "-1e400",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "18446744073709551616",
        "0.1",
        "100000000000000000000.5",
    ];
    let mut random = Random::new(7);
    for round in 0..300 {
        let picked: Vec<&str> = (0..1 + round % 3).map(|_| random.pick(&numbers)).collect();
        let csv: String =
            picked.iter().enumerate().map(|(n, number)| format!("{n},{number}\n")).collect();
        let json: String = picked
            .iter()
            .enumerate()
            .map(|(n, number)| format!("{{\"time\":{n},\"f\":{number}}}\n"))
            .collect();
        for column_type in [None, Some(ColumnType::Text), Some(ColumnType::Float)] {
            let typed = |name: &str, text: &str| {
                lines(name, text, |file| match column_type {
                    None => file,
                    Some(column_type) => file.column_type("f", column_type),
                })
            };
            assert_eq!(
                typed("a.jsonl", &json),
                typed("a.csv", &format!("time,f\n{csv}")),
                "{picked:?}"
            );
        }
    }
}

#[test]
fn tags_of_json_keep_the_digits_of_numbers() {
    let json =
        "{\"time\":1,\"t\":1.50,\"f\":1}\n{\"time\":2,\"t\":123456789012345678901,\"f\":1}\n";
    let tagged = lines("a.jsonl", json, |file| file.tags(["t"]));
    assert_eq!(tagged, "m,t=1.50 f=1i 1\nm,t=123456789012345678901 f=1i 2\n");
}

#[test]
fn what_is_not_finite_is_no_value_in_json_either() {
    let expected = "m f=1.5 2\nm f=2 5\n";
    let json = r#"[{"time":1,"f":NaN},{"time":2,"f":1.5},{"time":3,"f":Infinity},{"time":4,"f":-Infinity},{"time":5,"f":2},{"time":6,"f":1e400}]"#;
    assert_eq!(lines("a.json", json, |file| file), expected);
    assert_eq!(
        lines("a.csv", "time,f\n1,NaN\n2,1.5\n3,Infinity\n4,-Infinity\n5,2\n6,1e400\n", |file| {
            file
        }),
        expected
    );
    // What is in quotes is a text, and a NaN makes a column one of floats.
    assert_eq!(
        lines("a.jsonl", "{\"time\":1,\"f\":\"NaN, Infinity\"}", |file| file),
        "m f=\"NaN, Infinity\" 1\n"
    );
    assert_eq!(
        lines("a.jsonl", "{\"time\":1,\"f\":NaN}{\"time\":2,\"f\":1}", |file| file),
        "m f=1 2\n"
    );
    let frame = r#"{"time":{"a":1,"b":2},"f":{"a":NaN,"b":1.5}}"#;
    assert_eq!(lines("a.json", frame, |file| file), "m f=1.5 2\n");
}

#[test]
fn a_nan_beside_integers_that_fit_no_64_bits_changes_none_of_their_digits() {
    for number in ["18446744073709551617", "-9223372036854775809"] {
        let expected = format!("m id=\"{number}\",v=1i 1\nm v=2i 2\n");
        let csv = format!("time,id,v\n1,{number},1\n2,NaN,2\n");
        assert_eq!(lines("a.csv", &csv, |file| file), expected);
        let json =
            format!("{{\"time\":1,\"id\":{number},\"v\":1}}{{\"time\":2,\"id\":NaN,\"v\":2}}");
        assert_eq!(lines("a.jsonl", &json, |file| file), expected);
    }
    let csv = "time,id,v\n1,9223372036854775808,1\n2,-1,2\n3,NaN,3\n";
    let expected = "m id=\"9223372036854775808\",v=1i 1\nm id=\"-1\",v=2i 2\nm v=3i 3\n";
    assert_eq!(lines("a.csv", csv, |file| file), expected);
}

#[test]
fn one_value_among_others_does_not_make_a_column_one_of_texts() {
    let csv = "entity,f,time\ns,18894.517578125,1\ns,WORD,2\ns,18894.720703125,3\n";
    for word in ["unavailable", "unknown", "\\N", "#DIV/0!", "1.#QNAN", "-", "", "none", "\"NA\""] {
        let found = lines("a.csv", &csv.replace("WORD", word), |file| file.tags(["entity"]));
        assert_eq!(
            found, "m,entity=s f=18894.517578125 1\nm,entity=s f=18894.720703125 3\n",
            "{word}"
        );
    }
    for (word, shown) in
        [("open", "open"), ("\"21,5\"", "21,5"), ("true", "true"), ("12:00", "12:00")]
    {
        let error = refused("a.csv", &csv.replace("WORD", word), |file| file.tags(["entity"]));
        let error = error.to_string();
        let way_out = if word.contains(',') { "decimal_comma" } else { "null_values" };
        for words in ["column \"f\"", "line 3", &format!("{shown:?}"), "column_type", way_out] {
            assert!(error.contains(words), "{words}: {error}");
        }
        let text = csv.replace("WORD", word);
        let found = lines("a.csv", &text, |file| file.tags(["entity"]).null_values([shown]));
        assert_eq!(found.lines().count(), 2, "{word}");
        let found =
            lines("a.csv", &text, |file| file.tags(["entity"]).column_type("f", ColumnType::Text));
        assert!(found.contains(&format!("f=\"{shown}\" 2")), "{found}");
    }
    let json = "{\"time\":1,\"f\":1.5}\n{\"time\":2,\"f\":WORD}\n";
    assert_eq!(
        lines("a.jsonl", &json.replace("WORD", "\"unavailable\""), |file| file),
        "m f=1.5 1\n"
    );
    let error = refused("a.jsonl", &json.replace("WORD", "\"open\""), |file| file).to_string();
    assert!(error.contains("key \"f\"") && error.contains("line 2 has \"open\""), "{error}");
    // A number as text is one if that is asked for.
    let found = lines("a.jsonl", &json.replace("WORD", "\"2.50\""), |file| {
        file.column_type("f", ColumnType::Float)
    });
    assert_eq!(found, "m f=1.5 1\nm f=2.50 2\n");
    // Words among texts are texts.
    let csv = "time,f\n1,on\n2,unavailable\n3,\"NA\"\n4,off\n";
    assert_eq!(
        lines("a.csv", csv, |file| file),
        "m f=\"on\" 1\nm f=\"unavailable\" 2\nm f=\"NA\" 3\nm f=\"off\" 4\n"
    );
}

#[test]
fn what_pandas_takes_for_nothing_is_nothing_in_columns_of_every_kind() {
    let words = [
        "", "NA", "N/A", "n/a", "NaN", "nan", "-NaN", "-nan", "#NA", "#N/A", "#N/A N/A", "<NA>",
        "NULL", "null", "None", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN",
    ];
    for word in words {
        let csv = format!(
            "time,t,b,i,x,s\n1,{word},{word},{word},{word},{word}\n2,a,true,1,1.5,text\n3,{word},true,{word},1.5,{word}\n"
        );
        let found = lines("a.csv", &csv, |file| file.tags(["t"]));
        let integer = if word.eq_ignore_ascii_case("nan") { "1" } else { "1i" };
        assert_eq!(
            found,
            format!("m,t=a b=true,i={integer},x=1.5,s=\"text\" 2\nm b=true,x=1.5 3\n"),
            "{word}"
        );
    }
    let csv = "time,t,f\n1,NA,-999\n2,b,3\n";
    // More words, or only these.
    assert_eq!(
        lines("a.csv", csv, |file| file.tags(["t"]).null_values(["-999"])),
        "m,t=b f=3i 2\n"
    );
    assert_eq!(
        lines("a.csv", csv, |file| file.tags(["t"]).only_null_values(["-999"])),
        "m,t=b f=3i 2\n"
    );
    assert_eq!(
        lines("a.csv", csv, |file| file.tags(["t"]).only_null_values(["x"])),
        "m,t=NA f=-999i 1\nm,t=b f=3i 2\n"
    );
    let json = "{\"time\":1,\"f\":-999,\"g\":\"?\"}{\"time\":2,\"f\":1,\"g\":\"x\"}";
    assert_eq!(lines("a.json", json, |file| file.null_values(["-999", "?"])), "m f=1i,g=\"x\" 2\n");
}

#[test]
fn the_report_tells_the_types_that_were_chosen() {
    let csv = "time,a,b,c,d,e\n1,1,1.5,true,x,18446744073709551616\n";
    let json = r#"[{"time":1,"a":1,"b":1.5,"c":true,"d":"x","e":18446744073709551616}]"#;
    let server = crate::support::http::Server::accepting();
    for (name, text) in [("a.csv", csv), ("a.json", json)] {
        let report =
            super::options::written_to(&server, name, text.as_bytes(), |file| file).1.unwrap();
        let types: Vec<(&str, ColumnType)> = report
            .columns
            .iter()
            .map(|column| (column.name.as_str(), column.column_type))
            .collect();
        let expected = [
            ("a", ColumnType::Integer),
            ("b", ColumnType::Float),
            ("c", ColumnType::Boolean),
            ("d", ColumnType::Text),
            ("e", ColumnType::Text),
        ];
        assert_eq!(types, expected, "{name}");
    }
}

#[test]
fn a_number_that_could_be_a_day_is_asked_about_and_one_with_an_exponent_is_refused() {
    let unit = influxdb3_blocking::Precision::Second;
    for (name, text) in
        [("a.csv", "time,f\n20220101,1\n"), ("a.json", "[{\"time\":20220101,\"f\":1}]")]
    {
        let error = refused(name, text, |file| file);
        assert_eq!(error.kind(), ErrorKind::InvalidRecord);
        let error = error.to_string();
        assert!(
            error.contains("is 20220101 the day 2022-01-01") && error.contains("date_unit"),
            "{error}"
        );
        assert_eq!(lines(name, text, |file| file.date_unit(unit)), "m f=1i 20220101\n");
        assert_eq!(lines(name, text, |file| file.time_format("%Y%m%d")), "m f=1i 1640995200\n");
        let number = text.replace("20220101", "20221301");
        assert_eq!(lines(name, &number, |file| file), "m f=1i 20221301\n");
        let exponent = text.replace("20220101", "1.5e9");
        let error = refused(name, &exponent, |file| file).to_string();
        assert!(error.contains("\"1.5e9\" is a number with an exponent"), "{error}");
    }
    assert_eq!(
        lines("a.json", "[{\"time\":\"1641024000\",\"f\":1}]", |file| file),
        "m f=1i 1641024000\n"
    );
}
