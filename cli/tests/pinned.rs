//! `pinfold pin`, `pinfold lock`, and MODEL as a name of the lock file.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;
#[allow(dead_code, reason = "the test uses some of it")]
#[path = "../../core/tests/common/gguf.rs"]
mod gguf;

use common::server::Server;
use common::{Desk, intent, intent_digest, stories};
use gguf::Gguf;

const WRONG: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A desk with the stories' checkpoint beside it.
fn with_stories(test: &str) -> Option<Desk> {
    let desk = Desk::new();
    desk.write("stories.gguf", std::fs::read(stories(test)?).unwrap());
    Some(desk)
}

#[test]
fn a_pin_records_what_the_file_is() {
    let desk = Desk::new();
    desk.write("intent.gguf", intent());
    let arguments = ["pin", "commands", "file:intent.gguf", "--licence", "MIT OR Apache-2.0", "--json"];
    let json = desk.run(&arguments).done().json();
    assert_eq!((json["kind"].as_str(), json["changed"].as_bool()), (Some("checkpoint"), Some(true)));
    assert_eq!(json["sha256"].as_str(), Some(&*intent_digest()));
    assert_eq!(json["size_bytes"], intent().len());
    assert_eq!(json["sources"], serde_json::json!(["file:intent.gguf"]));

    let text = desk.lock_text();
    for line in ["version = 1", "[checkpoints.commands]", "licence = \"MIT OR Apache-2.0\"", &intent_digest()]
    {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    let checked = desk.run(&["lock", "check"]).done().out;
    assert!(checked.contains("commands") && checked.contains(&intent_digest()[..12]), "{checked}");
    assert_eq!(desk.run(&arguments).done().json()["changed"], false);
    assert_eq!(desk.lock_text(), text);
}

#[test]
fn a_pinned_name_is_a_model() {
    let test = "a_pinned_name_is_a_model";
    let Some(desk) = with_stories(test) else { return };
    // In front of the embedded one of the same name.
    desk.run(&["pin", "intent", "file:stories.gguf", "--licence", "MIT"]).done();
    let told = desk.run(&["run", "intent", "Once upon a time", "-n", "12"]).done().out;
    assert!(told.starts_with(", there was a little girl"), "{told}");
    for how in ["full", "stamp"] {
        let how = format!("--verify={how}");
        assert_eq!(desk.run(&["run", "intent", "Once upon a time", "-n", "12", &how]).done().out, told);
    }
    let inspected = desk.run(&["inspect", "intent", "--json"]).done().json();
    assert_eq!(inspected["hyperparameters"]["vocabulary"], 512);
    let models = desk.run(&["models", "--json"]).done().json();
    assert_eq!(models.as_array().unwrap().len(), 1, "it hides the embedded one");
    assert_eq!((models[0]["origin"].as_str(), models[0]["here"].as_bool()), (Some("lock"), Some(true)));
    assert_eq!(
        desk.run(&["bench", "intent", "--json", "-p", "0", "-n", "4", "-r", "1"]).done().json()["model"],
        "intent"
    );

    let below = desk.work().join("below");
    std::fs::create_dir(&below).unwrap();
    let mut command = desk.command(&["run", "intent", "Once upon a time", "-n", "12"]);
    assert_eq!(
        common::ended(command.current_dir(&below).spawn().unwrap()).done().out,
        told,
        "the nearest above"
    );
    let elsewhere = Desk::new();
    let lock = desk.lock();
    let named = ["run", "intent", "Once upon a time", "-n", "12", "--lock", lock.to_str().unwrap()];
    assert_eq!(elsewhere.run(&named).done().out, told, "where the file stands that the source names");

    // Changed bytes are found although the store is not: the file is its own source.
    let mut bytes = std::fs::read(desk.work().join("stories.gguf")).unwrap();
    bytes[600_000] ^= 1;
    desk.write("stories.gguf", &bytes);
    desk.run(&["store", "remove", "intent"]).done();
    let ran = desk.run(&["run", "intent", "Once upon a time"]);
    assert!([3, 5].contains(&ran.code), "{}", ran.err);
}

#[test]
fn nobody_to_ask_means_that_options_decide() {
    let Some(desk) = with_stories("nobody_to_ask_means_that_options_decide") else { return };
    desk.run(&["pin", "tale", "file:stories.gguf"]).failed(2, "nobody can be asked").failed(2, "--licence");
    desk.run(&["pin", "tale", "file:stories.gguf", "--yes"]).failed(1, "does not say under which licence");
    assert!(!desk.lock().exists());
    desk.write("intent.gguf", intent());
    desk.run(&["pin", "commands", "file:intent.gguf", "--yes"]).done();
    let licence = pinfold_checkpoints::find("intent").unwrap().licence;
    assert!(desk.lock_text().contains(&format!("licence = {licence:?}")), "{}", desk.lock_text());
}

#[test]
fn another_file_under_the_name_needs_agreement() {
    let Some(desk) = with_stories("another_file_under_the_name_needs_agreement") else { return };
    desk.pin_intent("model");
    let text = format!("# ours\n{}# the end\n", desk.lock_text());
    desk.write("pinfold.lock", &text);
    let again = ["pin", "model", "file:stories.gguf", "--licence", "MIT"];
    let ran = desk.run(&again).failed(1, "still pins what it pinned before").failed(1, "--yes");
    for said in [&intent_digest()[..12], "5.2 MiB", "1.1 MiB", "file:stories.gguf"] {
        assert!(ran.err.contains(said), "{said:?} is not in {}", ran.err);
    }
    assert_eq!(desk.lock_text(), text);

    let ran = desk.run(&[&again[..], &["--yes"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("pinned anew: model"), "{}", ran.out);
    let text = desk.lock_text();
    assert!(text.starts_with("# ours\n") && text.ends_with("# the end\n"), "{text}");
    assert!(!text.contains(&intent_digest()), "{text}");
}

#[test]
fn nothing_is_recorded_when_it_fails() {
    let desk = Desk::new();
    desk.pin_intent("commands");
    let text = desk.lock_text();
    desk.write("damaged.gguf", &intent()[..1_000_000]);
    desk.write("text.gguf", "hello");
    let pin = |rest: &[&str]| desk.run(&[&["pin", "other"], rest, &["--licence", "MIT"]].concat());
    pin(&["file:damaged.gguf"]).failed(3, "pinfold inspect");
    pin(&["file:text.gguf"]).failed(3, "is not a checkpoint that can run");
    pin(&["file:nothing.gguf"]).failed(1, "nothing.gguf");
    pin(&["file:intent.gguf", "--sha256", WRONG]).failed(5, &intent_digest());
    pin(&["file:intent.gguf", "--sha256", "123"]).failed(2, "64 hexadecimal digits");
    pin(&["file:intent.gguf", "--base", "commands"]).failed(2, "no adapter");
    pin(&["file:intent.gguf", "--signature", "text.gguf"])
        .failed(5, "text.gguf: is not a minisign signature");
    pin(&["file:intent.gguf", "--key", "text.gguf"]).failed(2, "--signature");
    pin(&["file:intent.gguf", "--quota", "1MB"]).failed(4, "below the quota");
    pin(&["intent.gguf"]).failed(2, "file:intent.gguf");
    pin(&["ftp://example.org/x"]).failed(2, "is no source");
    pin(&["http://example.org/x"]).failed(2, "is no source");
    pin(&[]).failed(2, "<SOURCE>");
    desk.run(&["pin", "no/name", "file:intent.gguf", "--licence", "MIT"]).failed(2, "is no name");
    desk.run(&["pin", "other", "--mirror", "file:intent.gguf"]).failed(3, "pins nothing named \"other\"");
    desk.run(&["pin", "other", "file:intent.gguf", "--licence", ""]).failed(2, "--licence");
    assert_eq!(desk.lock_text(), text);
    let error =
        desk.run(&["pin", "other", "file:nothing.gguf", "--licence", "MIT", "--json"]).failed(1, "").err;
    assert!(
        serde_json::from_str::<serde_json::Value>(&error).unwrap()["error"]["message"].is_string(),
        "{error}"
    );
}

#[test]
fn a_mirror_must_have_the_same_bytes() {
    let Some(model) = stories("a_mirror_must_have_the_same_bytes") else { return };
    let (server, desk) = (Server::start(), Desk::new());
    desk.pin_intent("commands");
    let text = desk.lock_text();
    let wrong = server.put("/wrong.gguf", &std::fs::read(model).unwrap());
    desk.run(&["pin", "commands", "--mirror", &wrong]).failed(5, &intent_digest());
    desk.run(&["pin", "commands", "--mirror", &format!("{wrong}.none"), "--attempts", "1"]).failed(1, "404");
    assert_eq!(desk.lock_text(), text);

    let right = server.put("/right.gguf", intent());
    let json = desk.run(&["pin", "commands", "--mirror", &right, "--json"]).done().json();
    assert_eq!(json["sources"], serde_json::json!(["file:intent.gguf", right]));
    assert!(desk.lock_text().contains(&right));
    assert_eq!(desk.run(&["pin", "commands", "--mirror", &right, "--json"]).done().json()["changed"], false);
}

#[test]
fn a_path_is_relative_to_where_it_was_typed() {
    let desk = Desk::new();
    desk.pin_intent("commands");
    let below = desk.work().join("models");
    std::fs::create_dir(&below).unwrap();
    std::fs::rename(desk.work().join("intent.gguf"), below.join("a.gguf")).unwrap();
    let mut command = desk.command(&["pin", "again", "file:a.gguf", "--licence", "MIT"]);
    common::ended(command.current_dir(&below).spawn().unwrap()).done();
    assert!(desk.lock_text().contains("\"file:models/a.gguf\""), "{}", desk.lock_text());
    assert!(!below.join("pinfold.lock").exists());
    desk.run(&["store", "remove", "again"]).done();
    desk.run(&["pull", "again"]).done();
}

#[test]
fn an_adapter_is_bound_to_its_base() {
    let Some(desk) = with_stories("an_adapter_is_bound_to_its_base") else { return };
    desk.run(&["pin", "tale", "file:stories.gguf", "--licence", "MIT"]).done();
    let adapter = |width: u64| {
        let mut gguf = Gguf::empty();
        gguf.set("general.type", "adapter").set("general.architecture", "llama").set("adapter.type", "lora");
        gguf.set("adapter.lora.alpha", 8.0).set("general.license", "cc-by-4.0");
        gguf.tensor("blk.0.attn_q.weight.lora_a", &[width, 1], 0);
        gguf.tensor("blk.0.attn_q.weight.lora_b", &[1, 64], 0);
        gguf.bytes()
    };
    desk.write("pirate.gguf", adapter(64));
    desk.write("misfit.gguf", adapter(32));
    desk.run(&["pin", "pirate", "file:pirate.gguf", "--yes"]).failed(2, "--base NAME");
    desk.run(&["pin", "pirate", "file:pirate.gguf", "--yes", "--base", "none"])
        .failed(3, "pins nothing named");
    desk.run(&["pin", "pirate", "file:misfit.gguf", "--yes", "--base", "tale"])
        .failed(3, "is not for \"tale\"");
    let json =
        desk.run(&["pin", "pirate", "file:pirate.gguf", "--yes", "--base", "tale", "--json"]).done().json();
    assert_eq!((json["kind"].as_str(), json["licence"].as_str()), (Some("adapter"), Some("cc-by-4.0")));
    let text = desk.lock_text();
    assert!(text.contains("[adapters.pirate]") && text.contains("base = \"tale\""), "{text}");

    // Another base would leave it behind.
    desk.write("intent.gguf", intent());
    let ran = desk.run(&["pin", "tale", "file:intent.gguf", "--licence", "MIT", "--yes"]).failed(1, "pirate");
    assert!(ran.err.contains("hint: "), "{}", ran.err);
    assert_eq!(desk.lock_text(), text);
}

#[test]
fn a_bad_lock_file_says_where() {
    let desk = Desk::new();
    desk.pin_intent("commands");
    let good = desk.lock_text();
    for (old, new, said) in [
        ("version = 1", "version = 2", "pinfold.lock:1:"),
        ("version = 1", "version = ", "pinfold.lock:1:"),
        ("licence = ", "license = ", "license"),
        (&intent_digest()[..8], "zzzzzzzz", "64 hexadecimal digits"),
        ("file:intent.gguf", "gopher://x", "is no source"),
    ] {
        desk.write("pinfold.lock", good.replace(old, new));
        for command in
            [&["lock", "check"][..], &["pull"], &["run", "commands", "x"], &["models"], &["verify"]]
        {
            desk.run(command).failed(1, said);
        }
        let error = desk.run(&["lock", "check", "--json"]).failed(1, "").err;
        assert_eq!(serde_json::from_str::<serde_json::Value>(&error).unwrap()["error"]["code"], "bad_lock");
    }
    // What is plainly a file does not need it.
    desk.run(&["run", "./intent.gguf", "play some jazz"]).done();
    desk.run(&["pin", "other", "file:intent.gguf", "--licence", "MIT"]).failed(1, "pinfold.lock:");
}

/// A file of the pins that all languages are tested with, signed with a key of the tests.
fn signed(name: &str) -> String {
    format!("{}/../core/vectors/pins/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_signed_lock_file_is_checked() {
    let desk = Desk::new();
    for name in ["pinfold.lock", "pinfold.lock.minisig", "test.pub"] {
        std::fs::copy(signed(name), desk.work().join(name)).unwrap();
    }
    let out = desk.run(&["lock", "check", "--key", "test.pub"]).done().out;
    assert!(out.contains("signed by the key"), "{out}");
    let key = std::fs::read_to_string(signed("test.pub")).unwrap().lines().nth(1).unwrap().to_owned();
    let json = desk.run(&["lock", "check", "pinfold.lock", "--key", &key, "--json"]).done().json();
    assert_eq!(json["signed"], true);
    let intent = json["files"].as_array().unwrap().iter().find(|file| file["name"] == "intent").unwrap();
    assert_eq!(
        (intent["minisig"].as_bool(), intent["sha256"].as_str()),
        (Some(true), Some(&*intent_digest()))
    );

    desk.run(&["lock", "check", "--key", "none.pub"]).failed(5, "not a minisign key");
    desk.edit("version = 1", "version = 1 # ours");
    desk.run(&["lock", "check", "--key", "test.pub"]).failed(5, "pinfold.lock");
    desk.run(&["lock", "check"]).done();
    std::fs::remove_file(desk.work().join("pinfold.lock.minisig")).unwrap();
    desk.run(&["lock", "check", "--key", "test.pub"]).failed(5, "not signed");
}

#[test]
fn a_signature_of_a_file_is_recorded_once_it_is_checked() {
    let desk = Desk::new();
    let vectors = pinfold::LockFile::open(signed("pinfold.lock")).unwrap();
    let minisig = vectors.lock().checkpoints["intent"].file.minisig.clone().unwrap();
    desk.write("intent.gguf", intent());
    desk.write("intent.gguf.minisig", &minisig);
    let key = signed("test.pub");
    let pin = |rest: &[&str]| desk.run(&[&["pin", "commands", "file:intent.gguf", "--yes"], rest].concat());
    let mut other = intent().to_vec();
    other.push(0);
    desk.write("other.gguf", other);
    let arguments = ["--signature", "intent.gguf.minisig", "--key", &key];
    desk.run(&[&["pin", "other", "file:other.gguf", "--yes"], &arguments[..]].concat()).failed(5, "other");
    assert!(!desk.lock().exists());
    pin(&arguments).done();
    assert!(desk.lock_text().contains("minisig = "), "{}", desk.lock_text());
    assert_eq!(desk.run(&["lock", "check", "--json"]).done().json()["files"][0]["minisig"], true);
}

#[test]
fn the_schema_is_printed() {
    let json = Desk::new().run(&["lock", "schema"]).done().json();
    assert!(json["properties"]["checkpoints"].is_object(), "{json}");
}
