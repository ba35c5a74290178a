//! One body of more than 64 MiB is refused, however it is announced, and memory stays bounded.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use bytes::Bytes;
use snapsentry::deadline::Deadline;
use snapsentry::transport::{Https, Response, Transport, TransportError, Trust};

const MIB: usize = 1024 * 1024;
const LIMIT: usize = 64 * MIB;
/// What the server would send to whoever goes on reading.
const ENDLESS: usize = 1024 * MIB;

/// How the length is told.
#[derive(Clone, Copy, Debug)]
enum Told {
    Length,
    Chunks,
    End,
}

/// A server that answers one request with so many bytes; it gives how many it got rid of, and
/// the head of the request.
fn server(
    told: Told,
    length: usize,
    header: &'static str,
) -> (String, JoinHandle<(usize, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}/", listener.local_addr().expect("it is bound"));
    let serving = spawn(move || {
        let (mut stream, _) = listener.accept().expect("the client connects");
        let mut request = String::new();
        let mut reader = BufReader::new(stream.try_clone().expect("a handle more"));
        while reader.read_line(&mut request).expect("a head") > 2 {}
        (answer(&mut stream, told, length, header), request)
    });
    (address, serving)
}

fn answer(stream: &mut TcpStream, told: Told, length: usize, header: &str) -> usize {
    let how = match told {
        Told::Length => format!("Content-Length: {length}\r\n"),
        Told::Chunks => "Transfer-Encoding: chunked\r\n".into(),
        Told::End => "Connection: close\r\n".into(),
    };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{header}{how}\r\n");
    let mut sent = 0;
    let piece = vec![b' '; MIB];
    // The client hangs up in the middle: that is what this is about.
    let mut send = |bytes: &[u8]| stream.write_all(bytes).is_ok();
    if !send(head.as_bytes()) {
        return 0;
    }
    while sent < length {
        let piece = &piece[..MIB.min(length - sent)];
        let is_sent = match told {
            Told::Chunks => {
                send(format!("{:x}\r\n", piece.len()).as_bytes()) && send(piece) && send(b"\r\n")
            }
            _ => send(piece),
        };
        if !is_sent {
            return sent;
        }
        sent += piece.len();
    }
    if matches!(told, Told::Chunks) {
        send(b"0\r\n\r\n");
    }
    sent
}

async fn fetch(address: &str) -> Result<Response, TransportError> {
    let trust = Trust::new(None, false).expect("the built-in roots can be read");
    let client = Https::direct(&trust).expect("a client");
    let request = http::Request::get(address)
        .body(Bytes::new())
        .expect("a request");
    client
        .send(Deadline::after(Duration::from_secs(60)), request)
        .await
}

/// Waits for the server while the client's connections can still be closed.
async fn ended(serving: JoinHandle<(usize, String)>) -> (usize, String) {
    let waiting = tokio::task::spawn_blocking(|| serving.join());
    let joined = waiting.await.expect("it is not aborted");
    joined.expect("the server does not panic")
}

/// The most memory that this process has had at a time, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    kilobytes.expect("Linux tells it") * 1024
}

#[tokio::test]
async fn a_body_that_is_larger_is_refused_while_it_comes() {
    let before = peak();
    for told in [Told::Length, Told::Chunks, Told::End] {
        for length in [LIMIT + 1, ENDLESS] {
            let (address, serving) = server(told, length, "");
            let answer = fetch(&address).await;
            let refused = TransportError::TooLarge { limit: LIMIT };
            assert_eq!(
                answer.map(|answer| answer.body().len()),
                Err(refused),
                "{told:?} {length}"
            );
            let (sent, _) = ended(serving).await;
            // What it got rid of beyond the limit lay in the sockets' buffers.
            assert!(sent <= LIMIT + 32 * MIB, "{told:?}: {sent}");
        }
    }
    // A buffer that grows by doubling has at most three times the limit while it moves.
    let grown = peak() - before;
    assert!(grown < 4 * LIMIT, "{grown} bytes more");
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_taken() {
    for told in [Told::Length, Told::Chunks, Told::End] {
        let (address, serving) = server(told, LIMIT, "");
        let answer = fetch(&address).await.expect("an answer");
        assert_eq!(answer.body().len(), LIMIT, "{told:?}");
        ended(serving).await;
    }
}

#[tokio::test]
async fn no_compressed_body_is_asked_for_and_one_that_comes_is_not_unpacked() {
    let (address, serving) = server(Told::Length, 1_000, "Content-Encoding: gzip\r\n");
    let answer = fetch(&address).await.expect("an answer");
    assert_eq!(answer.body().len(), 1_000, "as it came");
    let (_, request) = ended(serving).await;
    assert!(
        !request.to_lowercase().contains("accept-encoding"),
        "{request}"
    );
}
