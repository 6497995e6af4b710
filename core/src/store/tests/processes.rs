//! Several processes at once, and processes that are killed: this test program, started again.

use std::process::{Child, Command, Stdio};

use super::*;

const JOB: &str = "PINFOLD_STORE_TEST_JOB";
const FOLDER: &str = "PINFOLD_STORE_TEST_FOLDER";

/// The file by which the other process says that it is at work.
const READY: &str = "ready";

/// What is brought into the store.
fn bytes() -> Vec<u8> {
    let mut bytes = vec![0; 1 << 19];
    fastrand::Rng::with_seed(7).fill(&mut bytes);
    bytes
}

fn start(job: &str, folder: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "store::tests::processes::the_other_process", "--nocapture"]);
    command.env(JOB, job).env(FOLDER, folder).stdout(Stdio::null()).spawn().unwrap()
}

/// Not a test, except where another one starts it.
#[test]
fn the_other_process() {
    let Ok(job) = std::env::var(JOB) else { return };
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let store = Store::open(&StoreOptions { root: Some(folder.join("store")), quota: None }).unwrap();
    let bytes = bytes();
    let digest = Digest::of_bytes(&bytes);
    match job.as_str() {
        "download" => {
            let claim = store.claim(digest, &Cancel::new()).unwrap();
            if claim.existing().is_none() {
                let log = folder.join(format!("download-{}", std::process::id()));
                fs::write(log, "").unwrap();
                let partial = store.partial_path(&claim);
                fs::write(&partial, bytes).unwrap();
                commit(&store, &claim, &partial).unwrap();
            }
            assert!(store.get(digest, Check::Full).unwrap().is_some());
        }
        "forever" => {
            fs::write(folder.join(READY), "").unwrap();
            let bring = |claim: Claim| {
                let partial = store.partial_path(&claim);
                fs::write(&partial, &bytes).unwrap();
                commit(&store, &claim, &partial).unwrap();
            };
            // Both kinds of commit, over a file that is there and over none.
            loop {
                store.remove(digest).unwrap();
                bring(store.claim(digest, &Cancel::new()).unwrap());
                bring(store.claim(digest, &Cancel::new()).unwrap());
                bring(store.claim_source("key", &Cancel::new()).unwrap());
            }
        }
        job => panic!("no job is named {job}"),
    }
}

#[test]
fn processes_that_want_the_same_file_download_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let processes: Vec<_> = (0..6).map(|_| start("download", folder.path())).collect();
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    let downloads =
        names(folder.path().to_owned()).iter().filter(|name| name.starts_with("download-")).count();
    assert_eq!(downloads, 1);
}

#[test]
fn a_process_that_is_killed_leaves_whole_files_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreOptions { root: Some(folder.path().join("store")), quota: None }).unwrap();
    let digest = Digest::of_bytes(&bytes());
    let mut random = fastrand::Rng::with_seed(1);
    let (mut whole, mut unfinished) = (0, 0);
    for round in 0..40 {
        let mut process = start("forever", folder.path());
        while fs::remove_file(folder.path().join(READY)).is_err() {
            assert_eq!(process.try_wait().unwrap(), None, "it ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(random.u64(..100_000)));
        process.kill().unwrap();
        process.wait().unwrap();
        for (name, _) in layout::entries(&store.folder("blobs")).unwrap() {
            let path = store.folder("blobs").join(&name);
            assert_eq!(layout::blob_name(Digest::of_file(path).unwrap()), name, "round {round}");
            whole += 1;
        }
        unfinished += names(store.folder("partial")).len();
        assert_eq!(store.verify(&[], StoreWatch::default()).unwrap(), [], "round {round}");
        assert!(!store.is_claimed(&layout::blob_name(digest)).unwrap(), "the lock ended with the process");
    }
    assert!(whole > 0 && unfinished > 0, "the kills came at all kinds of moments: {whole}, {unfinished}");
    place(&store, &bytes());
    for name in names(store.folder("partial")) {
        age(&store.folder("partial").join(name), 8 * 24 * 3600);
    }
    store.collect(false).unwrap();
    assert_eq!(names(store.folder("partial")), [""; 0]);
    assert_eq!(names(store.folder("blobs")), [""; 0]);
}
