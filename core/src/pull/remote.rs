//! Sources that are not on this machine: their addresses, and what may be asked of them.

use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Instant;

use ureq::http::{Method, StatusCode, Uri, header};

use super::fault::Fault;
use super::http::{Access, Client};
use super::meter::BLINK;
use super::options::{self, PullOptions};
use super::retry::Retry;
use super::transfer::Download;
use super::url::Origin;
use super::worker::Hint;
use super::{hub, oci, url};
use crate::cancel::Cancel;
use crate::checkpoint::Digest;
use crate::lock::Source;

/// What a source has now.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) digest: Option<Digest>,
    pub(super) size: Option<u64>,
    /// What a branch or tag names now.
    pub(super) revision: Option<String>,
    /// The source with that in place of the branch or tag.
    pub(super) source: Source,
}

/// A source as it may be shown: the query of an address may be a secret.
pub(super) fn label(source: &Source) -> String {
    match source {
        Source::Url(url) => match url.split_once('?') {
            Some((url, _)) => format!("{url}?..."),
            None => url.clone(),
        },
        source => source.to_string(),
    }
}

/// What to bring from `source`. The digest, if it is known, makes a registry's manifest needless.
pub(super) fn download(
    source: &Source,
    digest: Option<Digest>,
    size: Option<u64>,
    options: &PullOptions,
) -> Result<Download, Fault> {
    let (client, url) = open(source, digest, options)?;
    let hint: Hint = match source {
        Source::Hub { .. } => hub::HINT,
        Source::Oci { .. } => oci::HINT,
        _ => |_, _| None,
    };
    Ok(Download { source: label(source), client, url, hint, size, digest })
}

/// Asks what `source` has now, trying again as often as the options say.
pub(super) fn look(source: &Source, options: &PullOptions, cancel: &Cancel) -> Result<Seen, Fault> {
    let mut retry = Retry::new(options.attempts, options.backoff_ms);
    loop {
        let (client, url) = open(source, None, options)?;
        let (source, asked) = (source.clone(), client.clone());
        let seen = apart(&client, cancel, move || match &source {
            Source::Hub { repository, file, .. } => hub::look(&asked, &url, repository, file),
            Source::Oci { registry, repository, reference } => {
                oci::look(&asked, registry, repository, reference)
            }
            source => look_plain(&asked, &url, source),
        });
        match seen {
            Ok(seen) => return Ok(seen),
            Err(fault) => retry.failed(fault)?,
        }
        while Instant::now() < retry.not_before() {
            cancel.check()?;
            std::thread::sleep(retry.not_before().saturating_duration_since(Instant::now()).min(BLINK));
        }
    }
}

/// A client for a source, and the address to begin with.
fn open(source: &Source, digest: Option<Digest>, options: &PullOptions) -> Result<(Client, Uri), Fault> {
    let (url, access) = match source {
        Source::File(_) => return Err(Fault::lasting("a file is not on the net")),
        Source::Url(text) => (url::parse(text)?, Access::Open),
        Source::Hub { repository, file, revision } => {
            let endpoint = options::hub_endpoint(options)?;
            let access = match options::hub_token(options)? {
                Some(token) => Access::Token { origin: Origin::of(&endpoint), token },
                None => Access::Open,
            };
            (hub::address(&endpoint, repository, file, revision)?, access)
        }
        Source::Oci { registry, repository, reference } => {
            let url = match digest {
                Some(digest) => oci::blob(registry, repository, digest)?,
                None => oci::manifest(registry, repository, reference)?,
            };
            let access = Access::Registry { origin: Origin::of(&url), token: Mutex::new(None) };
            (url, access)
        }
    };
    Ok((Client::new(options, access)?, url))
}

/// The size of what is at an address.
fn look_plain(client: &Client, url: &Uri, source: &Source) -> Result<Seen, Fault> {
    let answer = client.send(&Method::HEAD, url, &[])?;
    let last = answer.last();
    let mut size = None;
    if last.status == StatusCode::OK {
        size = last.header(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    } else if last.status == StatusCode::NOT_FOUND
        || !last.status.is_client_error() && last.status != StatusCode::NOT_IMPLEMENTED
    {
        return Err(Fault::refusal(last.status, &last.headers));
    }
    if size.is_none() {
        // Some servers know no HEAD, or refuse it to addresses that were signed for GET.
        let answer = client.send(&Method::GET, url, &[(header::RANGE, "bytes=0-0")])?;
        let last = answer.last();
        size = match last.status {
            StatusCode::OK => answer.body.content_length(),
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                let total = last.header(header::CONTENT_RANGE).and_then(|range| range.rsplit_once('/'));
                total.and_then(|(_, total)| total.parse().ok())
            }
            status => return Err(Fault::refusal(status, &last.headers)),
        };
    }
    Ok(Seen { digest: None, size, revision: None, source: source.clone() })
}

/// Does what may block on a thread of its own, so that a cancel need not wait for it.
fn apart<T: Send + 'static>(
    client: &Client,
    cancel: &Cancel,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let (sender, receiver) = sync_channel(1);
    let work = move || drop(sender.send(work()));
    let thread = std::thread::Builder::new().name("pinfold-pull".to_owned()).spawn(work);
    thread.map_err(|error| Fault::passing(format!("no thread could be started: {error}")))?;
    let result = loop {
        if let Err(error) = cancel.check() {
            break Err(Fault::Local(error));
        }
        match receiver.recv_timeout(BLINK) {
            Ok(result) => break result,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break Err(Fault::passing("the HTTP client failed")),
        }
    };
    client.stop();
    result
}
