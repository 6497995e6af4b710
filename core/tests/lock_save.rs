//! Saves of lock files: whole or not at all, and nothing of somebody else is lost.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use pinfold::{Error, LockFile, Sampling};

/// The variables that tell a process of the tests what to do.
const PATH: &str = "PINFOLD_TEST_LOCK_FILE";
const WHO: &str = "PINFOLD_TEST_WHO";

#[test]
fn a_saved_file_is_whole_and_keeps_its_permissions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pinfold.lock");
    let mut lock = LockFile::open_or_new(&path).unwrap();
    lock.set_sampling("precise", &Sampling::default()).unwrap();
    lock.save().unwrap();
    assert_eq!(LockFile::open(&path).unwrap().lock(), lock.lock());
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt, symlink};
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link.lock");
        symlink("pinfold.lock", &link).unwrap();
        let mut linked = LockFile::open(&link).unwrap();
        linked.set_sampling("a", &Sampling::default()).unwrap();
        linked.save().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "the link was replaced");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        fs::remove_file(link).unwrap();
    }
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    if cfg!(unix) {
        assert_eq!(left, ["pinfold.lock"], "something is left over");
    }
}

#[test]
fn changes_of_somebody_else_are_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pinfold.lock");
    let busy = |result: Result<(), Error>| match result {
        Err(Error::Io { source, .. }) => assert_eq!(source.kind(), ErrorKind::ResourceBusy, "{source}"),
        other => panic!("{other:?}"),
    };
    let mut new = LockFile::open_or_new(&path).unwrap();
    fs::write(&path, "version = 1\n").unwrap();
    busy(new.save());
    let mut open = LockFile::open(&path).unwrap();
    open.set_sampling("a", &Sampling::default()).unwrap();
    fs::write(&path, "version = 1 # theirs\n").unwrap();
    busy(open.save());
    assert_eq!(fs::read_to_string(&path).unwrap(), "version = 1 # theirs\n");
    fs::remove_file(&path).unwrap();
    busy(open.save());
    assert!(!path.exists());

    let mut open = LockFile::open_or_new(&path).unwrap();
    open.set_sampling("a", &Sampling::default()).unwrap();
    open.save().unwrap();
    open.set_sampling("b", &Sampling::default()).unwrap();
    open.save().unwrap();
    assert_eq!(
        LockFile::open(&path).unwrap().lock().sampling.len(),
        2,
        "its own changes are not somebody else's"
    );
}

/// Adds settings, one edit for each.
fn edit_often(path: &Path, who: &str) {
    for round in 0..10 {
        let name = format!("{who}-{round}");
        LockFile::edit(path, |lock| lock.set_sampling(&name, &Sampling::default())).unwrap();
    }
}

/// Not a test of its own: what the processes of the next one do.
#[test]
fn a_process_among_others() {
    if let (Some(path), Ok(who)) = (std::env::var_os(PATH), std::env::var(WHO)) {
        edit_often(Path::new(&path), &who);
    }
}

#[test]
fn threads_and_processes_that_edit_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pinfold.lock");
    let process = |who: usize| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "a_process_among_others"])
            .env(PATH, &path)
            .env(WHO, format!("process-{who}"));
        command.stdout(Stdio::null()).spawn().unwrap()
    };
    let processes: Vec<_> = (0..3).map(process).collect();
    std::thread::scope(|scope| {
        for who in 0..2 {
            let path = &path;
            scope.spawn(move || edit_often(path, &format!("thread-{who}")));
        }
    });
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(LockFile::open(&path).unwrap().lock().sampling.len(), 50);
    if cfg!(unix) {
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something is left over");
    }

    let refused = LockFile::edit(&path, |lock| {
        lock.remove_sampling("thread-0-0")?;
        Err::<(), _>(Error::Cancelled)
    });
    assert!(matches!(refused, Err(Error::Cancelled)));
    assert_eq!(LockFile::open(&path).unwrap().lock().sampling.len(), 50, "an edit that fails saves nothing");
}
