//! Who reads the answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use bytes::{Buf, BufMut, Bytes};
use futures::StreamExt as _;
use influxdb3_blocking::Client;
use tokio::runtime::Runtime;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};

/// Runs a query, and returns the rows (or, where nothing is decoded, 0). The answer is dropped afterwards.
pub type Run = Box<dyn FnMut(&str) -> Result<usize, String>>;

pub struct Contender {
    pub id: &'static str,
    pub title: &'static str,
    pub run: Run,
}

pub fn all(flight: u16, plain: u16, python: Option<&str>) -> Vec<Contender> {
    let host = format!("http://127.0.0.1:{flight}");
    let mut all = vec![
        Contender {
            id: "socket",
            title: "plain socket, discarded",
            run: Box::new(move |query| socket(plain, query)),
        },
        Contender {
            id: "tonic",
            title: "tonic as it comes, discarded",
            run: discard(&host, false),
        },
        Contender {
            id: "tonic-large",
            title: "tonic, large windows and frames, discarded",
            run: discard(&host, true),
        },
        Contender { id: "reader", title: "this crate, reader", run: reader(&host) },
        Contender { id: "table", title: "this crate, table", run: table(&host) },
        Contender { id: "peer-stream", title: "influxdb3-client, stream", run: peer(&host, false) },
        Contender { id: "peer-all", title: "influxdb3-client, all", run: peer(&host, true) },
    ];
    if let Some(python) = python {
        for (id, title, mode) in [
            ("python-reader", "Python on pyarrow, reader", "reader"),
            ("python-all", "Python on pyarrow, all", "all"),
        ] {
            let mut process = Python::start(python, flight);
            all.push(Contender {
                id,
                title,
                run: Box::new(move |query| process.ask(&format!("{mode} {query}"))),
            });
        }
    }
    all
}

fn socket(port: u16, query: &str) -> Result<usize, String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(query.as_bytes()).unwrap();
    let mut buffer = vec![0; 256 << 10];
    while stream.read(&mut buffer).unwrap() > 0 {}
    Ok(0)
}

pub fn client(host: &str) -> Client {
    Client::builder().host(host).database("db").build().unwrap()
}

fn reader(host: &str) -> Run {
    let client = client(host);
    Box::new(move |query| {
        let reader = client.query(query).reader().map_err(|error| error.to_string())?;
        Ok(reader.map(|batch| batch.unwrap().num_rows()).sum())
    })
}

fn table(host: &str) -> Run {
    let client = client(host);
    Box::new(move |query| {
        client.query(query).table().map(|table| table.num_rows()).map_err(|error| error.to_string())
    })
}

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

pub fn peer_client(runtime: &Runtime, host: &str) -> influxdb3_client::Client {
    let config = influxdb3_client::ClientConfig::builder()
        .host(host)
        .token("token")
        .database("db")
        .build()
        .unwrap();
    runtime.block_on(influxdb3_client::Client::new(config)).unwrap()
}

fn peer(host: &str, whole: bool) -> Run {
    let runtime = runtime();
    let client = peer_client(&runtime, host);
    Box::new(move |query| {
        runtime.block_on(async {
            if whole {
                let result = client.sql(query).await.map_err(|error| error.to_string())?;
                return Ok(result.num_rows());
            }
            let mut stream = client.sql(query).stream().await.map_err(|error| error.to_string())?;
            let mut rows = 0;
            while let Some(batch) = stream.next().await {
                rows += batch.map_err(|error| error.to_string())?.num_rows();
            }
            Ok(rows)
        })
    })
}

/// Reads every message and throws it away: what the transport alone takes.
fn discard(host: &str, large: bool) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut endpoint = Endpoint::from_shared(host.to_owned()).unwrap();
    if large {
        endpoint = endpoint
            .initial_stream_window_size(16 << 20)
            .initial_connection_window_size(1 << 30)
            .max_frame_size(1 << 20);
    }
    let channel: Channel = runtime.block_on(endpoint.connect()).unwrap();
    Box::new(move |query| {
        runtime.block_on(async {
            let mut grpc =
                tonic::client::Grpc::new(channel.clone()).max_decoding_message_size(256 << 20);
            grpc.ready().await.unwrap();
            let path =
                http::uri::PathAndQuery::from_static("/arrow.flight.protocol.FlightService/DoGet");
            let request = tonic::Request::new(Bytes::copy_from_slice(query.as_bytes()));
            let mut stream =
                grpc.server_streaming(request, path, Discard).await.unwrap().into_inner();
            while stream.message().await.unwrap().is_some() {}
            Ok(0)
        })
    })
}

#[derive(Default)]
struct Discard;

impl Codec for Discard {
    type Encode = Bytes;
    type Decode = usize;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Discard {
    type Item = Bytes;
    type Error = tonic::Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), tonic::Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Discard {
    type Item = usize;
    type Error = tonic::Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<usize>, tonic::Status> {
        let length = from.remaining();
        drop(from.copy_to_bytes(length));
        Ok(Some(length))
    }
}

/// `python/query.py` as a process that answers a line with the rows it read.
pub struct Python {
    _process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Python {
    pub fn start(python: &str, port: u16) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/query.py");
        let mut process = Command::new(python)
            .args([script, &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python");
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { _process: process, input, output }
    }

    pub fn ask(&mut self, line: &str) -> Result<usize, String> {
        writeln!(self.input, "{line}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        answer.trim().parse().map_err(|_| answer)
    }
}
