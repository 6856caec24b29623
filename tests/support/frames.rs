//! HTTP/2 frame by frame, between a client and a Flight server: counts PINGs, and refuses them as gRPC servers do.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

const PREFACE: usize = 24;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const PROTOCOL_ERROR: u32 = 1;
const ENHANCE_YOUR_CALM: u32 = 11;

/// A place between client and server. It ends with the test's process.
pub struct Tap {
    address: SocketAddr,
    pings: Receiver<usize>,
}

impl Tap {
    /// Passes connections on to the server, all but the first `refused` ones: these are closed with
    /// `too_many_pings` once a call and a PING have come.
    pub fn start(server: SocketAddr, refused: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, pings) = mpsc::channel();
        thread::spawn(move || {
            for (number, client) in listener.incoming().map_while(Result::ok).enumerate() {
                let seen = seen.clone();
                thread::spawn(move || {
                    if number < refused {
                        refuse(client)
                    } else {
                        pass(client, TcpStream::connect(server)?, number, &seen)
                    }
                });
            }
        });
        Self { address, pings }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The numbers of the connections on which PINGs were passed on since this was asked last.
    pub fn pings(&self) -> Vec<usize> {
        self.pings.try_iter().collect()
    }

    /// Waits for a PING that is passed on, and tells on which connection.
    pub fn wait_for_ping(&self) -> usize {
        self.pings.recv().unwrap()
    }
}

struct Frame {
    kind: u8,
    is_acknowledgement: bool,
    bytes: Vec<u8>,
}

fn read_frame(stream: &mut impl Read) -> io::Result<Frame> {
    let mut bytes = vec![0; 9];
    stream.read_exact(&mut bytes)?;
    let length = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]) as usize;
    bytes.resize(9 + length, 0);
    stream.read_exact(&mut bytes[9..])?;
    Ok(Frame { kind: bytes[3], is_acknowledgement: bytes[4] & 1 == 1, bytes })
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, 0, 0, 0, 0, 0];
    frame.extend(payload);
    frame
}

/// The address of a server that answers each call with the end of its connection, and says why in this text.
pub fn says_goodbye(text: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || say_goodbye(client, text));
        }
    });
    format!("http://{address}")
}

fn say_goodbye(mut client: TcpStream, text: &str) -> io::Result<()> {
    client.read_exact(&mut [0; PREFACE])?;
    client.write_all(&frame(SETTINGS, &[]))?;
    while read_frame(&mut client)?.kind != HEADERS {}
    // Not even the first stream was looked at.
    go_away(client, 0, PROTOCOL_ERROR, text)
}

fn refuse(mut client: TcpStream) -> io::Result<()> {
    client.read_exact(&mut [0; PREFACE])?;
    client.write_all(&frame(SETTINGS, &[]))?;
    let (mut was_called, mut was_pinged) = (false, false);
    while !(was_called && was_pinged) {
        let frame = read_frame(&mut client)?;
        was_called |= frame.kind == HEADERS;
        was_pinged |= frame.kind == PING && !frame.is_acknowledgement;
    }
    go_away(client, 1, ENHANCE_YOUR_CALM, "too_many_pings")
}

fn go_away(mut client: TcpStream, last_stream: u32, code: u32, text: &str) -> io::Result<()> {
    let mut payload = last_stream.to_be_bytes().to_vec();
    payload.extend(code.to_be_bytes());
    payload.extend(text.as_bytes());
    client.write_all(&frame(GOAWAY, &payload))?;
    client.shutdown(Shutdown::Write)?;
    // The rest is read, so that no reset overtakes the goodbye.
    client.read_to_end(&mut Vec::new())?;
    Ok(())
}

fn pass(
    mut client: TcpStream,
    mut server: TcpStream,
    number: usize,
    pings: &Sender<usize>,
) -> io::Result<()> {
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let mut preface = [0; PREFACE];
    client.read_exact(&mut preface)?;
    server.write_all(&preface)?;
    while let Ok(frame) = read_frame(&mut client) {
        if frame.kind == PING && !frame.is_acknowledgement {
            let _ = pings.send(number);
        }
        server.write_all(&frame.bytes)?;
    }
    server.shutdown(Shutdown::Write)
}
