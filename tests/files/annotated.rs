//! Annotated CSV, as InfluxDB 2 exports it and as `influx write` takes it: the expected lines are what the documentation
//! of both says.
#![cfg(all(feature = "csv", feature = "json"))]

use super::options::written_to;
use crate::support::http::Server;
use influxdb3_blocking::{ColumnType, FileReport, Precision, Result, Timestamp, WriteFile};

fn written(
    text: &str,
    set: impl FnOnce(WriteFile<'_>) -> WriteFile<'_>,
) -> (String, Result<FileReport>) {
    let server = Server::accepting();
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("annotated");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{:?}.csv", std::thread::current().id()));
    std::fs::write(&path, text).unwrap();
    let client =
        influxdb3_blocking::Client::builder().host(server.url()).database("db").build().unwrap();
    let result = set(client.write_file(&path)).send();
    (server.requests().iter().map(|request| request.text()).collect(), result)
}

fn lines(text: &str) -> String {
    let (lines, result) = written(text, |file| file);
    result.unwrap();
    lines
}

fn error(text: &str) -> String {
    let (_, result) = written(text, |file| file);
    result.unwrap_err().to_string()
}

const EXPORT: &str = "\
#group,false,false,true,true,false,false,true,true,true\r
#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string\r
#default,_result,,,,,,,,\r
,result,table,_start,_stop,_time,_value,_field,_measurement,room\r
,,0,2022-01-01T00:00:00Z,2022-01-02T00:00:00Z,2022-01-01T08:00:00Z,21.10,temp,home,Living Room\r
,,0,2022-01-01T00:00:00Z,2022-01-02T00:00:00Z,2022-01-01T09:00:00Z,21.4,temp,home,Living Room\r
\r
#group,false,false,true,true,false,false,true,true,true\r
#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,long,string,string,string\r
#default,_result,,,,,,,,\r
,result,table,_start,_stop,_time,_value,_field,_measurement,room\r
,,1,2022-01-01T00:00:00Z,2022-01-02T00:00:00Z,2022-01-01T08:00:00.123456789Z,0,co,home,Kitchen\r
,result,table,_start,_stop,_time,_value,_field,_measurement,room\r
,,2,2022-01-01T00:00:00Z,2022-01-02T00:00:00Z,2022-01-01T09:00:00Z,,co,home,Kitchen\r
,,2,2022-01-01T00:00:00Z,2022-01-02T00:00:00Z,2022-01-01T10:00:00Z,22,co,home,\r
\r
";

#[test]
fn what_influxdb_2_exports_comes_back_as_the_points_that_it_was() {
    let (found, result) = written(EXPORT, |file| file);
    assert_eq!(
        found,
        "home,room=Living\\ Room temp=21.1 1641024000000000000\n\
         home,room=Living\\ Room temp=21.4 1641027600000000000\n\
         home,room=Kitchen co=0i 1641024000123456789\n\
         home co=22i 1641031200000000000\n"
    );
    let report = result.unwrap();
    assert_eq!((report.lines, report.rows_without_fields), (4, 1));
    let (found, _) =
        written(EXPORT, |file| file.measurement("m").precision(Precision::Second).fields(["co"]));
    assert_eq!(found, "m,room=Kitchen co=0i 1641024000\nm co=22i 1641031200\n");
    let (found, _) = written(EXPORT, |file| file.exclude(["temp", "room"]).rename("co", "ppm"));
    assert_eq!(found, "home ppm=0i 1641024000123456789\nhome ppm=22i 1641031200000000000\n");
}

#[test]
fn exports_without_a_stop_and_after_a_pivot_are_read() {
    let mean = "#group,false,false,true,false,false,true,true\n#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,double,string,string\n#default,mean,,,,,,\n,result,table,_start,_time,_value,_field,_measurement\n,,0,2022-01-01T00:00:00Z,2022-01-01T00:10:00Z,15.43,mem,m\n,,0,2022-01-01T00:00:00Z,2022-01-01T00:20:00Z,59.25,mem,m\n";
    assert_eq!(lines(mean), "m mem=15.43 1640995800000000000\nm mem=59.25 1640996400000000000\n");
    let pivot = "#group,false,false,false,true,true,false,false\n#datatype,string,long,dateTime:RFC3339,string,string,double,boolean\n#default,_result,,,,,,\n,result,table,_time,_measurement,room,temp,on\n,,0,2022-01-01T00:10:00Z,home,Bath,21.5,true\n";
    assert_eq!(lines(pivot), "home,room=Bath temp=21.5,on=true 1640995800000000000\n");
}

#[test]
fn annotations_of_influx_write_are_taken() {
    for (text, expected) in [
        (
            "#datatype measurement,tag,tag,double,double,ignored,dateTime:number\nm,cpu,host,time_steal,usage_user,nothing,time\ncpu,cpu1,rsavage.prod,0,2.7,a,1482669077000000000\ncpu,cpu1,rsavage.prod,0,2.2,b,1482669087000000000\n",
            "cpu,cpu=cpu1,host=rsavage.prod time_steal=0.0,usage_user=2.7 1482669077000000000\ncpu,cpu=cpu1,host=rsavage.prod time_steal=0.0,usage_user=2.2 1482669087000000000\n",
        ),
        (
            "m|measurement,cpu|tag,host|tag,time_steal|double,usage_user|double,nothing|ignored,time|dateTime:number\ncpu,cpu1,rsavage.prod,0,2.7,a,1482669077000000000\n",
            "cpu,cpu=cpu1,host=rsavage.prod time_steal=0.0,usage_user=2.7 1482669077000000000\n",
        ),
        (
            "#datatype measurement,tag,string,double,boolean,long,unsignedLong,duration,dateTime\n#default test,annotatedDatatypes,,,,,,\nm,name,s,d,b,l,ul,dur,time\n,,str1,1.0,true,1,1,1ms,1\n,,str2,2.0,false,2,2,2us,2020-01-11T10:10:10Z\n",
            "test,name=annotatedDatatypes s=\"str1\",d=1.0,b=true,l=1i,ul=1u,dur=1000000i 1\ntest,name=annotatedDatatypes s=\"str2\",d=2.0,b=false,l=2i,ul=2u,dur=2000i 1578737410000000000\n",
        ),
        (
            "m|measurement|test,name|tag|given,s|string,time|dateTime\n,,str1,1\nother,x,str2,2\n",
            "test,name=given s=\"str1\" 1\nother,name=x s=\"str2\" 2\n",
        ),
        (
            "#constant measurement,test\n#constant tag,name,datetypeFormats\n#timezone -0500\n#datatype dateTime:2006-01-02|1970-01-02,\"double:,. \",\"boolean:y,Y:n,N|y\"\nt,d,b\n1970-01-01,\"123.456,78\",\n,\"123 456,78\",Y\n",
            "test,name=datetypeFormats d=123456.78,b=true 18000000000000\ntest,name=datetypeFormats d=123456.78,b=true 104400000000000\n",
        ),
        (
            "#datatype dateTime:02.01.2006 15:04,long:strict: \n#constant,measurement,,m\n#timezone,+0100\nt,n\n01.01.1970 01:00,1 2\n",
            "m n=12i 0\n",
        ),
        (
            "#constant,measurement,cpu\n#constant,tag,cpu,cpu1\n#constant,long,of,0\n#constant,dateTime,,2\na|double,b|double\n1,1\n",
            "cpu,cpu=cpu1 a=1.0,b=1.0,of=0i 2\n",
        ),
        (
            "#concat,measurement,${a}-${b}\n#concat,string,text,<${b}>\na|tag,b|long,time|dateTime\nx,1,2\n",
            "x-1,a=x b=1i,text=\"<1>\" 2\n",
        ),
        (
            "sep=;\nm|measurement;available|boolean:y,Y:|n;dt|dateTime:number\ntest;nil;1\ntest;;4\ntest;Y;5\n",
            "test available=false 1\ntest available=false 4\ntest available=true 5\n",
        ),
        (
            "#datatype ,tag,,dateTime\n_measurement,a,b,time\n# another\ncpu,1,2,3\ncpu,2,7i,4\ncpu,3,t,5\n",
            "cpu,a=1 b=2.0 3\ncpu,a=2 b=7i 4\ncpu,a=3 b=true 5\n",
        ),
    ] {
        assert_eq!(lines(text), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_with_annotated_csv_is_named_by_its_line() {
    for (text, words) in [
        (
            "#datatype measurement,long,dateTime\nm,f,time\nm,x,1\n",
            "line 3: column \"f\": \"x\" is not of the type long",
        ),
        (
            "#datatype measurement,long,dateTime\nm,f,time\nm,1.5,1\n",
            "\"1.5\" is not of the type long",
        ),
        (
            "#datatype measurement,long,dateTime:RFC3339\nm,f,time\nm,1,1\n",
            "line 3: column \"time\": \"1\" is no time",
        ),
        (
            "#datatype measurement,whatever,dateTime\nm,f,time\nm,1,1\n",
            "line 1: the datatype \"whatever\" is not known",
        ),
        (
            "#datatype measurement,long,dateTime\nm,f,time\n,1,1\n",
            "line 3: there is no measurement",
        ),
        ("#datatype measurement,long,dateTime\nm,f,time\nm,1,\n", "line 3: there is no timestamp"),
        ("#datatype long,dateTime\nf,time\n1,1\n", "line 2: no measurement"),
        (
            "#datatype measurement,long\nm,f\nm,1\n",
            "line 2: the timestamp column \"time\" is not there",
        ),
        (
            "#datatype measurement,,dateTime\nm,f,time\nm,x,1\n",
            "\"x\" is neither a number nor a boolean, and its column has no datatype",
        ),
        (
            "#timezone,Europe/Berlin\nm|measurement,f|long,t|dateTime\n",
            "line 1: the zone \"Europe/Berlin\"",
        ),
        (
            "#concat,string,x,${y}\nm|measurement,f|long,t|dateTime\n",
            "line 2: #concat names the column \"y\"",
        ),
        (
            "#datatype measurement,boolean:y,dateTime\nm,f,time\n",
            "line 1: the format \"y\" of booleans has no colon",
        ),
        ("#datatype measurement,long,dateTime\nm,f,time\nm,1,1,2\n", "line 3: there are 4 cells"),
    ] {
        let error = error(text);
        assert!(error.contains(words), "{error}\n{words}");
    }
}

#[test]
fn bad_rows_of_annotated_csv_are_skipped_and_options_hold() {
    let text = "#datatype measurement,long,dateTime\nm,f,time\nm,1,1\nm,x,2\n,3,3\nm,4,4\n";
    let (found, result) = written(text, |file| file.skip_bad_rows(true));
    assert_eq!(found, "m f=1i 1\nm f=4i 4\n");
    let report = result.unwrap();
    assert_eq!(report.skipped_rows.iter().map(|row| row.line).collect::<Vec<_>>(), [4, 5]);
    let text = "#datatype measurement,,,\nm,a,b,at\nm,x,\"1,5\",2\n";
    let (found, result) = written(text, |file| {
        file.tags(["a"])
            .column_type("b", ColumnType::Float)
            .decimal_comma(true)
            .timestamp_column("at")
            .date_unit(Precision::Second)
    });
    result.unwrap();
    assert_eq!(found, "m,a=x b=1.5 2000000000\n");
    let (found, result) =
        written("m|measurement,f|long\nm,1\n", |file| file.default_time(Timestamp::nanos(5)));
    result.unwrap();
    assert_eq!(found, "m f=1i 5\n");
}

#[test]
fn with_comments_annotations_are_comments() {
    let text = "#datatype,string\ntime,f\n1,2\n";
    let server = Server::accepting();
    let (found, result) = written_to(&server, "a.csv", text.as_bytes(), |file| file.comment(b'#'));
    result.unwrap();
    assert_eq!(found, "m f=2i 1\n");
    let (found, result) = written_to(&server, "a.csv", text.as_bytes(), |file| file);
    result.unwrap();
    assert_eq!(found, "m f=\"2\" 0\n");
}
