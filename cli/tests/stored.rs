//! `pinfold store`.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use common::{Desk, Ran, intent, intent_digest};

/// A desk whose store holds the embedded checkpoint, which nothing pins.
fn filled() -> Desk {
    let desk = Desk::new();
    desk.write("intent.gguf", intent());
    assert_eq!(desk.run(&["store", "import", "intent.gguf"]).done().out.trim(), intent_digest());
    desk
}

fn digests(listed: &Ran) -> Vec<String> {
    let json = listed.json();
    json.as_array().unwrap().iter().map(|entry| entry["sha256"].as_str().unwrap().to_owned()).collect()
}

/// The path of the one file in the store.
fn stored(desk: &Desk) -> std::path::PathBuf {
    let json = desk.run(&["store", "path", &intent_digest(), "--json"]).done().json();
    json["path"].as_str().unwrap().into()
}

/// Changes one bit of a file.
fn damage(path: &std::path::Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let mut permissions = std::fs::metadata(path).unwrap().permissions();
    #[allow(clippy::permissions_set_readonly_false, reason = "it is the test's own file")]
    permissions.set_readonly(false);
    std::fs::set_permissions(path, permissions).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn files_are_listed_with_what_pins_them() {
    let desk = filled();
    let json = desk.run(&["store", "list", "--json"]).done().json();
    let entry = &json[0];
    assert_eq!((entry["sha256"].as_str(), json.as_array().unwrap().len()), (Some(&*intent_digest()), 1));
    assert_eq!(entry["size_bytes"], intent().len());
    assert_eq!(std::fs::read(entry["path"].as_str().unwrap()).unwrap(), intent());
    assert_eq!((&entry["names"], &entry["pinned_by"]), (&serde_json::json!([]), &serde_json::json!([])));

    desk.pin_intent("commands");
    let json = desk.run(&["store", "list", "--json"]).done().json();
    assert_eq!(json[0]["names"], serde_json::json!(["commands"]));
    assert!(json[0]["pinned_by"][0].as_str().unwrap().ends_with("pinfold.lock"));
    let table = desk.run(&["store", "list"]).done().out;
    assert!(
        table.starts_with("SHA-256") && table.contains("commands") && table.contains("\n1 file, 5.2 MiB in "),
        "{table}"
    );
}

#[test]
fn the_store_is_named_by_option_or_environment() {
    let desk = Desk::new();
    let root = desk.run(&["store", "path"]).done().out;
    assert_eq!(root.trim(), desk.store().to_str().unwrap());
    let other = desk.work().join("other");
    let other = other.to_str().unwrap();
    assert_eq!(desk.run(&["store", "path", "--store", other]).done().out.trim(), other);
    desk.write("file", "x");
    desk.run(&["store", "list", "--store", "file"]).failed(1, "file");
}

#[test]
fn words_name_files_by_name_digest_or_its_beginning() {
    let desk = filled();
    desk.pin_intent("commands");
    let digest = intent_digest();
    let path = desk.run(&["store", "path", "commands"]).done().out;
    for word in [&digest[..], &digest[..8], &digest.to_uppercase()[..12]] {
        assert_eq!(desk.run(&["store", "path", word]).done().out, path, "{word}");
    }
    desk.run(&["store", "path", &digest[..7]]).failed(3, "neither a name in the lock file nor a digest");
    desk.run(&["store", "path", "nothing\u{1b}[2J"]).failed(3, "nothing\\u{1b}[2J");
    desk.run(&["store", "path", "00000000"]).failed(3, "nothing whose digest begins with 00000000");
    desk.run(&["store", "path", &"0".repeat(64)]).failed(3, "is not in the store");
    desk.run(&["store", "verify", &"0".repeat(64)]).failed(3, "is not in the store");
}

#[test]
fn a_changed_bit_is_found() {
    let desk = filled();
    desk.run(&["store", "verify"]).done();
    damage(&stored(&desk));
    let ran = desk.run(&["store", "verify"]).failed(5, "pinfold store remove");
    assert!(ran.out.contains(&intent_digest()[..12]), "{}", ran.out);
    let ran = desk.run(&["store", "verify", &intent_digest()[..10], "--json"]);
    let json = ran.json();
    assert_eq!((ran.code, json[0]["sha256"].as_str()), (5, Some(&*intent_digest())));
    assert_ne!(json[0]["found_sha256"], json[0]["sha256"]);
    desk.run(&["store", "path", &intent_digest()]).failed(5, "have the digest");

    desk.run(&["store", "remove", &intent_digest()]).done();
    assert_eq!(desk.run(&["store", "verify", "--json"]).done().json(), serde_json::json!([]));
}

#[test]
fn files_are_removed_by_hand_or_by_gc() {
    let desk = filled();
    desk.run(&["store", "remove"]).failed(2, "<WHICH>");
    desk.run(&["store", "remove", &"0".repeat(64)]).failed(3, "is not in the store");
    let json = desk.run(&["store", "gc", "--dry-run", "--json"]).done().json();
    assert_eq!(
        (json["dry_run"].as_bool(), json["freed_bytes"].as_u64()),
        (Some(true), Some(intent().len() as u64))
    );
    assert_eq!(digests(&desk.run(&["store", "list", "--json"])), [intent_digest()]);

    desk.pin_intent("commands");
    desk.run(&["store", "import", "pinfold.lock"]).done();
    let freed = desk.run(&["store", "gc"]).done().out;
    assert!(freed.starts_with("removed ") && freed.contains("\nfreed "), "{freed}");
    assert_eq!(digests(&desk.run(&["store", "list", "--json"])), [intent_digest()], "what is pinned stays");

    desk.edit("version = 1", "version = 99");
    desk.run(&["store", "gc"]).failed(1, "pinfold.lock:1:");
    desk.edit("version = 99", "version = 1");
    let removed = desk.run(&["store", "remove", "commands", "--json"]).done().json();
    assert_eq!(removed[0]["size_bytes"], intent().len());
    assert!(digests(&desk.run(&["store", "list", "--json"])).is_empty());
}

#[test]
fn an_import_is_checked_and_keeps_to_the_quota() {
    let desk = Desk::new();
    desk.write("intent.gguf", intent());
    desk.run(&["store", "import", "intent.gguf", "--sha256", &"0".repeat(64)]).failed(5, &intent_digest());
    desk.run(&["store", "import", "intent.gguf", "--sha256", "xyz"]).failed(2, "64 hexadecimal digits");
    desk.run(&["store", "import", "intent.gguf", "--quota", "1MB"]).failed(4, "below the quota");
    desk.run(&["store", "import", "intent.gguf", "--quota", "lots"]).failed(2, "--quota");
    desk.run(&["store", "import", "nothing.gguf"]).failed(1, "nothing.gguf");
    assert!(digests(&desk.run(&["store", "list", "--json"])).is_empty());

    let command = |quota: &str| {
        let mut command = desk.command(&["store", "import", "intent.gguf", "--json"]);
        common::ended(command.env("PINFOLD_STORE_QUOTA", quota).spawn().unwrap())
    };
    command("5 parsecs").failed(2, "PINFOLD_STORE_QUOTA: ");
    command("1MB").failed(4, "\"code\":\"no_space\"");
    let json = command("20MB").done().json();
    assert_eq!(json["sha256"].as_str(), Some(&*intent_digest()));
    assert_eq!(std::fs::read(json["path"].as_str().unwrap()).unwrap(), intent());
}
