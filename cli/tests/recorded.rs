//! `pinfold golden` and `pinfold verify`.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use common::{Desk, intent, stories};
use serde_json::{Value, json};

/// A desk with the embedded checkpoint pinned and one golden of it.
fn recorded() -> Desk {
    let desk = Desk::new();
    desk.pin_intent("commands");
    let ran = desk.run(&["golden", "add", "jazz", "--checkpoint", "commands", "play some jazz"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("PlayMusic") && ran.err.starts_with("recorded jazz: "),
        "{}{}",
        ran.out,
        ran.err
    );
    desk
}

fn verified(desk: &Desk, code: i32) -> Value {
    let ran = desk.run(&["verify", "--json"]).failed(code, "");
    let json = ran.json();
    assert_eq!(json["passed"].as_bool(), Some(code == 0), "{}", ran.out);
    json
}

#[test]
fn a_golden_is_replayed() {
    let desk = recorded();
    let json = verified(&desk, 0);
    assert_eq!(json["files"][0]["name"], "commands");
    let golden = &json["goldens"][0];
    assert_eq!((golden["name"].as_str(), golden["outcome"].as_str()), (Some("jazz"), Some("same")));
    assert_eq!((golden["exact"].as_bool(), golden["cause"].is_null()), (Some(true), true));
    assert!(golden["first_difference"].is_null());
    let table = desk.run(&["verify", "--threads", "1", "--stamp"]).done().out;
    assert!(table.contains("as pinned") && table.contains("same"), "{table}");
    let table = desk.run(&["verify", "jazz", "--verify=stamp"]).done().out;
    assert!(table.contains("jazz"), "{table}");
    desk.run(&["verify", "nothing"]).failed(3, "nothing");
    desk.run(&["verify", "--tolerance", "-1"]).failed(2, "--tolerance");
    desk.run(&["verify", "--tolerance", "NaN"]).failed(2, "--tolerance");
}

#[test]
fn an_edited_golden_fails_and_shows_the_place() {
    let desk = recorded();
    let good = desk.lock_text();
    desk.edit("PlayMusic", "PlayMuzak");
    let golden = verified(&desk, 5)["goldens"][0].clone();
    assert_eq!(golden["outcome"], "different");
    let place = &golden["first_difference"];
    assert!(place["expected_text"].as_str().unwrap().contains("PlayMuzak"), "{golden}");
    assert!(place["actual_text"].as_str().unwrap().contains("PlayMusic"), "{golden}");
    let text = desk.run(&["verify"]).failed(5, "").out;
    let lines: Vec<_> = text.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("  recorded  ")).unwrap();
    let mark = lines[at + 2].find('^').unwrap();
    assert_eq!((&lines[at][mark..mark + 1], &lines[at + 1][mark..mark + 1]), ("z", "s"), "{text}");

    // Another input makes another prompt, and the report says that this is why.
    desk.write("pinfold.lock", good.replace("play some jazz", "play some rock"));
    assert_eq!(verified(&desk, 5)["goldens"][0]["cause"], "prompt");
    desk.write("pinfold.lock", &good);
    verified(&desk, 0);
}

#[test]
fn changed_weights_are_the_cause() {
    let desk = recorded();
    let mut bytes = intent().to_vec();
    let end = bytes.len() - 1000;
    bytes[end] ^= 0x40;
    desk.run(&["store", "remove", "commands"]).done();
    desk.write("intent.gguf", &bytes);
    let json = verified(&desk, 5);
    assert_eq!(
        (json["files"][0]["passed"].as_bool(), &json["files"][0]["causes"]),
        (Some(false), &json!(["weights"]))
    );
    assert_eq!(json["goldens"][0]["outcome"], "not_run");
    std::fs::remove_file(desk.work().join("intent.gguf")).unwrap();
    assert_eq!(verified(&desk, 5)["files"][0]["causes"], json!(["missing"]));
}

#[test]
fn goldens_are_listed_updated_and_removed() {
    let desk = recorded();
    let table = desk.run(&["golden", "list"]).done().out;
    assert!(table.starts_with("NAME") && table.contains("jazz") && table.contains("PlayMusic"), "{table}");
    let listed = desk.run(&["golden", "list", "--json"]).done().json();
    assert_eq!(
        (listed[0]["checkpoint"].as_str(), listed[0]["finish"].as_str()),
        (Some("commands"), Some("end_of_generation"))
    );
    assert!(listed[0]["recorded"]["backend"].is_string());

    let add = ["golden", "add", "jazz", "--checkpoint", "commands", "x"];
    desk.run(&add).failed(1, "already").failed(1, "golden update");
    assert_eq!(desk.run(&["golden", "update"]).done().out, "jazz: the same\n");

    let good = desk.lock_text();
    desk.edit("PlayMusic", "PlayMuzak");
    let edited = desk.lock_text();
    let ran = desk.run(&["golden", "update", "jazz"]).failed(1, "--yes");
    assert!(ran.out.contains("PlayMuzak") && ran.out.contains("PlayMusic"), "{}", ran.out);
    assert_eq!(desk.lock_text(), edited, "without a yes nothing is recorded");
    let json = desk.run(&["golden", "update", "--yes", "--json"]).done().json();
    assert_eq!((json[0]["name"].as_str(), json[0]["changed"].as_bool()), (Some("jazz"), Some(true)));
    assert_eq!(desk.lock_text(), good);

    desk.run(&["golden", "update", "none"]).failed(3, "has no golden named");
    desk.run(&["golden", "remove", "none"]).failed(3, "it has: jazz");
    desk.run(&["golden", "remove", "jazz"]).done();
    assert!(!desk.lock_text().contains("jazz"));
    assert_eq!(desk.run(&["golden", "list", "--json"]).done().json(), json!([]));
}

#[test]
fn a_golden_takes_what_run_takes() {
    let Some(model) = stories("a_golden_takes_what_run_takes") else { return };
    let desk = Desk::new();
    desk.write("stories.gguf", std::fs::read(model).unwrap());
    desk.run(&["pin", "tale", "file:stories.gguf", "--licence", "MIT"]).done();
    let preset = "\n[sampling.wild]\ntemperature = 1.5\ntop_k = 50\nseed = 11\n";
    desk.write("pinfold.lock", desk.lock_text() + preset);
    let add = |name: &str, rest: &[&str]| {
        desk.run(&[&["golden", "add", name, "--checkpoint", "tale", "-n", "12", "--json"], rest].concat())
    };
    let json = add("plain", &["Once upon a time"]).done().json();
    assert!(json["text"].as_str().unwrap().starts_with(", there was a little girl"), "{json}");
    assert_eq!((json["tokens"].as_array().unwrap().len(), json["finish"].as_str()), (12, Some("length")));
    let json = add("stopped", &["Once upon a time", "--raw", "--stop", "little"]).done().json();
    assert_eq!((json["text"].as_str(), json["finish"].as_str()), (Some(", there was a "), Some("stop")));
    let drawn = add("drawn", &["Once", "-t", "1.5", "--top-k", "50", "--seed", "11"]).done().json();
    let named = add("named", &["Once", "--preset", "wild"]).done().json();
    assert_eq!((&drawn["tokens"], named["preset"].as_str()), (&named["tokens"], Some("wild")));
    desk.write("prompt.txt", "Once upon a time\n");
    let filed = add("filed", &["--file", "prompt.txt"]).done().json();
    assert!(filed["text"].as_str().unwrap().starts_with(", there was a little girl"), "{filed}");

    add("x", &["Once", "--preset", "calm"]).failed(2, "it has: wild");
    add("x", &["Once", "--preset", "wild", "--seed", "1"]).failed(2, "--seed");
    add("x", &["Once", "--system", "Be brief."]).failed(3, "no chat template");
    add("x", &["Once", "-n", "0"]).failed(2, "--max-tokens");
    add("bad name", &["Once"]).failed(2, "is no name");
    let other = ["golden", "add", "x", "--checkpoint", "none", "Once"];
    desk.run(&other).failed(3, "pins nothing named \"none\"");

    let json = verified(&desk, 0);
    assert_eq!(json["goldens"].as_array().unwrap().len(), 5);

    // A golden whose settings have a name is one of those settings, as they are now.
    desk.edit("top_k = 50\nseed = 11\n", "top_k = 50\nseed = 12\n");
    let json = verified(&desk, 5);
    let failed: Vec<_> = json["goldens"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|golden| golden["outcome"] == "different")
        .collect();
    assert_eq!(
        (failed.len(), failed[0]["name"].as_str(), failed[0]["cause"].as_str()),
        (1, Some("named"), Some("sampler"))
    );
    desk.run(&["golden", "update", "named", "--yes"]).done();
    verified(&desk, 0);
}

#[test]
fn a_lock_file_without_goldens_is_verified_too() {
    let desk = Desk::new();
    desk.pin_intent("commands");
    assert_eq!(verified(&desk, 0)["goldens"], json!([]));
    desk.run(&["golden", "update"]).done();
    let elsewhere = Desk::new();
    elsewhere.run(&["verify"]).failed(1, "there is no pinfold.lock");
}
