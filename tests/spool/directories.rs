//! Directories that cannot be used, and who has them.

use influxdb3_blocking::{Client, ErrorKind, Spool, WriteOptions};

use crate::fixtures::Directory;

fn build(spool: Spool) -> influxdb3_blocking::Result<Client> {
    let options = WriteOptions::default().spool(spool);
    Client::builder().host("http://localhost:1").database("db").write_options(options).build()
}

#[test]
fn two_clients_cannot_have_one_directory_and_the_second_is_told() {
    let directory = Directory::new();
    let first = build(directory.spool()).unwrap();
    let error = build(directory.spool()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(error.to_string().contains("in use by another"), "{error}");
    let error = first.with_write_options(WriteOptions::default().spool(directory.spool()));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::File);
    // The first one is as good as ever, and frees the directory with its end.
    first.write("m f=1 1").send().unwrap();
    first.close().unwrap();
    build(directory.spool()).unwrap().close().unwrap();
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = Directory::new();
    std::fs::write(directory.path(), "a file").unwrap();
    let error = build(Spool::directory(directory.path().join("spool"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(error.to_string().contains(&directory.path().display().to_string()), "{error}");
    std::fs::remove_file(directory.path()).unwrap();
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let none = build(Spool::directory("")).unwrap_err();
    assert_eq!(none.kind(), ErrorKind::Config);
    let directory = Directory::new();
    let small = build(directory.spool().limit(100)).unwrap_err();
    assert!(small.to_string().contains("limit of the spool"), "{small}");
    let stray = WriteOptions::synchronous().spool(directory.spool());
    let builder = Client::builder().host("http://localhost:1").database("db").write_options(stray);
    assert!(builder.build().unwrap_err().to_string().contains("spool cannot be set on"));
}

#[test]
#[cfg(unix)]
fn what_is_there_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let directory = Directory::new();
    let client = build(directory.spool().always(true)).unwrap();
    client.write("m f=1 1").send().unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory.path()), 0o700);
    for name in directory.names() {
        assert_eq!(mode(&directory.path().join(name)), 0o600);
    }
    client.close().unwrap();
}
