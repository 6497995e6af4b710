//! Files that are replaced as a whole: a reader sees the old one or the new one, also after a crash.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::path::Path;

/// Whether what was written must survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durable {
    Yes,
    No,
}

/// Writes a file beside `path`, under a name that begins with `prefix`, and renames it there, over the one that may
/// be there. Without `permissions` it gets those of any new file.
pub(crate) fn replace(
    path: &Path,
    bytes: &[u8],
    prefix: &str,
    permissions: Option<Permissions>,
    durable: Durable,
) -> io::Result<()> {
    let folder = folder(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.write_all(bytes)?;
    if durable == Durable::Yes {
        file.as_file().sync_all()?;
    }
    file.persist(path).map_err(|error| error.error)?;
    if durable == Durable::Yes { sync_folder(folder) } else { Ok(()) }
}

/// Makes the names in a folder survive a power cut.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The folder that a path is in.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (bytes, durable) in [(&b"old"[..], Durable::Yes), (b"new", Durable::No)] {
            replace(&path, bytes, ".new-", None, durable).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
        assert!(replace(folder.path(), b"over a folder", ".new-", None, Durable::Yes).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_folder_of_a_bare_name_is_this_one() {
        assert_eq!([folder(Path::new("a")), folder(Path::new("b/a"))], [Path::new("."), Path::new("b")]);
    }
}
