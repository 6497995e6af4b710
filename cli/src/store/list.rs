//! `pinfold store list`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pinfold::store::Entry;
use pinfold::{LockFile, Store};
use serde::Serialize;

use crate::output::{self, Align, Exit, Failure, Table, excerpt, short, size};
use crate::pins;

#[derive(Serialize)]
struct Listed {
    sha256: String,
    size_bytes: u64,
    path: PathBuf,
    /// Seconds since 1970.
    last_used: Option<u64>,
    /// In the lock files that pin it.
    names: BTreeSet<String>,
    pinned_by: Vec<PathBuf>,
}

pub fn list(store: &Store, json: bool) -> Result<Exit, Failure> {
    let entries = store.list()?;
    if json {
        let listed: Vec<_> = entries.into_iter().map(Listed::new).collect();
        output::print_json(&listed)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("sha-256", Align::Left),
        ("size", Align::Right),
        ("last used", Align::Left),
        ("names", Align::Left),
        ("pinned by", Align::Left),
    ]);
    let now = SystemTime::now();
    for entry in &entries {
        let names: Vec<_> = names(entry).iter().map(|name| excerpt(name, 40)).collect();
        let pinned_by: Vec<_> = entry.pinned_by.iter().map(|path| pins::shown(path)).collect();
        table.row([
            short(&entry.digest),
            size(entry.size),
            entry.used.map_or_else(|| "-".into(), |used| age(now.duration_since(used).unwrap_or_default())),
            if names.is_empty() { "-".into() } else { names.join(", ") },
            if pinned_by.is_empty() { "-".into() } else { pinned_by.join(", ") },
        ]);
    }
    let sum = entries.iter().map(|entry| entry.size).fold(0, u64::saturating_add);
    let count = entries.len();
    let files = if count == 1 { "file" } else { "files" };
    output::print(&format!("{table}\n{count} {files}, {} in {}\n", size(sum), store.root().display()))?;
    Ok(Exit::Done)
}

impl Listed {
    fn new(entry: Entry) -> Self {
        let since = |used: SystemTime| used.duration_since(UNIX_EPOCH).ok();
        Self {
            sha256: entry.digest.to_string(),
            size_bytes: entry.size,
            last_used: entry.used.and_then(since).map(|since| since.as_secs()),
            names: names(&entry),
            path: entry.path,
            pinned_by: entry.pinned_by,
        }
    }
}

/// The names that the lock files which pin it have for it. One that cannot be read now has none.
fn names(entry: &Entry) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for lock in entry.pinned_by.iter().filter_map(|path| LockFile::open(path).ok()) {
        let files = lock.lock().files();
        names.extend(files.filter(|(_, file)| file.sha256 == entry.digest).map(|(name, _)| name.clone()));
    }
    names
}

/// How long ago something was, for people.
fn age(passed: Duration) -> String {
    let units = [("day", 86_400), ("hour", 3_600), ("minute", 60)];
    match units.iter().find(|(_, seconds)| passed.as_secs() >= *seconds) {
        Some((unit, seconds)) => match passed.as_secs() / seconds {
            1 => format!("1 {unit} ago"),
            many => format!("{many} {unit}s ago"),
        },
        None => "just now".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_for_people() {
        let ages = [0, 59, 60, 7_199, 7_200, 86_400 * 9].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(ages, ["just now", "just now", "1 minute ago", "1 hour ago", "2 hours ago", "9 days ago"]);
    }
}
