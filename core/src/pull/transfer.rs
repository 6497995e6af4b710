//! Brings the bytes of one source into a partial file, over several connections. The workers only read; all
//! writing is done here, on the calling thread, so that nothing writes any more once it returns.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Instant;

use ureq::http::Uri;

use super::fault::Fault;
use super::http::Client;
use super::meter::{BLINK, Meter};
use super::options::PullOptions;
use super::partial::Partial;
use super::retry::Retry;
use super::worker::{self, Hint, News, Order, Start};
use crate::checkpoint::Digest;

/// Chunks that were read and are not written yet, at most.
const QUEUE: usize = 16;

/// How often a download may begin anew since the source offers something else.
const RESTARTS: u32 = 3;

/// What is to be brought from one source.
pub(super) struct Download {
    /// The source, as the user knows it.
    pub(super) source: String,
    /// What asks it; it is of no use afterwards.
    pub(super) client: Client,
    pub(super) url: Uri,
    pub(super) hint: Hint,
    /// The size, if it is known.
    pub(super) size: Option<u64>,
    /// The digest, if it is known: bytes that do not belong together are found out then.
    pub(super) digest: Option<Digest>,
}

/// A request that is under way.
struct Job {
    /// What it brings; without an end if that is not known.
    range: Range<u64>,
    /// Its next byte.
    at: u64,
    /// Counts those who failed before it was sent.
    epoch: u32,
    /// Whether it went to where an earlier one had been redirected.
    shortcut: bool,
    stop: Arc<AtomicBool>,
}

struct Transfer<'a, 'p, 'w> {
    download: &'a Download,
    options: &'a PullOptions,
    partial: &'a mut Partial<'p>,
    meter: &'a mut Meter<'w>,
    sender: SyncSender<(u64, News)>,
    news: Receiver<(u64, News)>,
    jobs: BTreeMap<u64, Job>,
    next_id: u64,
    retry: Retry,
    epoch: u32,
    restarts: u32,
    /// Connections that may be used: one, until the source has shown that it can give parts.
    limit: usize,
    probed: bool,
    /// Whether the source is asked for the whole file only.
    whole: bool,
    /// Where the source redirected to.
    resolved: Option<Uri>,
    /// Bytes that counted as progress.
    best: u64,
}

/// Brings all bytes. What arrived before a fault is noted.
///
/// # Errors
/// What stopped it for good.
pub(super) fn run(
    download: &Download,
    options: &PullOptions,
    partial: &mut Partial<'_>,
    meter: &mut Meter<'_>,
) -> Result<(), Fault> {
    let (sender, news) = sync_channel(QUEUE);
    let mut transfer = Transfer {
        download,
        options,
        best: partial.done().len(),
        partial,
        meter,
        sender,
        news,
        jobs: BTreeMap::new(),
        next_id: 0,
        retry: Retry::new(options.attempts, options.backoff_ms),
        epoch: 0,
        restarts: 0,
        limit: options.connections as usize,
        probed: false,
        whole: false,
        resolved: None,
    };
    let result = transfer.bring();
    transfer.drop_jobs();
    download.client.stop();
    // Also when all is there: hashing may be interrupted. Its own failure must not hide the first one.
    let noted = transfer.partial.note();
    result.and(noted.map_err(Fault::Local))
}

impl Transfer<'_, '_, '_> {
    fn bring(&mut self) -> Result<(), Fault> {
        if self.download.size == Some(0) {
            self.partial.begin(Some(0))?;
        }
        if self.download.digest.is_none() && self.known_etag().is_none() {
            self.partial.restart()?;
        }
        while !self.partial.is_complete() {
            self.meter.check()?;
            self.send_orders()?;
            let pause = match self.jobs.is_empty() {
                true => self.retry.not_before().saturating_duration_since(Instant::now()).min(BLINK),
                false => BLINK,
            };
            match self.news.recv_timeout(pause) {
                Ok((id, news)) => self.hear(id, news)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Fault::passing("nobody reads any more")),
            }
            self.meter.show(&self.download.source, self.partial.done().len(), self.partial.total());
            self.partial.note_sometimes()?;
        }
        Ok(())
    }

    /// Starts as many requests as may be under way.
    fn send_orders(&mut self) -> Result<(), Fault> {
        while Instant::now() >= self.retry.not_before() {
            let limit = if self.probed { self.limit } else { 1 };
            let Some(range) = self.next_range().filter(|_| self.jobs.len() < limit) else { break };
            let order = Order {
                url: self.resolved.as_ref().unwrap_or(&self.download.url).clone(),
                range: (!self.whole).then(|| range.clone()),
                if_range: self.known_etag().filter(|_| !self.whole).map(str::to_owned),
                hint: self.download.hint,
            };
            let stop = Arc::new(AtomicBool::new(false));
            let id = self.next_id;
            self.next_id += 1;
            let client = self.download.client.clone();
            let started = worker::start(client, order, id, Arc::clone(&stop), self.sender.clone());
            let shortcut = self.resolved.is_some();
            let job = Job { at: range.start, range, epoch: self.epoch, shortcut, stop };
            match started {
                Ok(()) => drop(self.jobs.insert(id, job)),
                Err(fault) => self.failed(&job, fault)?,
            }
        }
        Ok(())
    }

    /// The next bytes that are neither there nor ordered.
    fn next_range(&self) -> Option<Range<u64>> {
        let part = self.options.part_bytes;
        let total = self.partial.total();
        if self.whole || total.is_none() {
            return self.jobs.is_empty().then(|| 0..total.unwrap_or(part));
        }
        let mut taken = self.partial.done().clone();
        self.jobs.values().for_each(|job| taken.insert(job.range.clone()));
        let gap = taken.first_gap(total?)?;
        Some(gap.start..gap.end.min(gap.start + part))
    }

    /// The ETag of the bytes that this source gave.
    fn known_etag(&self) -> Option<&str> {
        self.partial.etag_of(&self.download.source)
    }

    fn hear(&mut self, id: u64, news: News) -> Result<(), Fault> {
        // A job that was dropped may still have sent something.
        let Some(job) = self.jobs.get_mut(&id) else { return Ok(()) };
        match news {
            News::Bytes(bytes) => {
                let end = job.at + bytes.len() as u64;
                if end > job.range.end {
                    return Err(Fault::lasting(format!("it sends more than {} bytes", job.range.end)));
                }
                self.partial.write(job.at, &bytes)?;
                job.at = end;
                Ok(())
            }
            News::Started(start) => match self.accept(id, start) {
                Err(fault) => self.end(id, Err(fault)),
                accepted => accepted,
            },
            News::Ended(result) => self.end(id, result),
        }
    }

    /// Decides whether the bytes that are to follow belong to those that are there.
    fn accept(&mut self, id: u64, start: Start) -> Result<(), Fault> {
        let Download { size, digest, source, .. } = self.download;
        if let (Some(size), Some(total)) = (*size, start.total)
            && size != total
        {
            return Err(Fault::lasting(format!("it offers {total} bytes, not the {size} that are wanted")));
        }
        if let (Some(digest), Some(told)) = (digest, start.digest)
            && told != *digest
        {
            return Err(Fault::lasting(format!("it has other bytes now, with the digest {told}")));
        }
        if !start.framed && size.is_none() {
            return Err(Fault::lasting("it does not say how many bytes there are"));
        }
        let total = size.or(start.total);
        let is_all = start.first == 0 && start.end == total;
        if start.part && !is_all && (total.is_none() || digest.is_none() && start.etag.is_none()) {
            // Nothing would show that the parts are of the same file.
            self.whole = true;
            self.drop_jobs();
            return Ok(self.partial.restart()?);
        }
        let other_etag = self.known_etag().is_some() && self.known_etag() != start.etag.as_deref();
        let other_size = digest.is_none() && !self.partial.done().is_empty() && self.partial.total() != total;
        if start.part && (other_etag || other_size) {
            return Err(Fault::Changed("what it offers changed meanwhile".to_owned()));
        }
        if !start.part {
            let job = self.jobs.remove(&id);
            self.drop_jobs();
            self.jobs.extend(job.map(|job| (id, job)));
            self.limit = 1;
            if other_etag || digest.is_none() {
                self.partial.restart()?;
            }
        }
        self.partial.begin(total)?;
        self.partial.add_giver(source, start.etag.as_deref());
        self.resolved = (start.url != self.download.url).then_some(start.url);
        self.probed = true;
        if let Some(job) = self.jobs.get_mut(&id) {
            job.range = start.first..start.end.or(total).unwrap_or(u64::MAX);
            job.at = start.first;
        }
        Ok(())
    }

    /// A request came to its end.
    fn end(&mut self, id: u64, result: Result<(), Fault>) -> Result<(), Fault> {
        let Some(job) = self.jobs.remove(&id) else { return Ok(()) };
        job.stop.store(true, Ordering::Release);
        match result {
            Ok(()) if job.range.end == u64::MAX => {
                self.partial.end_at(job.at);
                Ok(())
            }
            Ok(()) if job.at == job.range.end => Ok(()),
            Ok(()) => {
                self.failed(&job, Fault::passing(format!("the answer is cut off after byte {}", job.at)))
            }
            Err(fault) => self.failed(&job, fault),
        }
    }

    /// Decides what to do after a fault: nothing, or give up by returning it.
    fn failed(&mut self, job: &Job, fault: Fault) -> Result<(), Fault> {
        self.resolved = None;
        let fault = match fault {
            // The address that it was redirected to may have expired.
            Fault::Lasting(reason) if job.shortcut => Fault::passing(reason),
            Fault::Changed(reason) => return self.begin_anew(reason),
            fault => fault,
        };
        let done = self.partial.done().len();
        let step = (self.partial.total().unwrap_or(u64::MAX) / 1000).clamp(1, 1 << 16);
        let gained = done >= self.best + step;
        if let Fault::Passing { wait, crowded, .. } = &fault {
            if *crowded {
                self.limit = (self.limit / 2).max(1);
            }
            if gained {
                self.best = done;
                self.retry.gained(*wait);
            }
        }
        if self.download.digest.is_none() && self.known_etag().is_none() {
            self.drop_jobs();
            self.partial.restart()?;
        }
        // Requests that failed together count once.
        if !gained && job.epoch == self.epoch {
            self.epoch += 1;
            return self.retry.failed(fault);
        }
        match fault {
            Fault::Passing { .. } => Ok(()),
            fault => Err(fault),
        }
    }

    /// The source has something else now.
    fn begin_anew(&mut self, reason: String) -> Result<(), Fault> {
        self.restarts += 1;
        if self.restarts > RESTARTS {
            return Err(Fault::Lasting(format!("{reason}, again and again")));
        }
        self.drop_jobs();
        self.partial.restart()?;
        self.best = 0;
        // Servers behind one name may have ETags of their own. One answer is always of one piece.
        self.whole |= self.restarts > 1;
        Ok(())
    }

    fn drop_jobs(&mut self) {
        for job in std::mem::take(&mut self.jobs).into_values() {
            job.stop.store(true, Ordering::Release);
        }
    }
}
