//! A small web server: files under their paths, ranges of them, and as slow as a test wants it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is sent between two pauses, where it is slow.
const SIP: usize = 16 << 10;

#[derive(Default)]
struct Shelf {
    files: Mutex<HashMap<String, Arc<Vec<u8>>>>,
    slow: AtomicBool,
    sent: AtomicU64,
}

/// Serves until the test ends.
pub struct Server {
    port: u16,
    shelf: Arc<Shelf>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shelf = Arc::new(Shelf::default());
        let shared = shelf.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shelf = shared.clone();
                // A client that goes away is none of the server's business.
                std::thread::spawn(move || drop(shelf.serve(&stream)));
            }
        });
        Self { port, shelf }
    }

    /// Puts a file at `path`, and gives its source.
    pub fn put(&self, path: &str, bytes: &[u8]) -> String {
        self.shelf.files.lock().unwrap().insert(path.to_owned(), Arc::new(bytes.to_vec()));
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn remove(&self, path: &str) {
        self.shelf.files.lock().unwrap().remove(path);
    }

    pub fn slow(&self, slow: bool) {
        self.shelf.slow.store(slow, Ordering::SeqCst);
    }

    /// Bytes of files that were sent so far.
    pub fn sent(&self) -> u64 {
        self.shelf.sent.load(Ordering::SeqCst)
    }

    /// Waits until that many bytes were sent.
    pub fn wait_for(&self, bytes: u64) {
        while self.sent() < bytes {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Shelf {
    fn serve(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let mut request = String::new();
            if reader.read_line(&mut request)? == 0 {
                return Ok(());
            }
            let mut range = None;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line)?;
                let line = line.trim().to_ascii_lowercase();
                if line.is_empty() {
                    break;
                }
                if let Some(asked) = line.strip_prefix("range: bytes=") {
                    range = asked.split_once('-').map(|(from, to)| (from.parse().unwrap(), to.parse().ok()));
                }
            }
            let mut words = request.split(' ');
            let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            let file = self.files.lock().unwrap().get(path).cloned();
            let Some(file) = file else {
                stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?;
                continue;
            };
            self.answer(stream, method == "HEAD", &file, range)?;
        }
    }

    fn answer(
        &self,
        mut stream: &TcpStream,
        head: bool,
        file: &[u8],
        range: Option<(usize, Option<usize>)>,
    ) -> std::io::Result<()> {
        let size = file.len();
        let (status, from, to) = match range {
            None => ("200 OK".to_owned(), 0, size),
            Some((from, to)) => {
                let to = to.map_or(size, |to| size.min(to + 1));
                (format!("206 Partial Content\r\nContent-Range: bytes {from}-{}/{size}", to - 1), from, to)
            }
        };
        let tag = file.iter().fold(0u32, |sum, &byte| sum.rotate_left(5) ^ u32::from(byte));
        write!(
            stream,
            "HTTP/1.1 {status}\r\nAccept-Ranges: bytes\r\nETag: \"{tag:x}\"\r\nContent-Length: {}\r\n\r\n",
            to - from
        )?;
        if head {
            return Ok(());
        }
        for sip in file[from..to].chunks(SIP) {
            if self.slow.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(20));
            }
            stream.write_all(sip)?;
            self.sent.fetch_add(sip.len() as u64, Ordering::SeqCst);
        }
        Ok(())
    }
}
