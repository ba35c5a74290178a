//! A bare HTTP client: it sends a request, reads the answer, and looks at nothing in it. What
//! it takes is what the cloud alone takes.

use std::io;
use std::time::{Duration, Instant};

use http::{HeaderMap, Method};
use simcloud::{Cloud, Login, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection to the cloud, logged in.
pub(super) struct Bare {
    stream: TcpStream,
    token: String,
    buffer: Vec<u8>,
}

/// Status, headers and body of an answer; the body is none of this client's business beyond
/// its end, where a listing's link is.
struct Reply {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Bare {
    /// Connects and logs in.
    pub(super) async fn log_in(cloud: &Cloud, server: &Server) -> io::Result<Self> {
        let variables = cloud.os_env(&server.url(), Login::AppCred);
        let variable = |wanted: &str| {
            variables
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.clone())
                .unwrap_or_default()
        };
        let body = serde_json::json!({"auth": {"identity": {
            "methods": ["application_credential"],
            "application_credential": {
                "id": variable("OS_APPLICATION_CREDENTIAL_ID"),
                "secret": variable("OS_APPLICATION_CREDENTIAL_SECRET"),
            },
        }}});
        let mut bare = Self {
            stream: connect(server).await?,
            token: String::new(),
            buffer: Vec::new(),
        };
        let path = "/identity/v3/auth/tokens";
        let reply = bare.send(&Method::POST, path, &body.to_string()).await?;
        let token = reply.headers.get("x-subject-token");
        bare.token = token
            .and_then(|token| token.to_str().ok())
            .ok_or_else(|| io::Error::other("the cloud gave no token"))?
            .to_owned();
        Ok(bare)
    }

    /// Another connection with the same token.
    pub(super) async fn another(&self, server: &Server) -> io::Result<Self> {
        Ok(Self {
            stream: connect(server).await?,
            token: self.token.clone(),
            buffer: Vec::new(),
        })
    }

    /// Follows a listing to its end and gives the number of its pages.
    pub(super) async fn list(&mut self, path: &str) -> io::Result<u32> {
        let mut path = path.to_owned();
        for pages in 1.. {
            let reply = self.send(&Method::GET, &path, "").await?;
            match next(&reply.body) {
                Some(next) => path = next,
                None => return Ok(pages),
            }
        }
        unreachable!("a listing has fewer pages than there are numbers")
    }

    /// Asks for something small.
    pub(super) async fn get(&mut self, path: &str) -> io::Result<()> {
        self.send(&Method::GET, path, "").await.map(drop)
    }

    /// What a small request takes, the middle of many.
    pub(super) async fn middle(&mut self, path: &str) -> io::Result<Duration> {
        const REQUESTS: usize = 51;
        let mut taken = Vec::with_capacity(REQUESTS);
        for _ in 0..REQUESTS {
            let begun = Instant::now();
            self.get(path).await?;
            taken.push(begun.elapsed());
        }
        taken.sort();
        Ok(taken[REQUESTS / 2])
    }

    async fn send(&mut self, method: &Method, path: &str, body: &str) -> io::Result<Reply> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nx-auth-token: {}\r\n\
             openstack-api-version: volume 3.22\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.stream.peer_addr()?,
            self.token,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut headers = [httparse::EMPTY_HEADER; 32];
            let mut reply = httparse::Response::new(&mut headers);
            let parsed = reply.parse(&self.buffer).map_err(io::Error::other)?;
            let httparse::Status::Complete(head) = parsed else {
                continue;
            };
            if !matches!(reply.code, Some(200..300)) {
                return Err(io::Error::other(format!("{path}: {:?}", reply.code)));
            }
            let mut kept = HeaderMap::new();
            for header in reply.headers.iter() {
                if let (Ok(name), Ok(value)) = (
                    header.name.parse::<http::HeaderName>(),
                    header.value.try_into(),
                ) {
                    kept.insert(name, value);
                }
            }
            let length: usize = kept
                .get("content-length")
                .and_then(|length| length.to_str().ok()?.parse().ok())
                .unwrap_or_default();
            while self.buffer.len() < head + length {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            return Ok(Reply {
                headers: kept,
                body: self.buffer.split_off(head),
            });
        }
    }
}

async fn connect(server: &Server) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", server.port())).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Path and query of the next page: the link is behind the rows.
fn next(body: &[u8]) -> Option<String> {
    const LONGEST: usize = 1024;
    let end = &body[body.len().saturating_sub(LONGEST)..];
    let end = String::from_utf8_lossy(end);
    let links = end.rsplit_once("_links\"")?.1;
    let href = links.split_once("\"href\": \"")?.1.split_once('"')?.0;
    let path = href.split_once("://")?.1.split_once('/')?.1;
    Some(format!("/{path}"))
}
