//! Files of line protocol, and lines without a server.
#![cfg(all(feature = "files", feature = "query"))]

use std::collections::VecDeque;
use std::io::{self, Read};

use crate::support::http::{Reply, Server};
use influxdb3_blocking::{
    Client, ErrorKind, FileFormat, FileReport, Precision, Result, Timestamp, WriteFile,
    WriteOptions,
};

fn client(server: &Server) -> Client {
    Client::builder().host(server.url()).database("db").build().unwrap()
}

/// What a text is written as.
fn written(text: &[u8], set: fn(WriteFile<'_>) -> WriteFile<'_>) -> (String, Result<FileReport>) {
    let server = Server::accepting();
    let client = client(&server);
    let result = set(client.write_reader(text, FileFormat::LineProtocol)).send();
    (server.requests().iter().map(|request| request.text()).collect(), result)
}

/// Gives these, one at each call.
struct Parts(VecDeque<io::Result<Vec<u8>>>);

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut part = self.0.pop_front().unwrap_or(Ok(Vec::new()))?;
        let rest = part.split_off(part.len().min(buffer.len()));
        if !rest.is_empty() {
            self.0.push_front(Ok(rest));
        }
        buffer[..part.len()].copy_from_slice(&part);
        Ok(part.len())
    }
}

#[test]
fn a_file_is_written_as_it_is_but_for_what_means_nothing() {
    let text = "\u{feff}# a comment \"\nm f=1 1\r\n\n  m f=\"a\nb, #\" 2\nm,t=a\\ b f=3i 3";
    let lines = "m f=1 1\nm f=\"a\nb, #\" 2\nm,t=a\\ b f=3i 3\n";
    let (sent, report) = written(text.as_bytes(), |file| file);
    let report = report.unwrap();
    assert_eq!(sent, lines);
    assert_eq!((report.lines, report.bytes, report.batches), (3, lines.len(), 1));
    assert_eq!(written(b"", |file| file).1.unwrap().batches, 0);
    assert_eq!(written(b"# nothing\n\n", |file| file).0, "");
}

#[test]
fn no_line_is_cut_wherever_the_parts_of_a_file_end() {
    // Longer than what is read at once, with newlines in texts and in comments that look like texts.
    let mut text = String::new();
    let mut lines = String::new();
    for n in 0..20_000 {
        let line = format!("m,t=a\\ {n} f=\"{}\n\\\"{n}\",g={n}i {n}\n", "x".repeat(n % 97));
        text.push_str(&line);
        lines.push_str(&line);
        if n % 100 == 0 {
            text.push_str("# it's \" open\n \t\r\n");
        }
    }
    assert_eq!(written(text.as_bytes(), |file| file).0, lines);
}

#[test]
fn lines_without_a_timestamp_get_one_in_both_modes() {
    let text = b"m f=1\nm f=2\nm f=3 3\n";
    let (sent, _) = written(text, |file| file.default_time(Timestamp::nanos(7)));
    assert_eq!(sent, "m f=1 7\nm f=2 7\nm f=3 3\n");
    let (sent, _) =
        written(text, |file| file.precision(Precision::Second).default_time(Timestamp::seconds(7)));
    assert_eq!(sent, "m f=1 7\nm f=2 7\nm f=3 3\n");
    for options in [WriteOptions::synchronous(), WriteOptions::default()] {
        let server = Server::accepting();
        let client = client(&server).with_write_options(options).unwrap();
        client.write_reader(&text[..], FileFormat::LineProtocol).send().unwrap();
        let sent = server.requests()[0].text();
        let times: Vec<i64> =
            sent.lines().map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        assert!(times[0] > 1_700_000_000_000_000_000 && times[1] > times[0], "{sent}");
        assert_eq!(times[2], 3);
    }
}

#[test]
fn what_cannot_be_written_is_named_by_its_line_or_left_out() {
    let text = b"m f=1 1\n# c\nm,a=1,a=2 f=2 2\nm f=\"\xff\" 3\nm f=4 4\nm f=\"open 5\n";
    let (sent, result) = written(text, |file| file);
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    assert!(error.to_string().contains("line 4 of the text: byte "), "{error}");
    assert_eq!(sent, "");

    let (sent, result) = written(text, |file| file.skip_bad_rows(true));
    let report = result.unwrap();
    assert_eq!(sent, "m f=1 1\nm f=4 4\n");
    assert_eq!(report.rows_skipped, 3);
    let skipped: Vec<_> = report.skipped_rows.iter().map(|row| row.line).collect();
    assert_eq!(skipped, [3, 4, 6]);
    assert!(report.skipped_rows[0].reason.contains("the tag \"a\" is there twice"));

    let (sent, result) = written(b"m f=1 1\nm,a=1,a=2 f=2 2\n", |file| file);
    let error = result.unwrap_err();
    assert!(error.to_string().contains("line 2 of the text"), "{error}");
    assert_eq!((sent.as_str(), error.resume_line()), ("m f=1 1\n", Some(1)));
}

#[test]
fn what_has_come_is_written_when_the_reader_has_nothing_more_just_now() {
    let server = Server::accepting();
    let client = client(&server);
    let text = |text: &str| Ok(text.as_bytes().to_vec());
    let parts = [
        text("m f=1 1\nm f"),
        text("=2 2\nm f=3"),
        Err(io::ErrorKind::WouldBlock.into()),
        Err(io::ErrorKind::WouldBlock.into()),
        text("0 3\nm f=4 4\nm f=5"),
        Err(io::Error::other("the cable is out")),
    ];
    let reader = Parts(parts.into());
    let error = client.write_reader(reader, FileFormat::LineProtocol).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(error.to_string().contains("the cable is out"), "{error}");
    // What is not whole may be something else than what was meant.
    assert_eq!((error.lines_written(), error.resume_line()), (4, Some(4)));
    let sent: Vec<_> = server.requests().iter().map(|request| request.text()).collect();
    assert_eq!(sent, ["m f=1 1\nm f=2 2\n", "m f=30 3\nm f=4 4\n"]);
}

#[test]
fn what_is_said_of_columns_means_nothing() {
    for (set, option) in [
        ((|file| file.measurement("m")) as fn(WriteFile<'_>) -> WriteFile<'_>, "measurement"),
        (|file| file.tags(["a"]), "tags"),
        (|file| file.date_unit(Precision::Second), "date_unit"),
        (|file| file.null_values(["-"]), "null_values"),
    ] {
        let error = written(b"m f=1 1", set).1.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(&format!("{option} means nothing")), "{error}");
    }
}

#[test]
fn the_lines_of_a_file_can_be_had_without_a_server() {
    let server = Server::start(|_, _| Reply::status(500));
    let client = client(&server);
    let csv = b"time,room,temp,note\n1,a,21.5,x\n2,b,,\n3,c,22,\"two\nlines\"\n";
    let mut lines = Vec::new();
    let file = client.write_reader(&csv[..], FileFormat::Csv).measurement("m").tags(["room"]);
    let report = file.resume_from_line(0).each_line(|line| {
        lines.push(line.to_owned());
        Ok(())
    });
    let report = report.unwrap();
    assert_eq!(
        lines,
        ["m,room=a temp=21.5,note=\"x\" 1", "m,room=c temp=22,note=\"two\nlines\" 3"]
    );
    assert_eq!((report.lines, report.rows_without_fields, report.batches), (2, 1, 0));
    assert_eq!(server.requests().len(), 0);

    let file = client.write_reader(&csv[..], FileFormat::Csv).measurement("m");
    let error = file.each_line(|_| Err(io::ErrorKind::BrokenPipe.into())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    let source = std::error::Error::source(&error).unwrap().downcast_ref::<io::Error>();
    assert_eq!(source.unwrap().kind(), io::ErrorKind::BrokenPipe);
}
