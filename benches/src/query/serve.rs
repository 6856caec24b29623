//! The server: a process of its own that replays encoded answers, and one plain socket that sends the same bytes.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::SendStream;
use http::{HeaderMap, Response};

use crate::shapes::{Encoded, SHAPES};

type Answers = Arc<Mutex<HashMap<(String, usize), Arc<Encoded>>>>;

/// Prints the ports of Flight and of the plain socket, and serves until its input ends.
pub fn run() {
    let answers = Answers::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let flight = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{} {}", flight.local_addr().unwrap().port(), plain.local_addr().unwrap().port());
    let shared = Arc::clone(&answers);
    std::thread::spawn(move || {
        for stream in plain.incoming() {
            let _ = send_plain(stream.unwrap(), &shared);
        }
    });
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    runtime.block_on(async {
        loop {
            let (stream, _) = flight.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(connection(stream, Arc::clone(&answers)));
        }
    });
}

async fn connection(stream: tokio::net::TcpStream, answers: Answers) {
    let mut builder = h2::server::Builder::new();
    builder.max_send_buffer_size(4 << 20).max_concurrent_streams(100);
    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let answers = Arc::clone(&answers);
        tokio::spawn(async move {
            let mut body = request.into_body();
            let mut ticket = Vec::new();
            while let Some(Ok(data)) = body.data().await {
                ticket.extend_from_slice(&data);
            }
            let (encoded, batches) = look_up(&String::from_utf8_lossy(&ticket), &answers);
            let head =
                Response::builder().header("content-type", "application/grpc").body(()).unwrap();
            let Ok(mut stream) = respond.send_response(head, false) else { return };
            let head = encoded.head.iter().cloned();
            let messages = head.chain(std::iter::repeat_n(encoded.batch.clone(), batches));
            for message in messages {
                if send(&mut stream, message).await.is_err() {
                    return;
                }
            }
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", "0".parse().unwrap());
            let _ = stream.send_trailers(trailers);
        });
    }
}

async fn send(stream: &mut SendStream<Bytes>, mut message: Bytes) -> Result<(), h2::Error> {
    while !message.is_empty() {
        stream.reserve_capacity(message.len());
        match std::future::poll_fn(|cx| stream.poll_capacity(cx)).await {
            Some(capacity) => {
                stream.send_data(message.split_to(capacity?.min(message.len())), false)?
            }
            None => return Err(h2::Reason::CANCEL.into()),
        }
    }
    Ok(())
}

/// The query is `SHAPE ROWS_A_BATCH BATCHES`, somewhere in the ticket, between dots.
fn look_up(ticket: &str, answers: &Answers) -> (Arc<Encoded>, usize) {
    let words: Vec<_> =
        ticket.split("..").nth(1).expect("a query between dots").split(' ').collect();
    let [shape, rows, batches] = words[..] else { panic!("{ticket}") };
    let rows: usize = rows.parse().unwrap();
    let mut answers = answers.lock().unwrap();
    let encoded = answers.entry((shape.to_owned(), rows)).or_insert_with(|| {
        Arc::new(SHAPES.iter().find(|known| known.id == shape).unwrap().encode(rows))
    });
    (Arc::clone(encoded), batches.parse().unwrap())
}

fn send_plain(mut stream: TcpStream, answers: &Answers) -> std::io::Result<()> {
    let mut query = [0; 64];
    let count = stream.read(&mut query)?;
    let (encoded, batches) = look_up(&String::from_utf8_lossy(&query[..count]), answers);
    for message in &encoded.head {
        stream.write_all(message)?;
    }
    for _ in 0..batches {
        stream.write_all(&encoded.batch)?;
    }
    Ok(())
}
