//! One request for bytes, on a thread of its own. It touches no file: what it reads goes to the thread that
//! ordered it, and if nobody listens any more, nowhere.

use std::io::Read;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;

use ureq::http::{HeaderMap, Method, StatusCode, Uri, header};

use super::fault::Fault;
use super::http::{Answer, Client};
use super::hub;
use crate::checkpoint::Digest;

/// Bytes that are read at once.
pub(super) const CHUNK: usize = 1 << 17;

/// What a source has to add to a refusal: what the user can do.
pub(super) type Hint = fn(StatusCode, &HeaderMap) -> Option<String>;

/// What to ask for.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) url: Uri,
    /// The bytes that are wanted; all, without a word of ranges, if there is none.
    pub(super) range: Option<Range<u64>>,
    /// The ETag that they must belong to.
    pub(super) if_range: Option<String>,
    pub(super) hint: Hint,
}

/// How an answer begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Start {
    /// The bytes that follow; the end is not known if the server does not tell.
    pub(super) first: u64,
    pub(super) end: Option<u64>,
    /// Whether it is a part, or the whole file.
    pub(super) part: bool,
    /// Whether the end of the body shows that it is complete.
    pub(super) framed: bool,
    /// The size of the whole file.
    pub(super) total: Option<u64>,
    /// The ETag, if it is a strong one.
    pub(super) etag: Option<String>,
    /// The digest of the whole file, if the source tells it.
    pub(super) digest: Option<Digest>,
    /// Where the bytes come from, after all redirects.
    pub(super) url: Uri,
}

/// What a worker tells, in this order: a start, bytes from its first position on, an end; or only an end.
pub(super) enum News {
    Started(Start),
    Bytes(Vec<u8>),
    Ended(Result<(), Fault>),
}

/// Does what is ordered on a new thread, and tells `news` of it under the number `id`.
pub(super) fn start(
    client: Client,
    order: Order,
    id: u64,
    stop: Arc<AtomicBool>,
    news: SyncSender<(u64, News)>,
) -> Result<(), Fault> {
    let work = move || {
        let tell = |what| !stop.load(Ordering::Acquire) && news.send((id, what)).is_ok();
        let result = catch_unwind(AssertUnwindSafe(|| work(&client, &order, tell)));
        let result = result.unwrap_or_else(|_| Err(Fault::passing("the HTTP client failed")));
        let _ = news.send((id, News::Ended(result)));
    };
    let thread = std::thread::Builder::new().name("pinfold-pull".to_owned()).spawn(work);
    thread.map(drop).map_err(|error| Fault::passing(format!("no thread could be started: {error}")))
}

/// Reads an answer; `tell` says whether anybody still listens.
fn work(client: &Client, order: &Order, tell: impl Fn(News) -> bool) -> Result<(), Fault> {
    let span = order.range.as_ref().map(|range| format!("bytes={}-{}", range.start, range.end - 1));
    let mut headers = Vec::new();
    if let Some(span) = &span {
        headers.push((header::RANGE, span.as_str()));
    }
    if let Some(etag) = &order.if_range {
        headers.push((header::IF_RANGE, etag.as_str()));
    }
    let answer = client.send(&Method::GET, &order.url, &headers)?;
    let start = examine(order, &answer)?;
    let (first, end) = (start.first, start.end);
    if !tell(News::Started(start)) {
        return Ok(());
    }
    let mut body = answer.body.into_reader();
    let mut at = first;
    loop {
        let mut bytes = vec![0; CHUNK];
        let read = match body.read(&mut bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            break;
        }
        bytes.truncate(read);
        at += read as u64;
        if end.is_some_and(|end| at > end) {
            return Err(Fault::passing("the answer is longer than it said"));
        }
        if !tell(News::Bytes(bytes)) {
            return Ok(());
        }
    }
    match end {
        Some(end) if at < end => Err(Fault::passing(format!(
            "the answer is cut off after {} of {} bytes",
            at - first,
            end - first
        ))),
        _ => Ok(()),
    }
}

/// Checks that an answer is what was asked for.
fn examine(order: &Order, answer: &Answer) -> Result<Start, Fault> {
    let last = answer.last();
    let encoding = last.headers.get(header::CONTENT_ENCODING);
    if last.status.is_success() && encoding.is_some_and(|encoding| encoding != "identity") {
        return Err(Fault::passing("the server compresses, though it was not asked to"));
    }
    let etag = last.header(header::ETAG).filter(|etag| is_strong(etag)).map(str::to_owned);
    // ureq counts an empty body as none.
    let is_empty = last.header(header::CONTENT_LENGTH) == Some("0");
    let length = answer.body.content_length().or_else(|| is_empty.then_some(0));
    let chunked = last.header(header::TRANSFER_ENCODING).is_some_and(|coding| coding.contains("chunked"));
    let framed = length.is_some() || chunked;
    let (url, digest) = (last.url.clone(), hub::digest(answer));
    match (last.status, &order.range) {
        (StatusCode::OK, _) => {
            Ok(Start { first: 0, end: length, part: false, framed, total: length, etag, digest, url })
        }
        (StatusCode::PARTIAL_CONTENT, Some(wanted)) => {
            let range = last.header(header::CONTENT_RANGE).and_then(content_range);
            let Some((got, total)) = range else {
                return Err(Fault::passing("the answer does not say which bytes it has"));
            };
            // Less than was asked for may only come at the end of the file.
            let fits = got.start == wanted.start
                && (got.end == wanted.end || got.end < wanted.end && total == Some(got.end));
            if !fits || length.is_some_and(|length| length != got.end - got.start) {
                return Err(Fault::passing("the answer has other bytes than it was asked for"));
            }
            let (first, end) = (got.start, Some(got.end));
            Ok(Start { first, end, part: true, framed: true, total, etag, digest, url })
        }
        (status, _) => {
            let fault = Fault::refusal(status, &last.headers);
            Err(match (order.hint)(status, &last.headers) {
                Some(hint) => fault.explain(|reason| format!("{reason}: {hint}")),
                None => fault,
            })
        }
    }
}

/// Whether an ETag vouches for every byte (RFC 9110, section 8.8.3).
fn is_strong(etag: &str) -> bool {
    etag.len() > 2 && etag.starts_with('"') && etag.ends_with('"')
}

/// Reads `bytes 0-99/200`, where the size may be `*`.
fn content_range(text: &str) -> Option<(Range<u64>, Option<u64>)> {
    let (span, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = span.split_once('-')?;
    let range = first.parse().ok()?..last.parse::<u64>().ok()?.checked_add(1)?;
    let total = match total {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    (!range.is_empty() && total.is_none_or(|total| range.end <= total)).then_some((range, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        assert_eq!(content_range("bytes 0-99/200"), Some((0..100, Some(200))));
        assert_eq!(content_range("bytes 5-5/*"), Some((5..6, None)));
        for bad in [
            "",
            "bytes",
            "bytes 0-99",
            "bytes */200",
            "bytes 9-3/200",
            "bytes 0-200/200",
            "bytes -1-3/200",
            "bytes 0-18446744073709551615/*",
            "lines 0-99/200",
            "bytes 0-99/2x",
        ] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_strong_etags_vouch() {
        assert!(is_strong("\"a\""));
        for weak in ["", "\"\"", "a", "W/\"a\"", "\"a", "\""] {
            assert!(!is_strong(weak), "{weak}");
        }
    }
}
