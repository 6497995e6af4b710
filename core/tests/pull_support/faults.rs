//! A server that fails at random, by a seed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::server::{Manner, Reply, Request};

/// What an answer is spoilt by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Cut,
    WrongRange,
    WrongTotal,
    NoRange,
    LongerThanSaid,
    ShorterThanSaid,
    WrongBytes,
    OtherEtag,
    Busy,
    BusyForAWhile,
    Failing,
    Drip,
    Stall,
    Loop,
    Chain,
    NotHttp,
    HugeHeaders,
    Gzip,
    Multipart,
    Closed,
    Gone,
    Http10,
}

const FAULTS: [Fault; 22] = [
    Fault::Cut,
    Fault::WrongRange,
    Fault::WrongTotal,
    Fault::NoRange,
    Fault::LongerThanSaid,
    Fault::ShorterThanSaid,
    Fault::WrongBytes,
    Fault::OtherEtag,
    Fault::Busy,
    Fault::BusyForAWhile,
    Fault::Failing,
    Fault::Drip,
    Fault::Stall,
    Fault::Loop,
    Fault::Chain,
    Fault::NotHttp,
    Fault::HugeHeaders,
    Fault::Gzip,
    Fault::Multipart,
    Fault::Closed,
    Fault::Gone,
    Fault::Http10,
];

/// How a server is all the time.
#[derive(Debug, Clone)]
pub struct Character {
    /// Its only fault, or all of them.
    pub fault: Option<Fault>,
    /// How many of a hundred answers are spoilt.
    pub percent: u32,
    pub etag: Option<&'static str>,
    pub ranges: bool,
    pub chunked: bool,
}

impl Character {
    pub fn of_seed(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        Self {
            fault: (!seed.is_multiple_of(4)).then(|| FAULTS[(seed / 4) as usize % FAULTS.len()]),
            percent: [5, 15, 40, 100][random.usize(..4)],
            etag: [Some("\"v1\""), Some("\"v1\""), Some("W/\"v1\""), None][random.usize(..4)],
            ranges: random.u32(..4) > 0,
            chunked: random.u32(..4) == 0,
        }
    }
}

/// A handler that gives `body`, spoilt by chance.
pub fn handler(seed: u64, body: Arc<Vec<u8>>) -> impl Fn(&Request) -> Reply + Send + Sync {
    let character = Character::of_seed(seed);
    let random = Mutex::new(fastrand::Rng::with_seed(!seed));
    move |request| {
        let mut random = random.lock().unwrap();
        let good = good(&character, request, &body);
        if request.path.starts_with("/hop") {
            return good;
        }
        if random.u32(..100) >= character.percent {
            return good;
        }
        let fault = character.fault.unwrap_or_else(|| FAULTS[random.usize(..FAULTS.len())]);
        spoil(fault, good, request, &mut random)
    }
}

fn good(character: &Character, request: &Request, body: &Arc<Vec<u8>>) -> Reply {
    let mut request = request.clone();
    if !character.ranges {
        request.headers.remove("range");
    }
    let reply = Reply::file(&request, body, character.etag);
    reply.in_manner(Manner { chunked: character.chunked, ..Manner::default() })
}

fn spoil(fault: Fault, good: Reply, request: &Request, random: &mut fastrand::Rng) -> Reply {
    let length = good.part.len();
    let some = random.usize(..length.max(1));
    let manner = good.manner;
    let retry = [None, Some("0"), Some("1"), Some("nonsense"), Some("Sun, 06 Nov 1994 08:49:37 GMT")];
    let busy = |status: u16, random: &mut fastrand::Rng| match retry[random.usize(..retry.len())] {
        Some(after) => Reply::status(status).with("retry-after", after),
        None => Reply::status(status),
    };
    match fault {
        Fault::Cut => good.in_manner(Manner { cut: Some(some), ..manner }),
        Fault::WrongRange => {
            let start = random.u32(..1000);
            good.with("content-range", format!("bytes {start}-{}/100000", start + 99))
        }
        Fault::WrongTotal => {
            let span = format!("bytes {}-{}/7777777", good.part.start, good.part.end.saturating_sub(1));
            good.with("content-range", span)
        }
        Fault::NoRange => {
            let mut reply = good;
            reply.headers.retain(|(name, _)| name != "content-range");
            reply
        }
        Fault::LongerThanSaid if length > 1 => good.with("content-length", (length / 2).to_string()),
        Fault::ShorterThanSaid if !manner.chunked => good
            .with("content-length", (length + 100).to_string())
            .in_manner(Manner { cut: Some(length), ..manner }),
        Fault::WrongBytes if length > 0 => {
            let mut reply = good;
            let mut body = Vec::clone(&reply.body);
            body[reply.part.start + some] ^= 1 << random.u32(..8);
            reply.body = Arc::new(body);
            reply
        }
        Fault::OtherEtag => good.with("etag", format!("\"v{}\"", random.u32(2..))),
        Fault::Busy => busy(429, random),
        Fault::BusyForAWhile => Reply::status(503).with("retry-after", "7200"),
        Fault::Failing => busy([500, 502, 503, 504][random.usize(..4)], random),
        Fault::Drip => good.in_manner(Manner { drip: Some((4096, Duration::from_millis(2))), ..manner }),
        Fault::Stall => good.in_manner(Manner { stall: Some(some), ..manner }),
        Fault::Loop => Reply::redirect(302, request.path.clone()),
        Fault::Chain => Reply::redirect([301, 302, 303, 307, 308][random.usize(..5)], format!("/hop{some}")),
        Fault::NotHttp => Reply::raw(
            ["\0\u{1}\u{2}", "HTTP/1.1 abc\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 200"][random.usize(..4)],
        ),
        Fault::HugeHeaders => good.with("x-much", "x".repeat(100_000)),
        Fault::Gzip => good.with("content-encoding", "gzip"),
        Fault::Multipart => {
            let mut reply = good.with("content-type", "multipart/byteranges; boundary=x");
            reply.headers.retain(|(name, _)| name != "content-range");
            reply
        }
        Fault::Gone => Reply::status([401, 403, 404, 410, 416][random.usize(..5)]),
        Fault::Http10 => {
            // Without a length: the end of the connection is the end of the body.
            let mut raw = b"HTTP/1.0 200 OK\r\n\r\n".to_vec();
            raw.extend_from_slice(&good.body[..good.body.len() - random.usize(..2)]);
            Reply::raw(raw)
        }
        Fault::Closed | Fault::LongerThanSaid | Fault::ShorterThanSaid | Fault::WrongBytes => {
            Reply::raw(Vec::new())
        }
    }
}
