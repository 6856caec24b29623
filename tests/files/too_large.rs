//! Files that go through a proxy which takes smaller requests than the client makes.
#![cfg(feature = "csv")]

use crate::support::batching::numbers;
use crate::support::http::{Reply, Server};
use influxdb3_blocking::{Client, ClientBuilder, ErrorKind, FileFormat, Precision, WriteOptions};

const MOST: usize = 1000;

/// Refuses bodies of more than `MOST` bytes, as nginx does.
fn proxy() -> Server {
    Server::start(|_, request| match request.body.len() > MOST {
        true => {
            Reply::text(413, "<html>\r\n<head><title>413 Request Entity Too Large</title></head>")
        }
        false => Reply::status(204),
    })
}

/// Makes requests of up to 5000 bytes.
fn client(server: &Server) -> ClientBuilder {
    let builder = Client::builder().host(server.url()).database("db").max_request_bytes(5000);
    builder.precision(Precision::Nanosecond)
}

fn table(rows: usize) -> String {
    let rows = (0..rows).map(|n| format!("{n},{n}\n"));
    std::iter::once("time,f\n".to_owned()).chain(rows).collect()
}

/// The times of the lines that were taken.
fn taken(server: &Server) -> Vec<i64> {
    let requests = server.requests();
    let taken = requests.iter().filter(|request| request.body.len() <= MOST);
    taken.flat_map(|request| numbers(&request.body)).collect()
}

#[test]
fn a_file_is_cut_until_it_goes_through_and_goes_on_so() {
    let server = proxy();
    let client = client(&server).build().unwrap();
    let file = table(3000);
    let write = client.write_reader(file.as_bytes(), FileFormat::Csv).measurement("m");
    let report = write.date_unit(Precision::Nanosecond).send().unwrap();
    assert_eq!(report.lines, 3000);
    assert_eq!(taken(&server), (0..3000).collect::<Vec<_>>(), "each line once, and in order");
    let refused = server.requests().iter().filter(|request| request.body.len() > MOST).count();
    assert!(refused < 8, "{refused} refusals: a size that was refused is not tried again");
}

#[test]
fn a_row_that_is_too_large_by_itself_says_where_to_go_on() {
    let server = proxy();
    let client = client(&server).build().unwrap();
    let file = format!("time,text\n0,a\n1,b\n2,c\n3,{}\n4,d\n", "y".repeat(2000));
    let write = client.write_reader(file.as_bytes(), FileFormat::Csv).measurement("m");
    let error = write.date_unit(Precision::Nanosecond).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    assert!(error.to_string().contains("max_request_bytes"), "{error}");
    assert_eq!((error.lines_written(), error.resume_line()), (3, Some(3)), "{error}");
}

#[test]
fn in_batching_mode_a_file_is_cut_as_well() {
    let server = proxy();
    let options = WriteOptions::default().batch_size(200);
    let client = client(&server).write_options(options).build().unwrap();
    let file = table(3000);
    let write = client.write_reader(file.as_bytes(), FileFormat::Csv).measurement("m");
    let report = write.date_unit(Precision::Nanosecond).send().unwrap();
    assert_eq!(report.lines, 3000);
    assert_eq!(taken(&server), (0..3000).collect::<Vec<_>>());
}
