//! The store between processes: this test program, started again with other rights, another environment, or
//! to be killed.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use pinfold::store::StoreWatch;
use pinfold::{Check, Digest, Error, Store, StoreOptions};

const JOB: &str = "PINFOLD_STORE_TEST_JOB";
const FOLDER: &str = "PINFOLD_STORE_TEST_FOLDER";

fn open(root: &Path) -> pinfold::Result<Store> {
    Store::open(&StoreOptions { root: Some(root.to_owned()), quota: None })
}

fn process(job: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "the_other_process", "--nocapture"]).stdout(Stdio::null());
    command.env_remove("PINFOLD_STORE").env_remove("PINFOLD_STORE_QUOTA").env(JOB, job).env(FOLDER, folder);
    command
}

/// Not a test, except where another one starts it.
#[test]
fn the_other_process() {
    let Ok(job) = std::env::var(JOB) else { return };
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    match job.as_str() {
        "environment" => environment(&folder),
        "read-only" => read_only(&folder),
        "import" => import_for_ever(&folder),
        job => panic!("no job is named {job}"),
    }
}

fn environment(expected: &Path) {
    match Store::open(&StoreOptions::default()) {
        Ok(store) => assert_eq!(store.root(), expected),
        Err(error) => assert_eq!(Path::new(&error.to_string().replace('/', "|")), expected),
    }
}

#[test]
fn the_environment_says_where_the_store_is_and_how_large() {
    let folder = tempfile::tempdir().unwrap();
    let in_environment = |variables: &[(&str, &OsStr)], expected: &Path| {
        let mut process = process("environment", expected);
        let status = process.envs(variables.iter().copied()).current_dir(folder.path()).status().unwrap();
        assert!(status.success(), "{variables:?}");
    };
    let root = folder.path().join("störe");
    in_environment(&[("PINFOLD_STORE", root.as_os_str())], &root);
    let here = fs::canonicalize(folder.path()).unwrap().join("relative");
    in_environment(&[("PINFOLD_STORE", OsStr::new("relative"))], &here);
    for quota in ["20GB", "", "1"] {
        let quota = OsStr::new(quota);
        in_environment(&[("PINFOLD_STORE", root.as_os_str()), ("PINFOLD_STORE_QUOTA", quota)], &root);
    }
    let message =
        "PINFOLD_STORE_QUOTA: \"much\": a number of bytes above 0 is expected: 20GB, 20GiB or 20000000000";
    let quota = OsStr::new("much");
    in_environment(
        &[("PINFOLD_STORE", root.as_os_str()), ("PINFOLD_STORE_QUOTA", quota)],
        Path::new(message),
    );
    #[cfg(target_os = "linux")]
    {
        let data = folder.path().join("data");
        in_environment(&[("XDG_DATA_HOME", data.as_os_str())], &data.join("pinfold"));
        in_environment(
            &[("PINFOLD_STORE", OsStr::new("")), ("XDG_DATA_HOME", data.as_os_str())],
            &data.join("pinfold"),
        );
    }
}

/// In a process without the right to write: reading works, all else is a typed error.
fn read_only(folder: &Path) {
    let bad = |result: pinfold::Result<()>, what: &str| {
        assert!(
            matches!(&result, Err(Error::BadStore { reason, .. }) if reason.contains("PINFOLD_STORE")),
            "{what}: {result:?}"
        );
    };
    bad(open(&folder.join("new")).map(drop), "a new store");
    let root = folder.join("store");
    let store = open(&root).unwrap();
    let digest = Digest::of_bytes(b"bytes");
    for check in [Check::Stamp, Check::Full] {
        assert!(store.get(digest, check).unwrap().is_some());
    }
    assert_eq!(store.list().unwrap().len(), 1);
    assert_eq!(store.verify(&[], StoreWatch::default()).unwrap(), []);
    bad(store.remove(digest).map(drop), "remove");
    bad(store.collect(false).map(drop), "collect");
    assert_eq!(store.collect(true).unwrap().removed.len(), 1);
    bad(store.remember(&folder.join("file")), "remember");
    bad(store.import(&folder.join("file"), None, StoreWatch::default()).map(drop), "import");
}

#[cfg(unix)]
#[test]
fn a_store_that_cannot_be_written_can_be_read() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"bytes").unwrap();
    let store = open(&folder.path().join("store")).unwrap();
    store.import(&file, None, StoreWatch::default()).unwrap();
    // A store as an app ships it: no more than its files.
    for name in ["stamps", "partial", "locks", "roots"] {
        fs::remove_dir_all(store.root().join(name)).unwrap();
    }
    let set_mode = |mode| {
        for path in [folder.path(), store.root(), &store.root().join("blobs")] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    set_mode(0o555);
    let mut process = process("read-only", folder.path());
    if fs::metadata(folder.path()).unwrap().uid() == 0 {
        // Root may write anywhere: be nobody.
        process.uid(65534);
    }
    match process.status() {
        Ok(status) => assert!(status.success()),
        Err(error) => println!("skipped: another user cannot start this program: {error}"),
    }
    set_mode(0o755);
}

fn import_for_ever(folder: &Path) {
    let store = open(&folder.join("store")).unwrap();
    fs::write(folder.join("ready"), "").unwrap();
    for name in ["a", "b", "c"].iter().cycle() {
        let digest = store.import(&folder.join(name), None, StoreWatch::default()).unwrap();
        store.remove(digest).unwrap();
    }
}

#[test]
fn an_import_that_is_killed_leaves_whole_files_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).unwrap();
    let mut random = fastrand::Rng::with_seed(9);
    for name in ["a", "b", "c"] {
        let mut bytes = vec![0; 1 << 19];
        random.fill(&mut bytes);
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let mut unfinished = 0;
    for round in 0..40 {
        let mut process = process("import", folder.path()).spawn().unwrap();
        while fs::remove_file(folder.path().join("ready")).is_err() {
            assert_eq!(process.try_wait().unwrap(), None, "it ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(random.u64(..100_000)));
        process.kill().unwrap();
        process.wait().unwrap();
        for entry in store.list().unwrap() {
            assert_eq!(Digest::of_file(&entry.path).unwrap(), entry.digest, "round {round}");
        }
        unfinished += fs::read_dir(store.root().join("partial")).unwrap().count();
    }
    assert!(unfinished > 0, "no kill came in the middle");
    // Copies are not continued, so what is left of them goes at once.
    store.collect(false).unwrap();
    assert_eq!(fs::read_dir(store.root().join("partial")).unwrap().count(), 0);
    assert_eq!(store.list().unwrap(), []);
}

#[test]
fn imports_and_collections_at_once_end_in_whole_files_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("store")).unwrap();
    for name in ["a", "b", "c"] {
        fs::write(folder.path().join(name), name.repeat(100_000)).unwrap();
    }
    let mut processes: Vec<_> = (0..3).map(|_| process("import", folder.path()).spawn().unwrap()).collect();
    for _ in 0..100 {
        store.collect(false).unwrap();
        for entry in store.list().unwrap() {
            match store.get(entry.digest, Check::Full) {
                Ok(_) => {}
                // Removed between two looks at it.
                Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
    for process in &mut processes {
        assert_eq!(process.try_wait().unwrap(), None, "an import failed");
        process.kill().unwrap();
        process.wait().unwrap();
    }
}
