//! One request on a thread of its own, so that whoever waits for the answer can leave at any time.

use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, Request, StatusCode, Uri, header};

use crate::cancel::Cancel;
use crate::error::Error;
use crate::pull::fault::Fault;
use crate::pull::routes::Routes;

/// How often one who waits looks whether he is cancelled.
const LOOK: Duration = Duration::from_millis(20);

/// Pieces that may wait to be read.
const AHEAD: usize = 16;

/// What arrives of an answer, in order.
pub(super) enum Piece {
    Head(StatusCode, HeaderMap),
    Bytes(Vec<u8>),
    End,
}

/// A request under way. When it is dropped before its end, the connection is broken off.
pub(super) struct Exchange {
    pieces: Receiver<Result<Piece, Fault>>,
    routes: Arc<Routes>,
    ended: bool,
}

impl Exchange {
    pub(super) fn start(
        routes: Arc<Routes>,
        url: &Uri,
        key: Option<&str>,
        body: Arc<Vec<u8>>,
    ) -> Result<Self, Fault> {
        let (sender, pieces) = sync_channel(AHEAD);
        let (url, key, agents) = (url.clone(), key.map(str::to_owned), Arc::clone(&routes));
        let work = move || {
            if let Err(fault) = exchange(&agents, &url, key.as_deref(), &body, &sender) {
                // Nobody waits any more if this fails.
                let _ = sender.send(Err(fault));
            }
        };
        let thread = std::thread::Builder::new().name("pinfold-ask".to_owned()).spawn(work);
        thread.map_err(|error| Fault::Local(Error::engine(format!("no thread for a request: {error}"))))?;
        Ok(Self { pieces, routes, ended: false })
    }

    /// The next piece; `Ok(None)` if it does not come by `deadline`.
    pub(super) fn next(&mut self, deadline: Instant, cancel: &Cancel) -> Result<Option<Piece>, Fault> {
        loop {
            cancel.check()?;
            let left = deadline.saturating_duration_since(Instant::now());
            match self.pieces.recv_timeout(left.min(LOOK)) {
                Ok(Ok(piece)) => {
                    self.ended |= matches!(piece, Piece::End);
                    return Ok(Some(piece));
                }
                Ok(Err(fault)) => return Err(fault),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Fault::passing("the connection was closed too early"));
                }
            }
        }
    }

    /// Whether the connection can serve another request.
    pub(super) fn is_whole(&self) -> bool {
        self.ended
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.ended {
            self.routes.stop();
        }
    }
}

/// Sends the request and what arrives. An error of the channel is the end: nobody waits.
fn exchange(
    routes: &Routes,
    url: &Uri,
    key: Option<&str>,
    body: &[u8],
    pieces: &SyncSender<Result<Piece, Fault>>,
) -> Result<(), Fault> {
    let answer = routes.run(url, || {
        let mut request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "text/event-stream, application/json");
        if let Some(key) = key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        request.body(body).map_err(|_| Fault::lasting("the request cannot be written as HTTP"))
    })?;
    let (head, body) = answer.into_parts();
    if pieces.send(Ok(Piece::Head(head.status, head.headers))).is_err() {
        return Ok(());
    }
    let mut reader = body.into_reader();
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = match reader.read(&mut buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let piece = if read == 0 { Piece::End } else { Piece::Bytes(buffer[..read].to_vec()) };
        if pieces.send(Ok(piece)).is_err() || read == 0 {
            return Ok(());
        }
    }
}
