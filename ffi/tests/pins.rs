//! Lock files, stores and pulls through the foreign API: cancels, functions that fail, threads.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use pinfold::Digest;
use pinfold_ffi::api::{
    CallbackError, Cancel, LockFile, PinfoldError, PullOptions, PullProgress, Store, StoreOptions,
    StoreProgress, VerifyOptions, VerifyProgress,
};
use tempfile::TempDir;

/// Bytes of which a server gives the first half and then no more.
const SIZE: usize = 100_000;

fn bytes() -> Vec<u8> {
    (0..SIZE).map(|index| (index * 7 % 251) as u8).collect()
}

/// A lock file that pins `bytes()` as `some`, in a folder with a store.
struct Pinned {
    folder: TempDir,
    lock_file: Arc<LockFile>,
    store: Arc<Store>,
}

fn pinned(source: &str) -> Pinned {
    let folder = tempfile::tempdir().unwrap();
    let (digest, nothing) = (Digest::of_bytes(&bytes()), Digest([0; 32]));
    let text = format!(
        "version = 1\n[checkpoints.some]\nsources = [\"{source}\"]\nsha256 = \"{digest}\"\nsize = {SIZE}\n\
         format = \"gguf\"\narchitecture = \"llama\"\nquantization = \"F16\"\ncontext_length = 8\n\
         licence = \"MIT\"\ntokenizer_sha256 = \"{nothing}\"\n"
    );
    let path = folder.path().join("pinfold.lock");
    fs::write(&path, text).unwrap();
    fs::write(folder.path().join("some.gguf"), bytes()).unwrap();
    let lock_file = Arc::new(LockFile::open(path.to_str().unwrap()).unwrap());
    let store = Arc::new(open_store(&folder.path().join("store")).unwrap());
    Pinned { folder, lock_file, store }
}

fn open_store(root: &Path) -> Result<Store, PinfoldError> {
    Store::open(StoreOptions { root: Some(root.to_str().unwrap().into()), quota: None })
}

/// A server that gives half of the bytes to each request and then waits until the client goes away; `asked` hears of
/// each request.
fn stalling_server() -> (String, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (ask, asked) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let ask = ask.clone();
            thread::spawn(move || stall(stream.unwrap(), &ask));
        }
    });
    (format!("http://{address}/some.gguf"), asked)
}

fn stall(mut stream: TcpStream, ask: &mpsc::Sender<()>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&bytes()[..SIZE / 2]));
    let _ = ask.send(());
    // Until the client goes away.
    let _ = lines.next();
}

/// Counts what it hears, and fails if it is to.
#[derive(Default)]
struct Listener {
    heard: AtomicU32,
    fails: bool,
}

impl Listener {
    fn hear(&self) -> Result<(), CallbackError> {
        self.heard.fetch_add(1, Ordering::Relaxed);
        if self.fails { Err(CallbackError::Failed) } else { Ok(()) }
    }
}

impl PullProgress for Listener {
    fn pulled(&self, source: String, done: u64, total: u64) -> Result<(), CallbackError> {
        assert!(source.contains("some.gguf") && (total == 0 || done <= total), "{source}: {done} of {total}");
        self.hear()
    }
}

impl VerifyProgress for Listener {
    fn verified(&self, _: String, done: u32, total: u32) -> Result<(), CallbackError> {
        assert!(done <= total);
        self.hear()
    }
}

impl StoreProgress for Listener {
    fn processed(&self, done: u64, total: u64) -> Result<(), CallbackError> {
        assert!(done <= total);
        self.hear()
    }
}

/// With progress and without: the flag is seen while not a byte comes.
#[test]
fn a_pull_that_stalls_is_cancelled_from_another_thread() {
    for listener in [None, Some(Arc::new(Listener::default()))] {
        let (source, asked) = stalling_server();
        let Pinned { lock_file, store, .. } = &pinned(&source);
        let cancel = Arc::new(Cancel::new());
        let flag = cancel.clone();
        let canceller = thread::spawn(move || {
            asked.recv().unwrap();
            flag.cancel();
        });
        let progress = listener.clone().map(|listener| listener as Arc<dyn PullProgress>);
        let options = PullOptions { connections: 1, ..PullOptions::default() };
        let error = lock_file.pull("some", store, options, progress, Some(cancel)).unwrap_err();
        assert_eq!(error.code(), "cancelled", "{error}");
        canceller.join().unwrap();
        assert!(store.entries().unwrap().is_empty(), "a part is never visible as a whole");
        assert!(listener.is_none_or(|listener| listener.heard.load(Ordering::Relaxed) > 0));
    }
}

#[test]
fn a_function_that_fails_ends_the_work_and_sets_no_flag_of_the_app() {
    let Pinned { folder, lock_file, store } = &pinned("file:some.gguf");
    let failing = Arc::new(Listener { fails: true, ..Listener::default() });
    let cancel = Arc::new(Cancel::new());
    let path = folder.path().join("some.gguf");
    let path = path.to_str().unwrap();
    let import = || {
        store.import_file(path, None, Some(failing.clone()), Some(cancel.clone())).map(|_| ()).unwrap_err()
    };
    let pull = || {
        let (progress, cancel) = (Some(failing.clone() as Arc<dyn PullProgress>), Some(cancel.clone()));
        lock_file.pull("some", store, PullOptions::default(), progress, cancel).unwrap_err()
    };
    assert_eq!(import(), PinfoldError::Callback("progress of the import: the app's function failed".into()));
    assert_eq!(pull(), PinfoldError::Callback("progress of the pull: the app's function failed".into()));
    assert!(store.entries().unwrap().is_empty());
    let options = VerifyOptions::default();
    let error = lock_file.verify(store, options, Some(failing.clone()), Some(cancel.clone())).unwrap_err();
    assert_eq!(error.code(), "callback");
    lock_file.pull("some", store, PullOptions::default(), None, Some(cancel.clone())).unwrap();
    let error = store.verify(Vec::new(), Some(failing.clone()), Some(cancel.clone())).unwrap_err();
    assert_eq!(error.code(), "callback");
    assert!(!cancel.is_cancelled());
}

#[test]
fn many_threads_pull_and_remove_at_once() {
    let Pinned { folder, lock_file, store } = &pinned("file:some.gguf");
    let digest = Digest::of_bytes(&bytes()).to_string();
    thread::scope(|scope| {
        for worker in 0..8 {
            let digest = &digest;
            scope.spawn(move || {
                for round in 0..5 {
                    let file = lock_file.pull("some", store, PullOptions::default(), None, None);
                    match file {
                        Ok(file) => assert_eq!(&file.digest, digest),
                        // Another thread removed the file while this one looked at it.
                        Err(error) => assert!(["pull_failed", "io"].contains(&error.code()), "{error}"),
                    }
                    if (worker + round) % 4 == 0 {
                        store.remove(digest).unwrap();
                    }
                    assert!(store.entries().unwrap().iter().all(|entry| entry.size == SIZE as u64));
                }
            });
        }
    });
    lock_file.pull("some", store, PullOptions::default(), None, None).unwrap();
    let entries = store.entries().unwrap();
    let lock = folder.path().canonicalize().unwrap().join("pinfold.lock");
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].pinned_by, [lock.to_str().unwrap()]);
    assert_eq!(store.verify(vec![digest], None, None).unwrap(), []);
}

#[test]
fn wrong_arguments_are_refused() {
    let Pinned { folder, lock_file, store } = &pinned("file:some.gguf");
    for wrong in ["", "00", "no digest at all", &"g".repeat(64), &"0".repeat(65)] {
        assert_eq!(store.remove(wrong).unwrap_err().code(), "invalid_option");
        assert_eq!(store.verify(vec![wrong.into()], None, None).unwrap_err().code(), "invalid_option");
        let imported = store.import_file("x", Some(wrong.into()), None, None);
        assert_eq!(imported.unwrap_err().code(), "invalid_option");
    }
    let absent = "0".repeat(64);
    assert!(!store.remove(&absent).unwrap());
    assert_eq!(store.verify(vec![absent], None, None).unwrap_err().code(), "not_pulled");
    assert_eq!(lock_file.sampling("hot").unwrap_err().code(), "not_pinned");
    assert_eq!(LockFile::open_bytes("x.lock", b"version = 0\n").err().unwrap().code(), "bad_lock");
    assert_eq!(LockFile::open_signed(&lock_file.path(), "RW").err().unwrap().code(), "bad_signature");
    let options = VerifyOptions { tolerance: f32::NAN, ..VerifyOptions::default() };
    assert_eq!(lock_file.verify(store, options, None, None).unwrap_err().code(), "invalid_option");
    // The folder of a store cannot be a file.
    let error = open_store(&folder.path().join("some.gguf")).err().unwrap();
    assert!(["io", "bad_store"].contains(&error.code()), "{error}");
}

/// No caller could be told its name. It comes of the environment alone, so the test runs itself with another one.
#[test]
#[cfg(unix)]
fn a_folder_whose_name_is_not_unicode_is_refused() {
    use std::os::unix::ffi::OsStrExt;

    if std::env::var_os("PINFOLD_STORE").is_some_and(|folder| folder.to_str().is_none()) {
        let error = Store::open(StoreOptions::default()).err().unwrap();
        assert_eq!(error.code(), "invalid_text", "{error}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_folder_whose_name_is_not_unicode_is_refused"]);
    let store = folder.path().join(std::ffi::OsStr::from_bytes(b"a\xff"));
    let output = command.env("PINFOLD_STORE", store).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_lock_file_that_is_nowhere_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    match LockFile::find(folder.path().to_str().unwrap()) {
        Err(PinfoldError::Io(message)) => assert!(message.contains("nor in a folder around"), "{message}"),
        // Somebody keeps one above the folder of temporary files.
        found => assert!(!found.unwrap().path().starts_with(folder.path().to_str().unwrap())),
    }
}

#[test]
fn a_token_is_not_shown() {
    let options = PullOptions { hub_token: Some("hf_secret".into()), ..PullOptions::default() };
    assert!(!format!("{options:?}").contains("hf_secret"));
}
