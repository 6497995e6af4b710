//! From the bytes of a lock file to its contents, or to the first thing that is wrong with it.

use std::collections::BTreeMap;

use toml_edit::{Document, TomlError};

use super::fault::{Fault, Parsed};
use super::field::{Field, Fields};
use super::{AdapterPin, CheckpointPin, Golden, Lock, VERSION, node};
use crate::checkpoint::Excerpt;
use crate::sampler::Sampling;

/// The most bytes that a lock file may have. A golden of a thousand tokens takes about 20 KiB.
pub const MAX_BYTES: usize = 8 << 20;

/// The sections, in the order in which a new file gets them.
pub(super) const SECTIONS: [&str; 4] =
    [CheckpointPin::SECTION, AdapterPin::SECTION, Sampling::SECTION, Golden::SECTION];

/// What stands under a name in a section. A new section is a type with this, and a field of [`Lock`].
pub(super) trait Entry: Sized + Clone + PartialEq {
    /// The key of the section.
    const SECTION: &str;
    /// What one of its entries is, for messages.
    const WHAT: &str;
    /// The keys of an entry.
    const KEYS: &[&str];

    /// Reads an entry that has no other keys than [`KEYS`](Self::KEYS).
    fn read(fields: Fields<'_>) -> Parsed<Self>;

    /// The keys and values that [`read`](Self::read) reads the same entry from.
    fn write(&self) -> node::Pairs;

    /// Checks what the entry says about others; `at` is where its name stands.
    fn check(&self, _name: &str, _at: usize, _fields: Fields<'_>, _lock: &Lock) -> Parsed<()> {
        Ok(())
    }

    /// The section in `lock`.
    fn of(lock: &Lock) -> &BTreeMap<String, Self>;

    /// The section in `lock`.
    fn of_mut(lock: &mut Lock) -> &mut BTreeMap<String, Self>;
}

/// The text of a lock file.
pub(super) fn decode(bytes: Vec<u8>) -> Result<String, (String, Fault)> {
    if bytes.len() > MAX_BYTES {
        let reason =
            format!("has more than {MAX_BYTES} bytes, which no lock file needs: is it the right file?");
        return Err((String::new(), Fault::new(0, reason)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        (before, Fault::new(valid, "is not UTF-8: save the file as UTF-8"))
    })
}

/// Reads a whole lock file.
pub(super) fn read(text: &str) -> Parsed<Lock> {
    let document = document(text)?;
    let root = Fields::root(text, document.as_table());
    check_version(root)?;
    let known: Vec<&str> = ["version"].into_iter().chain(SECTIONS).collect();
    let root = root.only(&known)?;
    let lock = Lock {
        checkpoints: section(root)?,
        adapters: section(root)?,
        sampling: section(root)?,
        goldens: section(root)?,
    };
    check::<CheckpointPin>(root, &lock)?;
    check::<AdapterPin>(root, &lock)?;
    check::<Sampling>(root, &lock)?;
    check::<Golden>(root, &lock)?;
    Ok(lock)
}

/// The syntax alone.
pub(super) fn document(text: &str) -> Parsed<Document<&str>> {
    Document::parse(text).map_err(|error| syntax_fault(text, &error))
}

fn syntax_fault(text: &str, error: &TomlError) -> Fault {
    let reason = match error.message() {
        "duplicate key" => "the key stands there twice: keep one".to_owned(),
        "integer number overflowed" => "the number is beyond 2^63 - 1, the largest of TOML".to_owned(),
        "recursion limit" => "the key has too many parts".to_owned(),
        message => format!("not TOML: {message}"),
    };
    let at = error.span().map_or_else(|| too_deep(text), |span| span.start);
    Fault::new(at, reason)
}

/// Where a key has more parts than the parser takes, which does not tell the place.
fn too_deep(text: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.bytes().filter(|&byte| byte == b'.').count() >= 80
            && Document::parse(line).is_err_and(|error| error.span().is_none())
        {
            return at + (line.len() - line.trim_start().len());
        }
        at += line.len();
    }
    0
}

/// First of all, since a newer version may have other keys.
fn check_version(root: Fields<'_>) -> Parsed<()> {
    let Some(field) = root.get("version") else {
        return Err(Fault::new(0, format!("the key `version` is missing: begin with `version = {VERSION}`")));
    };
    let version = field.integer(1..=i64::MAX as u64)?;
    if version > u64::from(VERSION) {
        let reason = format!("is {version}, but this Pinfold reads up to {VERSION}: update Pinfold");
        return Err(field.fault(reason));
    }
    Ok(())
}

fn section<E: Entry>(root: Fields<'_>) -> Parsed<BTreeMap<String, E>> {
    let Some(field) = root.get(E::SECTION) else { return Ok(BTreeMap::new()) };
    let mut entries = BTreeMap::new();
    for (name, at, field) in field.table()?.entries() {
        check_name(name).map_err(|reason| Fault::new(at, reason))?;
        entries.insert(name.to_owned(), E::read(field.table()?.only(E::KEYS)?)?);
    }
    Ok(entries)
}

/// Checks what the entries of a section say about others.
fn check<E: Entry>(root: Fields<'_>, lock: &Lock) -> Parsed<()> {
    let Some(field) = root.get(E::SECTION) else { return Ok(()) };
    for (name, at, field) in field.table()?.entries() {
        if let Some(entry) = E::of(lock).get(name) {
            entry.check(name, at, field.table()?, lock)?;
        }
    }
    Ok(())
}

/// Checks that something may be called `name` in a lock file.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=64).contains(&name.len()) && name.bytes().all(fits) && !name.starts_with(['.', '-']) {
        return Ok(());
    }
    Err(format!(
        "{} is no name: use 1 to 64 letters, digits, `.`, `_` and `-`, with no `.` or `-` in front",
        Excerpt::quote(name)
    ))
}

/// The entry `name`, which `field` speaks of.
pub(super) fn check_known<'l, E: Entry>(
    field: Field<'_>,
    name: &str,
    entries: &'l BTreeMap<String, E>,
) -> Parsed<&'l E> {
    entries.get(name).ok_or_else(|| {
        let (quoted, section) = (Excerpt::quote(name), E::SECTION);
        field.fault(format!("names {quoted}, which is not in `[{section}]`; there {}", names(entries)))
    })
}

/// What names there are, for messages.
fn names<E>(entries: &BTreeMap<String, E>) -> String {
    match entries.len() {
        0 => "is nothing".to_owned(),
        count => {
            let some: Vec<&str> = entries.keys().take(10).map(String::as_str).collect();
            format!(
                "{} {}{}",
                if count == 1 { "is" } else { "are" },
                some.join(", "),
                if count > 10 { "..." } else { "" }
            )
        }
    }
}
