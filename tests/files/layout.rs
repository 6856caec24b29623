//! Which columns of a file are written and under which names.
#![cfg(all(feature = "files", feature = "query"))]

use std::path::PathBuf;

use crate::support::http::Server;
use influxdb3_blocking::{Client, ColumnType, ErrorKind, Precision, Result, WriteFile};

fn written(
    name: &str,
    bytes: &[u8],
    set: impl FnOnce(WriteFile<'_>) -> WriteFile<'_>,
) -> Result<String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("files-layout");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{:?}-{name}", std::thread::current().id()));
    std::fs::write(&path, bytes).unwrap();
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let file = client.write_file(&path).measurement("m").precision(Precision::Second);
    let result = set(file).send();
    std::fs::remove_file(&path).unwrap();
    result.map(|_| server.requests().iter().map(|request| request.text()).collect())
}

/// What `DataFrame.to_csv()` of pandas writes if nothing else is said: the index comes first and has no name.
const PANDAS: &[u8] = b",time,room,temp\n0,1,Kitchen,21.5\n1,2,Bath,22.5\n";

#[test]
fn the_index_that_pandas_writes_without_a_name_can_be_left_out_or_named() {
    // Unless something is said, it is left out, which the report tells.
    let found = written("a.csv", PANDAS, |file| file.tags(["room"])).unwrap();
    assert_eq!(found, "m,room=Kitchen temp=21.5 1\nm,room=Bath temp=22.5 2\n");
    let found = written("a.csv", PANDAS, |file| file.tags(["room"]).exclude([""])).unwrap();
    assert_eq!(found, "m,room=Kitchen temp=21.5 1\nm,room=Bath temp=22.5 2\n");
    let found = written("a.csv", PANDAS, |file| {
        file.tags(["room"]).rename("", "row").column_type("row", ColumnType::Text)
    });
    assert_eq!(
        found.unwrap(),
        "m,room=Kitchen row=\"0\",temp=21.5 1\nm,room=Bath row=\"1\",temp=22.5 2\n"
    );
}

#[test]
fn columns_of_csv_and_json_can_be_chosen_left_out_and_renamed() {
    let json =
        br#"[{"time":1,"room":"K","t":21.5,"note":{"deep":1}},{"time":2,"t":1.0,"more":[1]}]"#;
    let csv = b"time,room,t,note\n1,K,21.5,x\n2,,1.0,y\n";
    for (name, bytes) in [("a.csv", &csv[..]), ("a.json", &json[..])] {
        let chosen =
            written(name, bytes, |file| file.tags(["room"]).rename("t", "temp").fields(["temp"]));
        assert_eq!(chosen.unwrap(), "m,room=K temp=21.5 1\nm temp=1.0 2\n", "{name}");
        let error = written(name, bytes, |file| file.fields(["tepm"])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRecord);
        let error = error.to_string();
        assert!(error.contains("\"tepm\"") && error.contains("\"room\", \"t\""), "{error}");
    }
    let found =
        written("a.json", json, |file| file.tags(["room"]).exclude(["note", "more"])).unwrap();
    assert_eq!(found, "m,room=K t=21.5 1\nm t=1.0 2\n");
    // A key that comes later than those that decided about types.
    let found = written("a.json", json, |file| file.infer_rows(1).fields(["t"])).unwrap();
    assert_eq!(found, "m t=21.5 1\nm t=1.0 2\n");
}

#[test]
fn binary_as_text_is_for_formats_that_have_binary() {
    for name in ["a.csv", "a.json"] {
        let error = written(name, b"", |file| file.binary_as_text(true)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("binary_as_text"), "{error}");
    }
}
