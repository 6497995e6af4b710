//! What must hold for any bytes that are read as a lock file; the tests and the fuzzer ask it.

use pinfold::lock::Lock;
use pinfold::{Error, LockFile};

/// They are refused with a place in them, or edits give back what was read.
pub fn check(bytes: &[u8]) {
    let mut file = match LockFile::from_bytes("pinfold.lock", bytes) {
        Ok(file) => file,
        Err(Error::BadLock { line, column, reason, .. }) => {
            let lines = bytes.iter().filter(|&&byte| byte == b'\n').count() + 1;
            assert!(
                (1..=lines).contains(&line) && (1..=bytes.len() + 1).contains(&column),
                "{line}:{column}"
            );
            assert!(reason.len() < 4096, "{} bytes of a reason", reason.len());
            return;
        }
        Err(other) => panic!("{other}"),
    };
    let (text, lock) = (file.text().to_owned(), file.lock().clone());
    set_all(&mut file, &lock);
    assert_eq!(file.text(), text, "what did not change was written");

    lock.goldens.keys().for_each(|name| assert!(file.remove_golden(name).expect("nothing needs it")));
    lock.adapters.keys().for_each(|name| assert!(file.remove_adapter(name).expect("nothing needs it")));
    lock.sampling.keys().for_each(|name| assert!(file.remove_sampling(name).expect("nothing needs it")));
    lock.checkpoints.keys().for_each(|name| assert!(file.remove_checkpoint(name).expect("nothing needs it")));
    assert_eq!(file.lock(), &Lock::default());
    set_all(&mut file, &lock);
    assert_eq!(file.lock(), &lock);
}

fn set_all(file: &mut LockFile, lock: &Lock) {
    for (name, pin) in &lock.checkpoints {
        file.set_checkpoint(name, pin).expect("it was read");
    }
    for (name, pin) in &lock.adapters {
        file.set_adapter(name, pin).expect("it was read");
    }
    for (name, sampling) in &lock.sampling {
        file.set_sampling(name, sampling).expect("it was read");
    }
    for (name, golden) in &lock.goldens {
        file.set_golden(name, golden).expect("it was read");
    }
}
