//! A server over plain threads: HTTP/1.1 with keep-alive, with or without TLS. It does what its handler says,
//! which may be far from HTTP.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Bytes that are written at once.
const PIECE: usize = 1 << 18;

/// A request, as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// With names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The range that is asked for, within `length` bytes.
    pub fn range(&self, length: usize) -> Option<Range<usize>> {
        let (first, last) = self.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
        let first = first.parse().ok()?;
        let end = last.parse::<usize>().map_or(length, |last| last + 1).min(length);
        (first < end).then_some(first..end)
    }
}

/// How the body is sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Bytes after which the connection is closed.
    pub cut: Option<usize>,
    /// Bytes after which nothing comes any more.
    pub stall: Option<usize>,
    /// Bytes at once, and the pause after them.
    pub drip: Option<(usize, Duration)>,
    /// Whether it is sent in chunks.
    pub chunked: bool,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    /// `Content-Length` is added if it is missing and the body is not chunked.
    pub headers: Vec<(String, String)>,
    pub body: Arc<Vec<u8>>,
    /// The part of the body that is sent.
    pub part: Range<usize>,
    pub manner: Manner,
    /// Sent in place of all the above; the connection is closed then.
    pub raw: Option<Vec<u8>>,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self::whole(status, Arc::new(Vec::new()))
    }

    pub fn text(text: impl Into<String>) -> Self {
        Self::whole(200, Arc::new(text.into().into_bytes()))
    }

    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { raw: Some(bytes.into()), ..Self::status(200) }
    }

    fn whole(status: u16, body: Arc<Vec<u8>>) -> Self {
        let part = 0..body.len();
        Self { status, headers: Vec::new(), body, part, manner: Manner::default(), raw: None }
    }

    /// As a good server gives a file.
    pub fn file(request: &Request, body: &Arc<Vec<u8>>, etag: Option<&str>) -> Self {
        let same =
            request.header("if-range").is_none_or(|wanted| Some(wanted) == etag && !wanted.starts_with("W/"));
        let mut reply = Self::whole(200, Arc::clone(body)).with("accept-ranges", "bytes");
        if let Some(range) = request.range(body.len()).filter(|_| same) {
            let span = format!("bytes {}-{}/{}", range.start, range.end - 1, body.len());
            reply = reply.with("content-range", span);
            (reply.status, reply.part) = (206, range);
        } else if same && request.header("range").is_some() {
            reply = Self::status(416).with("content-range", format!("bytes */{}", body.len()));
        }
        match etag {
            Some(etag) => reply.with("etag", etag),
            None => reply,
        }
    }

    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::status(status).with("location", location)
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn in_manner(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self
    }
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

struct Shared {
    handler: Box<Handler>,
    stop: AtomicBool,
    sent: AtomicU64,
    requests: Mutex<Vec<Request>>,
    tls: Option<Arc<rustls::ServerConfig>>,
}

/// A server on a free port of this machine; it ends when it is dropped.
pub struct Server {
    port: u16,
    shared: Arc<Shared>,
}

impl Server {
    pub fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(None, handler)
    }

    pub fn start_with(
        tls: Option<Arc<rustls::ServerConfig>>,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            stop: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            requests: Mutex::new(Vec::new()),
            tls,
        });
        let server = Self { port, shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stop.load(Ordering::Acquire) {
                    break;
                }
                let (stream, shared) = (stream.unwrap(), Arc::clone(&shared));
                std::thread::spawn(move || drop(connection(stream, &shared)));
            }
        });
        server
    }

    /// A server that gives `body` under every path.
    pub fn of_file(body: Arc<Vec<u8>>) -> Self {
        Self::start(move |request| Reply::file(request, &body, Some("\"v1\"")))
    }

    pub fn url(&self, path: &str) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}/{path}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Bytes of bodies that were sent.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        // Wakes the one who accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

fn connection(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut wire: Box<dyn Wire> = match &shared.tls {
        None => Box::new(stream),
        Some(config) => {
            let connection = rustls::ServerConnection::new(Arc::clone(config)).unwrap();
            Box::new(rustls::StreamOwned::new(connection, stream))
        }
    };
    while let Some(request) = read_request(&mut *wire)? {
        shared.requests.lock().unwrap().push(request.clone());
        let reply = (shared.handler)(&request);
        if let Some(raw) = &reply.raw {
            wire.write_all(raw)?;
            return wire.flush();
        }
        let mut head = format!("HTTP/1.1 {} X\r\n", reply.status);
        let has_length = reply.headers.iter().any(|(name, _)| name == "content-length");
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if reply.manner.chunked {
            head.push_str("transfer-encoding: chunked\r\n");
        } else if !has_length {
            head.push_str(&format!("content-length: {}\r\n", reply.part.len()));
        }
        wire.write_all(head.as_bytes())?;
        wire.write_all(b"\r\n")?;
        if request.method != "HEAD" && !send(&mut *wire, &reply, shared)? {
            return Ok(());
        }
        wire.flush()?;
    }
    Ok(())
}

/// Sends a body; false if the connection is to be closed.
fn send(wire: &mut dyn Wire, reply: &Reply, shared: &Shared) -> std::io::Result<bool> {
    let Manner { cut, stall, drip, chunked } = reply.manner;
    let body = &reply.body[reply.part.clone()];
    let end = body.len().min(cut.unwrap_or(usize::MAX)).min(stall.unwrap_or(usize::MAX));
    for piece in body[..end].chunks(drip.map_or(PIECE, |(bytes, _)| bytes)) {
        if chunked {
            write!(wire, "{:x}\r\n", piece.len())?;
        }
        wire.write_all(piece)?;
        if chunked {
            wire.write_all(b"\r\n")?;
        }
        shared.sent.fetch_add(piece.len() as u64, Ordering::SeqCst);
        if let Some((_, pause)) = drip {
            wire.flush()?;
            std::thread::sleep(pause);
        }
        if shared.stop.load(Ordering::Acquire) {
            return Ok(false);
        }
    }
    wire.flush()?;
    if stall.is_some() {
        while !shared.stop.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    if chunked && cut.is_none() && stall.is_none() {
        wire.write_all(b"0\r\n\r\n")?;
    }
    Ok(cut.is_none() && stall.is_none())
}

fn read_request(wire: &mut dyn Wire) -> std::io::Result<Option<Request>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if wire.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let mut words = lines.next().unwrap().split(' ');
    let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let header = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_ascii_lowercase(), value.to_owned()))
    };
    let headers: BTreeMap<_, _> = lines.filter_map(header).collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    wire.read_exact(&mut body)?;
    Ok(Some(Request { method, path, headers, body }))
}
