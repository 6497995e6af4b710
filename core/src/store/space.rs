//! Room: on the disk and below the quota, and what may be removed to make it.

use std::time::{Duration, SystemTime};

use super::layout::{blob_name, entries};
use super::{Entry, Store};
use crate::error::{Error, Result};

/// A file that was resolved this recently may be about to be loaded, and is not removed for another.
const IN_USE: Duration = Duration::from_secs(3600);

impl Store {
    /// Makes sure that `bytes` more can be written: below the quota, if need be by removing files that no
    /// known lock file pins, the least recently used first; and on the disk. To be called before a download.
    /// Two that begin at the same moment may pass the quota together.
    ///
    /// # Errors
    /// [`Error::NoSpace`], [`Error::Io`]; [`Error::BadLock`] of a known lock file, if files must be removed.
    pub(crate) fn reserve(&self, bytes: u64) -> Result<()> {
        if let Some(quota) = self.quota {
            self.reserve_quota(bytes, quota)?;
        }
        let available = fs4::available_space(&self.root).map_err(Error::io(&self.root))?;
        if bytes > available {
            return Err(Error::NoSpace { path: self.root.clone(), needed: bytes, available, quota: false });
        }
        Ok(())
    }

    fn reserve_quota(&self, bytes: u64, quota: u64) -> Result<()> {
        if self.used()?.saturating_add(bytes) <= quota {
            return Ok(());
        }
        let _alone = self.lock_store(true)?;
        let used = self.used()?;
        let mut excess = used.saturating_add(bytes).saturating_sub(quota);
        let candidates = self.candidates()?;
        let removable: u64 = candidates.iter().map(|entry| entry.size).sum();
        if removable < excess {
            let available = quota.saturating_sub(used.saturating_sub(removable));
            return Err(Error::NoSpace { path: self.root.clone(), needed: bytes, available, quota: true });
        }
        for entry in candidates {
            if excess == 0 {
                break;
            }
            self.discard(entry.digest)?;
            excess = excess.saturating_sub(entry.size);
        }
        Ok(())
    }

    /// Bytes of all files, those of unfinished downloads included.
    fn used(&self) -> Result<u64> {
        let blobs = entries(&self.folder("blobs"))?;
        let partial = entries(&self.folder("partial"))?;
        let blobs: u64 = blobs.iter().map(|(_, metadata)| metadata.len()).sum();
        Ok(blobs + partial.iter().map(|(_, metadata)| allocated(metadata)).sum::<u64>())
    }

    /// What may be removed for another file, the least recently used first.
    fn candidates(&self) -> Result<Vec<Entry>> {
        let mut candidates = Vec::new();
        for entry in self.entries(&self.pins()?)? {
            let idle = |used| SystemTime::now().duration_since(used).unwrap_or_default();
            let recent = entry.used.is_some_and(|used| idle(used) < IN_USE);
            if entry.pinned_by.is_empty() && !recent && !self.is_claimed(&blob_name(entry.digest))? {
                candidates.push(entry);
            }
        }
        candidates.sort_by_key(|entry| (entry.used, entry.digest));
        Ok(candidates)
    }
}

/// Bytes that a file takes on the disk: a download may have holes where parts are still to come.
pub(super) fn allocated(metadata: &std::fs::Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::blocks(metadata) * 512;
    #[cfg(not(unix))]
    return metadata.len();
}

/// A number of bytes, as in the environment: `20000000000`, `20GB`, `20 GiB`.
///
/// # Errors
/// What forms there are.
pub fn parse_size(text: &str) -> Result<u64, &'static str> {
    const FORMS: &str = "a number of bytes above 0 is expected: 20GB, 20GiB or 20000000000";
    const UNITS: [(&str, u64); 10] = [
        ("", 1),
        ("b", 1),
        ("kb", 1_000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("tb", 1_000_000_000_000),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
        ("tib", 1 << 40),
    ];
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start().to_ascii_lowercase();
    let (_, factor) = UNITS.into_iter().find(|&(name, _)| name == unit).ok_or(FORMS)?;
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    bytes.filter(|&bytes| bytes > 0).ok_or(FORMS)
}
