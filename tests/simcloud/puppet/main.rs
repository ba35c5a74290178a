//! A Lambda function that does as its event says, in plain blocking Rust: it prints, waits,
//! answers, fails or exits, so that the tests of the Runtime API have somebody to talk to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::exit;
use std::time::Duration;

use serde_json::{Value, json};

fn main() {
    if std::env::var_os("PUPPET_EXITS_AT_ONCE").is_some() {
        eprintln!("this puppet does not even start");
        exit(3);
    }
    println!("cold start");
    loop {
        let (headers, event) = exchange("GET", "invocation/next", "");
        let header = |name: &str| {
            let found = headers.iter().find(|(have, _)| have == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let id = header("lambda-runtime-aws-request-id");
        let Ok(event) = serde_json::from_slice::<Value>(&event) else {
            let body = json!({ "errorType": "NoJson", "errorMessage": "that was no JSON" });
            exchange("POST", &format!("invocation/{id}/error"), &body.to_string());
            continue;
        };
        speak(&event, &id);
        if let Some(kind) = event["fail"].as_str() {
            let body = json!({ "errorType": kind, "errorMessage": "as told" });
            exchange("POST", &format!("invocation/{id}/error"), &body.to_string());
        } else {
            let environment: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
            let answer = json!({
                "event": event, "deadline": header("lambda-runtime-deadline-ms"),
                "environment": environment,
            });
            exchange(
                "POST",
                &format!("invocation/{id}/response"),
                &answer.to_string(),
            );
        }
        if let Some(text) = event["after"].as_str() {
            println!("{text}");
        }
    }
}

/// Prints, waits and exits as told.
fn speak(event: &Value, id: &str) {
    for number in 0..event["lines"].as_u64().unwrap_or(0) {
        println!("line {number} of {id}");
    }
    if let Some(text) = event["stderr"].as_str() {
        eprintln!("{text}");
    }
    if let Some(text) = event["unfinished"].as_str() {
        print!("{text}");
        std::io::stdout().flush().expect("a pipe");
    }
    if let Some(millis) = event["wait"].as_u64() {
        std::thread::sleep(Duration::from_millis(millis));
    }
    if let Some(code) = event["exit"].as_i64() {
        exit(i32::try_from(code).expect("a small number"));
    }
}

/// Sends one request on a connection of its own and reads headers and body of its answer.
fn exchange(method: &str, path: &str, body: &str) -> (Vec<(String, String)>, Vec<u8>) {
    let address = std::env::var("AWS_LAMBDA_RUNTIME_API").expect("run by Lambda");
    let stream = TcpStream::connect(address).expect("a Runtime API");
    let length = body.len();
    let head = format!("{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nhost: lambda\r\n");
    let request = format!("{head}content-length: {length}\r\n\r\n{body}");
    (&stream).write_all(request.as_bytes()).expect("sent");
    let mut reader = BufReader::new(&stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().expect("a number"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    (headers, body)
}
