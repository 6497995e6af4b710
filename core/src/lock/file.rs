//! The lock file on the disk: read whole, edited in memory, written whole.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::parse::{self, Entry};
use super::save::{self, Guard};
use super::{AdapterPin, CheckpointPin, FILE_NAME, FilePin, Golden, Lock, Source, VERSION, edit};
use crate::error::{Error, Result};
use crate::files;
use crate::sampler::Sampling;
use crate::signature::PublicKey;

/// A lock file. Edits change only what they must: comments, order, spelling and line ends stay. They are made in
/// memory, where the file is valid after each, until [`save`](Self::save).
#[derive(Debug, Clone)]
pub struct LockFile {
    path: PathBuf,
    pub(super) text: String,
    lock: Lock,
    /// What the disk held when the file was read or saved; `None` if there was no file.
    on_disk: Option<String>,
}

impl LockFile {
    /// Reads the lock file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadLock`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::from_bytes(path, save::read(path)?)
    }

    /// Reads the lock file at `path`, or begins a new one if there is none; [`save`](Self::save) makes it.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_or_new(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        match Self::open(path) {
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                let text = format!("version = {VERSION}\n");
                Ok(Self { path: path.to_owned(), text, lock: Lock::default(), on_disk: None })
            }
            other => other,
        }
    }

    /// Reads a lock file that is signed by `key`: `PATH.minisig` beside it, as `minisign -Sm PATH` writes it. What
    /// is parsed are the bytes that were checked.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and [`Error::BadSignature`] also if there is no signature.
    pub fn open_signed(path: impl AsRef<Path>, key: &PublicKey) -> Result<Self> {
        let path = path.as_ref();
        let bytes = save::read(path)?;
        key.check(&path.display().to_string(), &bytes, &save::read_signature(path)?)?;
        Self::from_bytes(path, bytes)
    }

    /// Reads the bytes of a lock file that the app has by other means, say embedded; `path` is for messages, and
    /// its folder what `file:` sources are relative to.
    ///
    /// # Errors
    /// [`Error::BadLock`].
    pub fn from_bytes(path: impl AsRef<Path>, bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let path = path.as_ref();
        let text = parse::decode(bytes.into()).map_err(|(before, fault)| fault.of(path, &before))?;
        let lock = parse::read(&text).map_err(|fault| fault.of(path, &text))?;
        Ok(Self { path: path.to_owned(), on_disk: Some(text.clone()), text, lock })
    }

    /// The path of the nearest lock file: in `folder`, or else in the nearest folder around it that has one.
    pub fn find(folder: impl AsRef<Path>) -> Option<PathBuf> {
        let folder = std::path::absolute(folder).ok()?;
        folder.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())
    }

    /// Opens the file, or begins it, edits it and saves it, while other processes that do the same wait. If `edit`
    /// fails, nothing is saved.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), of `edit`, and of [`save`](Self::save).
    pub fn edit<T>(path: impl AsRef<Path>, edit: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let guard = Guard::of(path.as_ref())?;
        let mut file = Self::open_or_new(path)?;
        let edited = edit(&mut file)?;
        file.save_guarded(&guard)?;
        Ok(edited)
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that `file:` sources are relative to.
    pub fn folder(&self) -> &Path {
        files::folder(&self.path)
    }

    /// Its contents.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Its text, edits included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Pins a checkpoint under `name`, or changes what is pinned under it.
    ///
    /// # Errors
    /// [`Error::BadLock`] if the file would not be valid, say for the name; its place is that in the edited
    /// text. [`Error::BadSource`]. Nothing is changed then.
    pub fn set_checkpoint(&mut self, name: &str, pin: &CheckpointPin) -> Result<()> {
        check_sources(&pin.file)?;
        self.set(name, Some(pin))
    }

    /// Pins an adapter under `name`, or changes what is pinned under it.
    ///
    /// # Errors
    /// Those of [`set_checkpoint`](Self::set_checkpoint).
    pub fn set_adapter(&mut self, name: &str, pin: &AdapterPin) -> Result<()> {
        check_sources(&pin.file)?;
        self.set(name, Some(pin))
    }

    /// Names settings of the sampler, or changes those of a name.
    ///
    /// # Errors
    /// Those of [`set_checkpoint`](Self::set_checkpoint). A seed must be below 2^63, since TOML's integers end there.
    pub fn set_sampling(&mut self, name: &str, sampling: &Sampling) -> Result<()> {
        self.set(name, Some(sampling))
    }

    /// Records a golden under `name`, or changes it.
    ///
    /// # Errors
    /// Those of [`set_sampling`](Self::set_sampling).
    pub fn set_golden(&mut self, name: &str, golden: &Golden) -> Result<()> {
        self.set(name, Some(golden))
    }

    /// Removes a checkpoint; false if none has this name.
    ///
    /// # Errors
    /// [`Error::BadLock`] if an adapter or a golden needs it, with its place.
    pub fn remove_checkpoint(&mut self, name: &str) -> Result<bool> {
        self.unset::<CheckpointPin>(name)
    }

    /// Removes an adapter; false if none has this name.
    ///
    /// # Errors
    /// Those of [`remove_checkpoint`](Self::remove_checkpoint).
    pub fn remove_adapter(&mut self, name: &str) -> Result<bool> {
        self.unset::<AdapterPin>(name)
    }

    /// Removes named settings; false if there are none of this name.
    ///
    /// # Errors
    /// Those of [`remove_checkpoint`](Self::remove_checkpoint).
    pub fn remove_sampling(&mut self, name: &str) -> Result<bool> {
        self.unset::<Sampling>(name)
    }

    /// Removes a golden; false if none has this name.
    ///
    /// # Errors
    /// Those of [`remove_checkpoint`](Self::remove_checkpoint).
    pub fn remove_golden(&mut self, name: &str) -> Result<bool> {
        self.unset::<Golden>(name)
    }

    fn unset<E: Entry>(&mut self, name: &str) -> Result<bool> {
        if !E::of(&self.lock).contains_key(name) {
            return Ok(false);
        }
        self.set::<E>(name, None)?;
        Ok(true)
    }

    fn set<E: Entry>(&mut self, name: &str, entry: Option<&E>) -> Result<()> {
        let mut expected = self.lock.clone();
        let entries = E::of_mut(&mut expected);
        let old = match entry {
            Some(entry) => entries.insert(name.to_owned(), entry.clone()),
            None => entries.remove(name),
        };
        let (old, new) = (old.map(|old| old.write()), entry.map(Entry::write));
        let text = edit::set(&self.text, E::SECTION, name, old, new)
            .map_err(|fault| fault.of(&self.path, &self.text))?;
        let edited = Self::from_bytes(&self.path, text)?;
        if edited.lock != expected {
            let what = E::WHAT;
            return Err(Error::engine(format!(
                "the edit of the {what} {name:?} would change more than it, or less"
            )));
        }
        self.text = edited.text;
        self.lock = edited.lock;
        Ok(())
    }

    /// Writes the file: beside, then renamed, with the old one's permissions. Processes that save at the same time
    /// wait for each other.
    ///
    /// # Errors
    /// [`Error::Io`]; of the kind [`ErrorKind::ResourceBusy`] if somebody else changed, removed or made the file
    /// since it was read: open it again and repeat the edit, or use [`edit`](Self::edit), to which that does not
    /// happen.
    pub fn save(&mut self) -> Result<()> {
        let guard = Guard::of(&self.path)?;
        self.save_guarded(&guard)
    }

    fn save_guarded(&mut self, guard: &Guard) -> Result<()> {
        let found = match save::read(&self.path) {
            Ok(bytes) => Some(bytes),
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => None,
            Err(other) => return Err(other),
        };
        if found.as_deref() != self.on_disk.as_ref().map(String::as_bytes) {
            let reason = "somebody else changed it in the meantime: open it again and repeat the edit";
            return Err(Error::io(&self.path)(std::io::Error::new(ErrorKind::ResourceBusy, reason)));
        }
        if found.as_deref() != Some(self.text.as_bytes()) {
            guard.write(self.text.as_bytes())?;
            self.on_disk = Some(self.text.clone());
        }
        Ok(())
    }
}

/// Sources that were not parsed may say what no text says.
fn check_sources(file: &FilePin) -> Result<()> {
    for source in &file.sources {
        let text = source.to_string();
        if text.parse::<Source>()? != *source {
            let reason = "its parts do not come back from its text: parse it from a text";
            return Err(Error::BadSource { source_text: text, reason: reason.to_owned() });
        }
    }
    Ok(())
}
