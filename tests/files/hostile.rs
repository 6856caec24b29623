//! CSV and JSON as bad as they come: what can be read is read right, and all else is an error that says where and why.
#![cfg(all(feature = "csv", feature = "json"))]

use std::path::PathBuf;

use crate::random::Random;
use crate::support::http::Server;
use influxdb3_blocking::{Client, ColumnType, ErrorKind, Result, WriteFile};

/// Writes a file of these bytes; the lines that arrived, and how it ended.
fn write(
    name: &str,
    bytes: &[u8],
    set: impl FnOnce(WriteFile<'_>) -> WriteFile<'_>,
) -> (String, Result<usize>) {
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let folder: PathBuf = [env!("CARGO_TARGET_TMPDIR"), "hostile"].iter().collect();
    std::fs::create_dir_all(&folder).unwrap();
    let thread = format!("{:?}", std::thread::current().id());
    let digits: String = thread.chars().filter(char::is_ascii_digit).collect();
    let path = folder.join(format!("{digits}-{name}"));
    std::fs::write(&path, bytes).unwrap();
    let result = set(client.write_file(&path).measurement("m")).send();
    let text: String = server.requests().iter().map(|request| request.text()).collect();
    let arrived = influxdb_line_protocol::parse_lines(&text).map(Result::unwrap).count();
    match &result {
        Ok(report) => assert_eq!(report.lines, arrived),
        Err(error) => {
            assert_eq!(error.lines_written(), arrived, "{error}");
            assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
        }
    }
    (text, result.map(|report| report.lines))
}

fn lines(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let (text, result) = write(name, bytes.as_ref(), |file| file);
    result.unwrap();
    text
}

fn error(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let (_, result) = write(name, bytes.as_ref(), |file| file);
    let error = result.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::File | ErrorKind::InvalidRecord), "{error:?}");
    error.to_string()
}

#[test]
fn odd_csv_is_read_for_what_it_is() {
    for (bytes, expected) in [
        ("", ""),
        ("\u{feff}", ""),
        ("\n\r\n\n", ""),
        ("time,f", ""),
        ("time,f\r\n", ""),
        ("\u{feff}time,f\n1,2\n", "m f=2i 1\n"),
        ("\u{feff}\"time\",\"f\"\r\n1,2\r\n", "m f=2i 1\n"),
        ("time,f\n1,2", "m f=2i 1\n"),
        ("time,f\n1,2\r", "m f=2i 1\n"),
        ("time,f\r\n\r\n1,2\n\n\n3,4", "m f=2i 1\nm f=4i 3\n"),
        ("\n\ntime,f\n1,2\n", "m f=2i 1\n"),
        ("time,f\n1,a \"quote\" within\n", "m f=\"a \\\"quote\\\" within\" 1\n"),
        (
            "time,f\n1,\"a \"\"quote\"\",\r\nand a line\"\n",
            "m f=\"a \\\"quote\\\",\r\nand a line\" 1\n",
        ),
        ("time,f,g\n1,\"\",\n", "m f=\"\" 1\n"),
        ("time,f\n1,a\u{0}b\n", "m f=\"a\u{0}b\" 1\n"),
        ("time,f\n1,\u{feff}x\n", "m f=\"\u{feff}x\" 1\n"),
        ("time,f\n1,a\rb\n", "m f=\"a\rb\" 1\n"),
        ("time,f\n1, 2 \n2,3\n", "m f=2i 1\nm f=3i 2\n"),
        ("time,f\n1,1e999\n2,3\n", "m f=3 2\n"),
        ("time,f\n1,99999999999999999999999\n", "m f=\"99999999999999999999999\" 1\n"),
        ("time,f\n1,00012\n2,-0\n", "m f=12i 1\nm f=0i 2\n"),
        ("time,ü ,f\n1,x,2\n", "m ü\\ =\"x\",f=2i 1\n"),
    ] {
        assert_eq!(lines("odd.csv", bytes), expected, "{bytes:?}");
    }
    let long = "x".repeat(3 << 20);
    let expected = format!("m f=\"{long}\",g=1i 1\nm f=\"y\",g=2i 2\n");
    assert_eq!(lines("odd.csv", format!("time,f,g\n1,{long},1\n2,y,2\n")), expected);
    assert_eq!(lines("odd.csv", format!("time,f,g\n1,\"{long}\",1\n2,y,2\n")), expected);
}

#[test]
fn bad_csv_is_an_error_that_says_where_and_why() {
    for (bytes, words) in [
        (&b"\n"[..], ""),
        (b"time,f\n1,2\n3\n", "line 3: there are 1 cells, but the first row of the file has 2"),
        (b"time,f\n1,2,3\n", "line 2: there are 3 cells, but the first row of the file has 2"),
        (b"time,f,f\n1,2,3\n", "two columns have the name \"f\""),
        (b"time,,\n1,2,3\n", "no column is left for the fields"),
        (b"time,f,\n1,2,3\n", "line 2: the cell 3 is not empty, but its column has no name"),
        (b"time,,f\n1,,2\n1,3,2\n", "line 3: the cell 2 is not empty, but its column has no name"),
        (b"f\n1\n", "the timestamp column \"time\" is not there; the columns are \"f\""),
        (b"time\n1\n", "no column is left for the fields"),
        (b"time,f\n1,2\n\n3,\"a\nb\n", "line 4: a quote is opened and never closed"),
        (b"time,f\n1,\"a\" b\n", "line 2: there is something between a closing quote and the end"),
        (b"time,f\n1,\"a\nb\"\n2,\xff\n", "line 4: it is not UTF-8"),
        (b"time,f\xc3\n1,2\n", "line 1: it is not UTF-8"),
        (b"\xff\xfet\0i\0m\0e\0,\0f\0\n\0", "line 1: it is not UTF-8"),
        (b"time,f\nsoon,2\n", "line 2, column \"time\": \"soon\" is no time"),
        (b"time,f\n,2\n", "line 2, column \"time\": there is no timestamp"),
        (b"time,f\n99999999999999999999999,2\n", "line 2, column \"time\""),
        (b"time,f\n1,2\n\"\",2\n", "line 3, column \"time\""),
        (b"\x1f\x8b\x08\x00", "cannot be read"),
    ] {
        if words.is_empty() {
            assert_eq!(lines("bad.csv", bytes), "");
            continue;
        }
        let error = error("bad.csv", bytes);
        assert!(error.contains(words), "{error}\n{words}");
    }
    // What stands before it is written.
    let (text, result) = write("late.csv", b"time,f\n1,2\n2,3\n3\n", |file| file);
    assert_eq!(text, "m f=2i 1\nm f=3i 2\n");
    assert_eq!(result.unwrap_err().lines_written(), 2);
}

#[test]
fn options_of_csv_that_cannot_be_are_refused() {
    let bytes = "1,2\n3,4\n".as_bytes();
    for delimiter in [b'"', b'\n', b'\r', 0x80, 0xc3, 0xff] {
        let (_, result) = write("d.csv", bytes, |file| file.delimiter(delimiter));
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Config);
    }
    let (text, result) = write("d.csv", b"time\0f\n1\x002\n", |file| file.delimiter(0));
    assert_eq!((text.as_str(), result.unwrap()), ("m f=2i 1\n", 1));
    let named =
        |names: &[&str]| write("d.csv", bytes, |file| file.column_names(names.iter().copied()));
    assert_eq!(named(&["time", "f"]).0, "m f=2i 1\nm f=4i 3\n");
    for (names, words) in [
        (&["time"][..], "no column is left for the fields"),
        (&["time", "f", "g"], "line 1: there are 2 cells, but column_names has 3"),
        (&[], "column_names names no column"),
        (&["time", "time"], "two columns have the name \"time\""),
    ] {
        let error = named(names).1.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let (_, result) = write("d.csv", b"1,2,3\n", |file| file.column_names(["time", "f"]));
    let error = result.unwrap_err().to_string();
    assert!(error.contains("line 1: there are 3 cells, but column_names has 2"), "{error}");
    let typed = |column| {
        write("t.csv", b"time,f\n1,2\n2,x\n", |f| f.column_type(column, ColumnType::Integer))
    };
    let error = typed("f").1.unwrap_err();
    assert!(error.to_string().contains("line 3, column \"f\": \"x\" is not an integer"), "{error}");
    assert_eq!(error.lines_written(), 1);
    assert!(typed("g").1.unwrap_err().to_string().contains("column_type names the column \"g\""));
}

#[test]
fn odd_json_is_read_for_what_it_is() {
    for (bytes, expected) in [
        ("", ""),
        ("\u{feff}", ""),
        (" \r\n\t ", ""),
        ("[]", ""),
        ("{}", ""),
        ("\u{feff}[{\"time\":1,\"f\":2}]\r\n", "m f=2i 1\n"),
        ("{\"time\":1,\"f\":2}{\"f\":3,\"time\":2}", "m f=2i 1\nm f=3i 2\n"),
        ("{\"time\":1,\"f\":2,\"f\":3}", "m f=3i 1\n"),
        ("{\"t\\u0069me\":1,\"f\":\"\\ud83c\\udfe0\\u0000}{\"}", "m f=\"🏠\u{0}}{\" 1\n"),
        ("{\"time\":1,\"f\":18446744073709551615}", "m f=18446744073709551615u 1\n"),
        ("{\"time\":1,\"f\":-0.0,\"g\":null}", "m f=-0.0 1\n"),
        ("{\"time\":1,\"f\":1}\n{\"time\":2,\"f\":1.5}", "m f=1 1\nm f=1.5 2\n"),
    ] {
        assert_eq!(lines("odd.json", bytes), expected, "{bytes:?}");
    }
}

#[test]
fn bad_json_is_an_error_that_says_where_and_why() {
    let deep = format!("[{{\"time\":1,\"f\":{}{}}}]", "[".repeat(100_000), "]".repeat(100_000));
    let (open, close) = ("{\"a\":".repeat(100_000), "}".repeat(100_000));
    let objects = format!("{{\"time\":1,\"f\":{open}1{close}}}");
    for (bytes, words) in [
        ("[{\"time\":1,\"f\":2}", "line 1: the array is not closed"),
        ("[{\"time\":1,\"f\":2},\n]", "line 2: there is ']' where an object should begin"),
        ("[{\"time\":1,\"f\":2}\n{}]", "line 2: a comma is missing"),
        ("[{\"time\":1,\"f\":2}]\n[]", "line 2: there is something behind the array"),
        ("{\"time\":1,\"f\":2", "line 1: the object is not closed"),
        ("{\"time\":1,\n\"f\":x}", "it is no JSON"),
        ("{\"time\":1,\"f\":01}", "it is no JSON"),
        ("{\"time\":1,\"f\":\"a\nb\"}", "it is no JSON"),
        ("{\"time\":1,\"f\":\"\\ud800\"}", "it is no JSON"),
        ("{\"time\":1,\"f\":{\"g\":1}}", "key \"f\": the value is nested"),
        ("{\"time\":1,\"f\":[1]}", "key \"f\": the value is nested"),
        (
            "{\"time\":1,\"f\":true}{\"time\":2,\"f\":1}",
            "the values of the key \"f\" are of several types",
        ),
        ("{\"time\":null,\"f\":1}", "line 1: key \"time\": there is no timestamp"),
        ("{\"f\":1}", "the timestamp column \"time\" is not there"),
        ("{\"time\":1}", "no column is left for the fields"),
        ("{\"time\":1,\"f\":2}\n\n{\"f\":2}", "line 3: key \"time\": there is no timestamp"),
        ("{\"time\":1,\"\":2}", "column 2 has no name"),
        ("null", "there is 'n' where an object should begin"),
        (
            "{\"columns\":[\"time\",\"f\"],\"data\":[[1,2],[3]]}",
            "row 2 of \"data\" is no array of 2 values",
        ),
        (
            "{\"columns\":[\"time\",7],\"data\":[[1,2]]}",
            "the names at \"columns\" are not all texts",
        ),
        (
            "{\"columns\":[\"time\",\"f\",\"f\"],\"data\":[[1,2,3]]}",
            "two columns have the name \"f\"",
        ),
        (&deep, "line 1"),
        (&objects, "line 1"),
    ] {
        let error = error("bad.json", bytes);
        assert!(error.contains(words), "{error}\n{words}");
    }
    let error = error("bad.json", b"{\"time\":1,\"f\":\"\xff\"}");
    assert!(error.contains("line 1: it is not UTF-8: the byte 0xFF at place 16"), "{error}");
}

/// RFC 4180 as this crate takes it, byte by byte; none if the text is no CSV.
fn naive(text: &str) -> Option<Vec<Vec<Option<String>>>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let ends_with_returns = !text.contains('\n') && text.trim_end_matches('\r').contains('\r')
        || !text.contains('\n') && text.ends_with("\r\r");
    let newline = if ends_with_returns { '\r' } else { '\n' };
    let mut rest: Vec<char> = text.chars().rev().collect();
    let mut rows = Vec::new();
    while !rest.is_empty() {
        let mut row = Vec::new();
        loop {
            let mut cell = String::new();
            let blanks = rest.iter().rev().take_while(|next| **next == ' ').count();
            let is_quoted = rest.iter().rev().nth(blanks) == Some(&'"');
            if is_quoted {
                rest.truncate(rest.len() - blanks - 1);
                loop {
                    match rest.pop()? {
                        '"' if rest.last() == Some(&'"') => cell.push(rest.pop()?),
                        '"' => break,
                        other => cell.push(other),
                    }
                }
                while rest.pop_if(|next| *next == ' ').is_some() {}
            } else {
                while let Some(next) = rest.pop_if(|next| *next != ',' && *next != newline) {
                    cell.push(next);
                }
            }
            let end = rest.pop();
            let is_last = end != Some(',');
            if is_quoted {
                match end {
                    None | Some(',') => {}
                    Some(end) if end == newline => {}
                    Some('\r') if rest.is_empty() || rest.pop() == Some('\n') => {}
                    Some(_) => return None,
                }
            } else if is_last && cell.ends_with('\r') {
                cell.pop();
            }
            // A line of blanks is no row.
            let is_blank =
                is_last && row.is_empty() && !is_quoted && cell.trim_matches(' ').is_empty();
            row.push((is_quoted || !cell.is_empty()).then_some(cell).filter(|_| !is_blank));
            if is_last {
                break;
            }
        }
        // A row of nothing is none.
        if row.iter().any(Option::is_some) {
            rows.push(row);
        }
    }
    let columns = rows.first().map_or(0, Vec::len);
    rows.iter().all(|row| row.len() == columns).then_some(rows)
}

#[test]
fn random_csv_is_what_a_naive_reader_says() {
    const PIECES: &[&str] = &[
        "a", "b", ",", ",", "\n", "\n", "\r\n", "\"", "\"", "\"\"", "\r", "ü", "\u{feff}", " ",
        "\u{0}", "1",
    ];
    let mut random = Random::new(11);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..600 {
        let length = random.below(30);
        let body: String = (0..length).map(|_| random.pick(PIECES)).collect();
        let text = if random.one_in(2) { format!("7,{body}") } else { body };
        let Some(columns) = text.lines().next().map(|line| line.matches(',').count() + 1) else {
            continue;
        };
        let names: Vec<String> = (0..columns).map(|n| format!("c{n}")).collect();
        let expected = naive(&text).filter(|rows| rows.iter().all(|row| row.len() == columns));
        let (found, result) = write("random.csv", text.as_bytes(), |mut file| {
            file = file
                .column_names(["time"].into_iter().chain(names.iter().skip(1).map(String::as_str)));
            names.iter().skip(1).fold(file, |file, name| file.column_type(name, ColumnType::Text))
        });
        // Without a column for fields there is nothing to write.
        let is_expected = |rows: &Vec<Vec<Option<String>>>| {
            columns > 1
                && rows
                    .iter()
                    .all(|row| row[0].as_ref().is_some_and(|time| time.parse::<i64>().is_ok()))
        };
        let Some(rows) = expected.filter(is_expected) else {
            assert!(
                result.is_err() || naive(&text).is_some_and(|rows| rows.is_empty()),
                "{text:?}: {found:?}"
            );
            refused += 1;
            continue;
        };
        let line = |row: &Vec<Option<String>>| {
            let field = |(n, cell): (usize, &Option<String>)| {
                let cell = cell.as_ref()?.replace('\\', "\\\\").replace('"', "\\\"");
                Some(format!("c{n}=\"{cell}\""))
            };
            let fields: Vec<String> = row.iter().enumerate().skip(1).filter_map(field).collect();
            let time = row[0].as_deref().unwrap_or_default().parse::<i64>().unwrap();
            (!fields.is_empty()).then(|| format!("m {} {time}\n", fields.join(",")))
        };
        let expected: String = rows.iter().filter_map(line).collect();
        result.unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(found, expected, "{text:?}");
        read += 1;
    }
    assert!(read > 20 && refused > 100, "{read} read, {refused} refused");
}

#[test]
fn random_json_is_read_or_refused() {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"time\"",
        "\"f\"",
        "1",
        "-2.5e3",
        "null",
        "true",
        "\"",
        "\\",
        "\n",
        " ",
        "{\"time\":1,\"f\":2}",
        "{\"time\":1,\"f\":2}",
        "{\"time\":1,\"f\":2}",
        "\"time\":1,",
        "\"f\":2",
        "\u{feff}",
        "\u{0}",
    ];
    let mut random = Random::new(13);
    let mut read = 0;
    for _ in 0..600 {
        let length = random.below(12);
        let text: String = (0..length).map(|_| random.pick(PIECES)).collect();
        // `write` checks what there is to check; the standard reader knows what is JSON.
        let (_, result) = write("random.json", text.as_bytes(), |file| file);
        let is_json = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'))
            .into_iter::<serde_json::Value>()
            .all(|value| value.is_ok());
        assert!(is_json || result.is_err(), "{text:?} was taken");
        read += usize::from(result.is_ok_and(|lines| lines > 0));
    }
    assert!(read > 0);
}
