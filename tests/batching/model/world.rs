//! The server of the model: what it stores, and what it does wrong.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use crate::random::Random;
use crate::support::batching::numbers;
use crate::support::http::{Reply, Request, Server};

/// What the server knows of a database.
pub(crate) struct World {
    pub(crate) random: Random,
    /// One of so many requests is answered wrongly.
    pub(crate) fault_every: usize,
    pub(crate) most_lines: usize,
    /// How many requests may still be left without an answer, which takes the client a while to notice.
    pub(crate) stalls: usize,
    pub(crate) stored: BTreeSet<i64>,
}

/// The worlds of all programs that run, by their databases.
pub(crate) type Worlds = Arc<Mutex<HashMap<String, World>>>;

/// The server does not take these.
pub(crate) fn is_bad(number: i64) -> bool {
    number % 17 == 5
}

pub(crate) fn serve(worlds: &Worlds) -> Server {
    let worlds = worlds.clone();
    Server::start(move |_, request| {
        let database = request.path.split(['=', '&']).nth(1).unwrap_or_default();
        match worlds.lock().unwrap().get_mut(database) {
            Some(world) => answer(world, request),
            None => Reply::Close,
        }
    })
}

#[cfg(feature = "gzip")]
fn body(request: &Request) -> Vec<u8> {
    if request.header("content-encoding").is_none() {
        return request.body.clone();
    }
    let mut bytes = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(&request.body[..]);
    std::io::Read::read_to_end(&mut decoder, &mut bytes).unwrap();
    bytes
}

#[cfg(not(feature = "gzip"))]
fn body(request: &Request) -> Vec<u8> {
    request.body.clone()
}

fn answer(world: &mut World, request: &Request) -> Reply {
    let lines = numbers(&body(request));
    let is_fault = world.random.one_in(world.fault_every);
    let fault = world.random.below(9);
    match fault {
        _ if lines.len() > world.most_lines => return Reply::status(413),
        0 if is_fault => return Reply::status(503),
        1 if is_fault => return Reply::Answer(429, vec![("retry-after", "0".into())], vec![]),
        2 if is_fault => return Reply::Close,
        3 if is_fault => return Reply::status(401),
        4 if is_fault => return Reply::Raw(b"HTTP/1.1 5".to_vec()),
        5 if is_fault && world.stalls > 0 => {
            world.stalls -= 1;
            return Reply::Stall;
        }
        _ => {}
    }
    let bad: Vec<_> = (0..lines.len()).filter(|place| is_bad(lines[*place])).collect();
    let is_v2 = request.path.starts_with("/api/v2/");
    if is_v2 && !bad.is_empty() {
        return Reply::text(
            400,
            r#"{"code":"invalid","message":"write buffer error: parsing for line protocol failed"}"#,
        );
    }
    world.stored.extend(lines.iter().filter(|number| !is_bad(**number)));
    match fault {
        // It is stored, but the client cannot know.
        6 if is_fault => return Reply::Close,
        7 if is_fault => return Reply::status(500),
        8 if is_fault && bad.is_empty() => return Reply::AnswerThenClose(204),
        _ => {}
    }
    if bad.is_empty() {
        return Reply::status(204);
    }
    let named: Vec<_> = bad
        .iter()
        .map(|place| format!(r#"{{"error_message":"bad","line_number":{}}}"#, place + 1))
        .collect();
    let body = format!(r#"{{"error":"partial write","data":[{}]}}"#, named.join(","));
    Reply::text(400, &body)
}
