//! A file that is being downloaded, and the note beside it that says which of its bytes are there.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::ranges::Ranges;
use crate::error::{Error, Result};
use crate::store::Store;

/// The least time between two notes.
const PAUSE: Duration = Duration::from_millis(250);

/// Bytes of a file of unknown size that room is made for at once.
const STEP: u64 = 64 << 20;

/// A source that gave bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Giver {
    pub(super) source: String,
    /// The ETag of what it gave, if it has a strong one.
    pub(super) etag: Option<String>,
}

/// What the note says.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    total: u64,
    givers: Vec<Giver>,
    done: Vec<Range<u64>>,
}

/// A file that is being downloaded. Whoever has it holds the claim on it.
#[derive(Debug)]
pub(super) struct Partial<'a> {
    store: &'a Store,
    path: PathBuf,
    file: Option<File>,
    total: Option<u64>,
    givers: Vec<Giver>,
    done: Ranges,
    /// Whether some bytes are of an earlier run.
    resumed: bool,
    /// Bytes that room was made for.
    room: u64,
    next_note: Instant,
}

impl<'a> Partial<'a> {
    /// What an earlier run left at `path`, or nothing. A note that does not fit its file, or the `size` that
    /// is known, counts as none.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn open(store: &'a Store, path: PathBuf, size: Option<u64>) -> Result<Self> {
        let mut partial = Self {
            store,
            path,
            file: None,
            total: size,
            givers: Vec::new(),
            done: Ranges::default(),
            resumed: false,
            room: 0,
            next_note: Instant::now(),
        };
        if let Some((note, file)) = partial.left_over(size) {
            partial.file = Some(file);
            partial.total = Some(note.total);
            partial.givers = note.givers;
            partial.done = note.done.into_iter().collect();
            partial.resumed = !partial.done.is_empty();
            store.reserve(note.total - partial.done.len())?;
        } else {
            partial.restart()?;
        }
        Ok(partial)
    }

    fn left_over(&self, size: Option<u64>) -> Option<(Note, File)> {
        let note: Note = serde_json::from_slice(&fs::read(self.note_path()).ok()?).ok()?;
        let file = File::options().read(true).write(true).open(&self.path).ok()?;
        let whole = file.metadata().ok()?.len() == note.total && size.is_none_or(|size| size == note.total);
        let sane = note.done.iter().all(|range| range.start < range.end && range.end <= note.total);
        (whole && sane).then_some((note, file))
    }

    /// Forgets all bytes.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn restart(&mut self) -> Result<()> {
        self.file = None;
        // The note first: it must never speak of bytes of another file.
        for path in [self.note_path(), self.path.clone()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::io(path)(error)),
                _ => {}
            }
        }
        self.givers.clear();
        self.done = Ranges::default();
        self.resumed = false;
        self.room = 0;
        Ok(())
    }

    /// Makes the file, if there is none, and room for `total` bytes on the disk.
    ///
    /// # Errors
    /// [`Error::NoSpace`], [`Error::Io`].
    pub(super) fn begin(&mut self, total: Option<u64>) -> Result<()> {
        if self.file.is_some() && self.total == total {
            return Ok(());
        }
        self.total = total;
        self.store.reserve(total.unwrap_or(STEP))?;
        self.room = total.unwrap_or(STEP);
        let create = || {
            let file = File::options().read(true).write(true).create(true).truncate(true).open(&self.path)?;
            file.set_len(total.unwrap_or(0))?;
            Ok(file)
        };
        self.file = Some(create().map_err(self.failed())?);
        Ok(())
    }

    /// Writes bytes at their place. They must be within the size, if that is known.
    ///
    /// # Errors
    /// [`Error::NoSpace`], [`Error::Io`].
    pub(super) fn write(&mut self, at: u64, bytes: &[u8]) -> Result<()> {
        let end = at + bytes.len() as u64;
        if self.total.is_none() && end > self.room {
            self.store.reserve(STEP)?;
            self.room += STEP;
        }
        let fits = self.total.is_none_or(|total| end <= total);
        let written = match &mut self.file {
            Some(file) if fits => file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(bytes)),
            _ => Err(io::Error::other("a write beyond the end")),
        };
        written.map_err(self.failed())?;
        self.done.insert(at..end);
        Ok(())
    }

    /// Ends a file of unknown size.
    pub(super) fn end_at(&mut self, total: u64) {
        self.total = Some(total);
    }

    /// Notes which bytes are there, if the last note is a while ago.
    ///
    /// # Errors
    /// Those of [`note`](Self::note).
    pub(super) fn note_sometimes(&mut self) -> Result<()> {
        if Instant::now() < self.next_note {
            return Ok(());
        }
        let begun = Instant::now();
        self.note()?;
        // A slow disk is left nine tenths of the time for the bytes.
        self.next_note = Instant::now() + PAUSE.max(begun.elapsed() * 9);
        Ok(())
    }

    /// Notes which bytes are there, after they are safe on the disk.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn note(&self) -> Result<()> {
        let (Some(file), Some(total)) = (&self.file, self.total) else { return Ok(()) };
        if self.done.is_empty() {
            return Ok(());
        }
        let note = Note { total, givers: self.givers.clone(), done: self.done.iter().cloned().collect() };
        let write = || {
            file.sync_data()?;
            let path = suffixed(&self.path, ".json.new");
            let mut beside = File::create(&path)?;
            beside.write_all(&serde_json::to_vec(&note)?)?;
            beside.sync_data()?;
            fs::rename(path, self.note_path())
        };
        write().map_err(self.failed())
    }

    /// Notes that `source` gives bytes.
    pub(super) fn add_giver(&mut self, source: &str, etag: Option<&str>) {
        let giver = Giver { source: source.to_owned(), etag: etag.map(str::to_owned) };
        self.givers.retain(|other| other.source != source);
        self.givers.push(giver);
    }

    /// The ETag of what `source` gave.
    pub(super) fn etag_of(&self, source: &str) -> Option<&str> {
        self.givers.iter().find(|giver| giver.source == source)?.etag.as_deref()
    }

    /// Whether the bytes are of several sources or runs, and so may not belong together.
    pub(super) fn is_patchwork(&self) -> bool {
        self.resumed || self.givers.len() > 1
    }

    /// Lets go of the file; the note stays.
    pub(super) fn close(self) -> PathBuf {
        self.path
    }

    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    pub(super) fn done(&self) -> &Ranges {
        &self.done
    }

    pub(super) fn is_complete(&self) -> bool {
        self.total.is_some_and(|total| self.file.is_some() && self.done.len() == total)
    }

    fn note_path(&self) -> PathBuf {
        suffixed(&self.path, ".json")
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> Error {
        self.store.write_error(&self.path, self.total.unwrap_or(STEP).saturating_sub(self.done.len()))
    }
}

/// Forgets what was noted of a file that is gone.
pub(super) fn forget(path: &Path) {
    // A note that stays does no harm: it does not count without its file.
    let _ = fs::remove_file(suffixed(path, ".json"));
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}
