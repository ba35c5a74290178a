//! The same cloud over a real port.

use http::Request;
use simcloud::{Cloud, Config, Fault, Kind, Login, Route, Server};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(("127.0.0.1", server.port()))
        .await
        .expect("a connection")
}

/// Reads one answer: its head and as much of its body as comes.
async fn answer(stream: &mut TcpStream) -> std::io::Result<(String, usize, String)> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().expect("a number"));
            if body.len() >= length {
                return Ok((head.to_owned(), length, body.to_owned()));
            }
        }
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
            return Ok((head.to_owned(), usize::MAX, body.to_owned()));
        }
        read.extend_from_slice(&chunk[..count]);
    }
}

const GET: &[u8] = b"GET /volume/ HTTP/1.1\r\nHost: cloud.example:1234\r\n\r\n";

#[tokio::test]
async fn a_connection_serves_request_after_request() {
    let cloud = Cloud::new(Config::default());
    let server = cloud.serve().await.expect("a port");
    let mut stream = connect(&server).await;
    for _ in 0..3 {
        stream.write_all(GET).await.expect("sent");
        let (head, length, body) = answer(&mut stream).await.expect("an answer");
        assert!(head.starts_with("HTTP/1.1 300 Multiple Choices"), "{head}");
        assert_eq!(body.len(), length);
        assert!(body.contains("http://cloud.example:1234/volume/v3/"));
    }
    assert_eq!(cloud.journal().count(Route::CinderVersions), 3);
}

#[tokio::test]
async fn bodies_may_come_in_chunks_and_in_pieces() {
    let cloud = Cloud::new(Config::default());
    let server = cloud.serve().await.expect("a port");
    let mut stream = connect(&server).await;
    let head = b"POST /identity/v3/auth/tokens HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head).await.expect("sent");
    for piece in ["5\r\n{\"aut", "\r\n6\r\nh\":{}}\r\n", "0\r\n\r\n"] {
        stream.write_all(piece.as_bytes()).await.expect("sent");
        stream.flush().await.expect("sent");
        tokio::task::yield_now().await;
    }
    let (head, _, body) = answer(&mut stream).await.expect("an answer");
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
    assert!(
        body.contains("Expecting to find identity in auth."),
        "{body}"
    );
}

#[tokio::test]
async fn a_reset_is_a_reset_and_a_cut_body_is_shorter_than_it_says() {
    let cloud = Cloud::new(Config::default());
    let server = cloud.serve().await.expect("a port");
    cloud.inject(Fault::on(Route::CinderVersions, Kind::ResetBefore));
    cloud.inject(Fault::on(Route::CinderVersions, Kind::Truncate));
    let mut stream = connect(&server).await;
    stream.write_all(GET).await.expect("sent");
    let error = answer(&mut stream).await.expect_err("a reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let mut stream = connect(&server).await;
    stream.write_all(GET).await.expect("sent");
    let (head, length, body) = answer(&mut stream).await.expect("half an answer");
    assert_eq!(length, usize::MAX);
    assert!(head.contains("content-length: ") && !body.is_empty());
}

#[tokio::test]
async fn a_client_that_leaves_a_hanging_request_is_noticed() {
    let cloud = Cloud::new(Config::default());
    let server = cloud.serve().await.expect("a port");
    cloud.inject(Fault::on(Route::CinderVersions, Kind::HangBefore));
    let mut stream = connect(&server).await;
    stream.write_all(GET).await.expect("sent");
    let in_flight = || cloud.with_journal(|journal| journal.in_flight);
    let wait = |wanted: usize| async move {
        while in_flight() != wanted {
            tokio::task::yield_now().await;
        }
    };
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, wait(1))
        .await
        .expect("the request to arrive");
    drop(stream);
    tokio::time::timeout(patience, wait(0))
        .await
        .expect("the client to be missed");
}

#[tokio::test]
async fn a_dropped_server_is_gone_and_its_cloud_is_not() {
    let cloud = Cloud::new(Config::default());
    let server = cloud.serve().await.expect("a port");
    let port = server.port();
    let variables = cloud.os_env(&server.url(), Login::AppCred);
    assert!(variables.contains(&(
        "OS_AUTH_URL".into(),
        format!("http://127.0.0.1:{port}/identity/v3")
    )));
    drop(server);
    let gone = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone)
        .await
        .expect("the port to be free");
    let request = Request::builder()
        .uri("/volume/")
        .body(bytes::Bytes::new())
        .expect("a request");
    assert_eq!(
        cloud.handle(request).await.expect("an answer").status(),
        300
    );
}

#[tokio::test]
async fn a_port_can_refuse_and_be_there_again() {
    let cloud = Cloud::new(Config::default());
    let mut server = cloud.serve().await.expect("a port");
    let address = server.url().trim_start_matches("http://").to_owned();
    let connect = || tokio::net::TcpStream::connect(address.clone());
    assert!(connect().await.is_ok());
    server.refuse().await;
    server.refuse().await;
    let refused = connect().await.expect_err("nobody listens");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    server.accept_again().await.expect("the same port");
    assert!(connect().await.is_ok());
}
