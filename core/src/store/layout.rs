//! What stands where in the folder of a store, and how files come to stand there.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::Store;
use crate::checkpoint::Digest;
use crate::error::{Error, Result};
use crate::files::{self, Durable};

/// The version of the layout. A store of a newer one is refused.
const VERSION: u32 = 1;

/// What its file says before the number.
const HEAD: &str = "pinfold store ";

/// The name of its file.
const VERSION_FILE: &str = "VERSION";

/// What files are named while they are written.
pub(super) const UNFINISHED: &str = ".new-";

/// The folders of a store.
const FOLDERS: [&str; 5] = ["blobs", "stamps", "partial", "locks", "roots"];

/// The name of the file with these bytes; Ollama's, so that its tools and ours find each other's.
pub(super) fn blob_name(digest: Digest) -> String {
    format!("sha256-{digest}")
}

/// The digest that a name was made of.
pub(super) fn digest_of_name(name: &str) -> Option<Digest> {
    let digest = name.strip_prefix("sha256-")?.parse().ok()?;
    (blob_name(digest) == name).then_some(digest)
}

impl Store {
    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(super) fn blob(&self, digest: Digest) -> PathBuf {
        self.folder("blobs").join(blob_name(digest))
    }

    /// Makes the folders that are missing: the store was opened without the right to, or somebody removed them.
    pub(super) fn make_folders(&self) -> Result<()> {
        FOLDERS.iter().try_for_each(|name| {
            let path = self.folder(name);
            make_folder(&path).map_err(self.write_error(&path, 0))
        })
    }

    /// The error for a failed write to `path`. `needed` is what was still to be written, in bytes.
    pub(crate) fn write_error(&self, path: &Path, needed: u64) -> impl FnOnce(io::Error) -> Error {
        move |source| match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                let available = fs4::available_space(&self.root).unwrap_or(0).min(needed);
                Error::NoSpace { path: self.root.clone(), needed, available, quota: false }
            }
            _ => write_error(&self.root, path)(source),
        }
    }
}

/// Makes the folder of a store if it is missing, and refuses one that is something else.
pub(super) fn prepare(root: &Path) -> Result<()> {
    let bad = |reason: String| Err(Error::BadStore { path: root.to_owned(), reason });
    let is_new = match version(root).map_err(|error| not_a_folder(root, error))? {
        Some(Some(VERSION)) => false,
        Some(Some(newer)) if newer > VERSION => {
            return bad(format!(
                "a store of version {newer}, made by a newer Pinfold; this one uses version {VERSION}: \
                 update Pinfold, or set PINFOLD_STORE to another folder"
            ));
        }
        Some(_) => return bad(format!("its file {VERSION_FILE} does not begin with {HEAD:?} and a version")),
        None => true,
    };
    if is_new {
        fs::create_dir_all(root).map_err(write_error(root, root))?;
        if is_foreign(root).map_err(Error::io(root))? {
            return bad("it is not empty and no store: name a folder that is empty, or does not exist".into());
        }
        let path = root.join(VERSION_FILE);
        write_whole(&path, format!("{HEAD}{VERSION}\n").as_bytes(), Durable::Yes)
            .map_err(write_error(root, &path))?;
    }
    FOLDERS.iter().try_for_each(|name| {
        let path = root.join(name);
        match make_folder(&path) {
            // A store on read-only media: what it has can be used.
            Err(error) if !is_new && is_denied(&error) => Ok(()),
            made => made.map_err(write_error(root, &path)),
        }
    })
}

/// Makes a folder, unless it is there.
fn make_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(_) if path.is_dir() => Ok(()),
        made => made,
    }
}

/// The version of the store at `root`: none if there is no such file, and none within if it says none.
fn version(root: &Path) -> io::Result<Option<Option<u32>>> {
    let mut bytes = Vec::new();
    match File::open(root.join(VERSION_FILE)) {
        Ok(file) => file.take(256).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let line = str::from_utf8(&bytes).ok().and_then(|text| text.lines().next());
    Ok(Some(line.and_then(|line| line.strip_prefix(HEAD)).and_then(|number| number.parse().ok())))
}

/// Whether a folder without a version holds files of somebody else, which a store must not touch: another
/// program's blobs may have the names of ours. Hidden files are the system's, or ours of a moment ago.
fn is_foreign(root: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with('.') && name != "lost+found" && name != VERSION_FILE {
            // Another process may be making this store right now: its version comes before its folders.
            return Ok(!root.join(VERSION_FILE).exists());
        }
    }
    Ok(false)
}

fn not_a_folder(root: &Path, error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotADirectory => {
            Error::BadStore { path: root.to_owned(), reason: "it is not a folder".into() }
        }
        _ => Error::io(root.join(VERSION_FILE))(error),
    }
}

/// Whether the store is not ours to write.
fn is_denied(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

fn write_error(root: &Path, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| {
        let advice = match source.kind() {
            _ if is_denied(&source) => "cannot be written",
            ErrorKind::Unsupported => "cannot be locked on this file system",
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "is not a folder",
            _ => return Error::io(path)(source),
        };
        let reason = format!("{} {advice} ({source}): set PINFOLD_STORE to another folder", path.display());
        Error::BadStore { path: root.to_owned(), reason }
    }
}

/// Writes a small file of the store, which all may read.
pub(super) fn write_whole(path: &Path, bytes: &[u8], durable: Durable) -> io::Result<()> {
    files::replace(path, bytes, UNFINISHED, permissions(0o644), durable)
}

/// Who may do what with a file, on systems that say it by a number.
#[cfg(unix)]
fn permissions(mode: u32) -> Option<fs::Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn permissions(_mode: u32) -> Option<fs::Permissions> {
    None
}

/// Sets who may do what with a file, on such systems.
pub(super) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    permissions(mode).map_or(Ok(()), |permissions| file.set_permissions(permissions))
}

/// The names in a folder with their metadata, in order; links are not followed. Empty if the folder is missing.
pub(super) fn entries(folder: &Path) -> Result<Vec<(String, fs::Metadata)>> {
    let read = || -> io::Result<_> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            match entry.metadata() {
                Ok(metadata) => found.push((name, metadata)),
                // Gone since the folder was read.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    };
    match read() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        found => found.map_err(Error::io(folder)),
    }
}

/// Removes a file; false if there is none.
pub(super) fn remove_file(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
