//! HTTP/1.1 over real sockets, by hand: a library would not let an answer be cut in the
//! middle, nor a connection be reset, at a chosen moment.

use std::future::{Future, pending};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::cloud::Interrupted;

/// Larger requests are a mistake: the connection is closed.
const MAX_REQUEST: usize = 64 << 20;
const MAX_HEADERS: usize = 100;

/// Answers requests. Its future is dropped when the client goes away.
pub(crate) trait Handler: Send + Sync + 'static {
    fn handle(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Response<Bytes>, Interrupted>> + Send;
}

/// A server on a loopback port. It ends, with its connections, when it is dropped.
pub(crate) struct Listener {
    address: SocketAddr,
    accept: Box<dyn Fn(TcpListener) -> JoinHandle<()> + Send + Sync>,
    accepting: Option<JoinHandle<()>>,
}

impl Listener {
    /// Listens on a port; 0 takes a free one.
    pub(crate) async fn bind(port: u16, handler: impl Handler) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let handler = Arc::new(handler);
        let accept = move |listener| tokio::spawn(accept(listener, handler.clone()));
        let accepting = Some(accept(listener));
        Ok(Self {
            address,
            accept: Box::new(accept),
            accepting,
        })
    }

    /// Ends all connections and refuses new ones.
    pub(crate) async fn refuse(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            // It ends by being told to, which is no news.
            let _ = accepting.await;
        }
    }

    /// Listens on the same port again.
    pub(crate) async fn accept_again(&mut self) -> io::Result<()> {
        self.refuse().await;
        let listener = TcpListener::bind(self.address).await?;
        self.accepting = Some((self.accept)(listener));
        Ok(())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

async fn accept(listener: TcpListener, handler: Arc<impl Handler>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A client that is gone before it was accepted is its own affair.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, handler.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

/// Serves one connection until its client closes it; an error of its socket ends it as well.
async fn serve(mut stream: TcpStream, handler: Arc<impl Handler>) {
    let mut buffer = BytesMut::with_capacity(4096);
    if stream.set_nodelay(true).is_err() {
        return;
    }
    while let Ok(Some(request)) = read(&mut stream, &mut buffer).await {
        let last = request
            .headers()
            .get("connection")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
        let result = tokio::select! {
            biased;
            result = handler.handle(request) => result,
            () = closed(&stream) => return,
        };
        match result {
            Ok(response) => {
                if write(&mut stream, response).await.is_err() || last {
                    break;
                }
            }
            Err(Interrupted::Truncated(part)) => {
                // Its Content-Length is the whole answer's; then the connection ends.
                let _ = write(&mut stream, part).await;
                break;
            }
            Err(Interrupted::Reset | Interrupted::Refused) => {
                // Closing without lingering sends RST.
                let _ = stream.set_zero_linger();
                return;
            }
        }
    }
    let _ = stream.shutdown().await;
}

/// Resolves when the client has closed the connection.
async fn closed(stream: &TcpStream) {
    match stream.peek(&mut [0]).await {
        Ok(0) | Err(_) => {}
        // The next request is there already; it says nothing about closing.
        Ok(_) => pending().await,
    }
}

/// Reads a request; `None` when the client has closed the connection between two.
async fn read(stream: &mut TcpStream, buffer: &mut BytesMut) -> io::Result<Option<Request<Bytes>>> {
    let invalid = |why: &'static str| io::Error::new(io::ErrorKind::InvalidData, why);
    let (request, length) = loop {
        if let Some(parsed) = head(buffer)? {
            break parsed;
        }
        if buffer.len() > 1 << 16 {
            return Err(invalid("the head is too long"));
        }
        if stream.read_buf(buffer).await? == 0 {
            return if buffer.is_empty() {
                Ok(None)
            } else {
                Err(invalid("cut head"))
            };
        }
    };
    if request.headers().get("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let body = match length {
        Length::Known(length) if length > MAX_REQUEST => return Err(invalid("too long")),
        Length::Known(length) => {
            fill(stream, buffer, length).await?;
            buffer.split_to(length).freeze()
        }
        Length::Chunked => chunks(stream, buffer).await?,
    };
    Ok(Some(request.map(|()| body)))
}

enum Length {
    Known(usize),
    Chunked,
}

/// Takes a head out of the buffer, once it is there.
fn head(buffer: &mut BytesMut) -> io::Result<Option<(Request<()>, Length)>> {
    let invalid = |error: &dyn std::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidData, error.to_string())
    };
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(buffer).map_err(|error| invalid(&error))? {
        httparse::Status::Partial => return Ok(None),
        httparse::Status::Complete(length) => length,
    };
    let mut builder = Request::builder()
        .method(parsed.method.unwrap_or("GET"))
        .uri(parsed.path.unwrap_or("/"));
    for header in parsed.headers.iter() {
        builder = builder.header(header.name, header.value);
    }
    let request = builder.body(()).map_err(|error| invalid(&error))?;
    buffer.advance(length);
    let body = body_length(request.headers()).ok_or_else(|| invalid(&"content-length"))?;
    Ok(Some((request, body)))
}

fn body_length(headers: &HeaderMap) -> Option<Length> {
    if headers
        .get("transfer-encoding")
        .is_some_and(|value| value == "chunked")
    {
        return Some(Length::Chunked);
    }
    match headers.get("content-length") {
        None => Some(Length::Known(0)),
        Some(value) => value.to_str().ok()?.parse().ok().map(Length::Known),
    }
}

/// Reads until the buffer holds this many bytes.
async fn fill(stream: &mut TcpStream, buffer: &mut BytesMut, length: usize) -> io::Result<()> {
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

async fn chunks(stream: &mut TcpStream, buffer: &mut BytesMut) -> io::Result<Bytes> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "a broken chunk");
    let mut body = BytesMut::new();
    loop {
        let (skip, length) = loop {
            match httparse::parse_chunk_size(buffer).map_err(|_| invalid())? {
                httparse::Status::Complete(found) => break found,
                httparse::Status::Partial => fill(stream, buffer, buffer.len() + 1).await?,
            }
        };
        buffer.advance(skip);
        let length = usize::try_from(length).map_err(|_| invalid())?;
        if body.len() + length > MAX_REQUEST {
            return Err(invalid());
        }
        if length == 0 {
            // Trailers are skipped up to the empty line.
            loop {
                let end = loop {
                    match buffer.windows(2).position(|two| two == b"\r\n") {
                        Some(end) => break end,
                        None => fill(stream, buffer, buffer.len() + 1).await?,
                    }
                };
                buffer.advance(end + 2);
                if end == 0 {
                    return Ok(body.freeze());
                }
            }
        }
        fill(stream, buffer, length + 2).await?;
        body.extend_from_slice(&buffer[..length]);
        buffer.advance(length + 2);
    }
}

async fn write(stream: &mut TcpStream, response: Response<Bytes>) -> io::Result<()> {
    let (parts, body) = response.into_parts();
    let mut out = Vec::with_capacity(512 + body.len().min(1 << 16));
    let reason = parts.status.canonical_reason().unwrap_or("Unknown");
    out.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", parts.status.as_u16()).as_bytes());
    for (name, value) in &parts.headers {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if parts.status != 204 && !parts.headers.contains_key("content-length") {
        out.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    if body.len() <= 1 << 16 {
        out.extend_from_slice(&body);
        stream.write_all(&out).await
    } else {
        stream.write_all(&out).await?;
        stream.write_all(&body).await
    }
}
