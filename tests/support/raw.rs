//! A server that says one thing, whatever it hears.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::thread;

/// Answers every connection with these bytes, once it was spoken to, and says no more. It ends with the test's process.
pub fn answering(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(answer);
                let _ = stream.shutdown(Shutdown::Write);
                // The rest is read, so that no reset overtakes the answer.
                let _ = stream.read_to_end(&mut Vec::new());
            });
        }
    });
    address
}
