//! `pinfold models`, `pinfold devices`, `pinfold bench`, and the help.

mod common;

use common::pinfold;

#[test]
fn models_are_listed_with_their_digest() {
    let json = pinfold(&["models", "--json"]).done().json();
    let intent = json.as_array().unwrap().iter().find(|entry| entry["name"] == "intent").unwrap();
    let digest = intent["sha256"].as_str().unwrap();
    assert_eq!(digest.len(), 64);
    assert!(intent["size_bytes"].as_u64().unwrap() > 0);
    let table = pinfold(&["models"]).done().out;
    assert!(table.starts_with("NAME") && table.contains(&digest[..12]), "{table}");
}

#[test]
fn devices_end_with_the_processor() {
    let json = pinfold(&["devices", "--json"]).done().json();
    let last = json.as_array().unwrap().last().unwrap();
    assert_eq!(last["kind"], "cpu");
    assert!(last["kernels"].is_string() && last["memory_total"].as_u64().unwrap() > 0);
    let table = pinfold(&["devices"]).done().out;
    assert!(table.contains("processor") && table.contains(last["name"].as_str().unwrap()), "{table}");
}

#[test]
fn bench_measures_reading_and_generating_apart() {
    let arguments = [
        "bench",
        "intent",
        "--prompt-tokens",
        "32",
        "--gen-tokens",
        "16",
        "--repetitions",
        "3",
        "--threads",
        "1",
    ];
    let json = pinfold(&[&arguments[..], &["--json"]].concat()).done().json();
    for (name, value) in [("prompt_tokens", 32), ("gen_tokens", 16), ("repetitions", 3), ("threads", 1)] {
        assert_eq!(json[name], value, "{name}");
    }
    for test in ["prompt", "gen"] {
        let samples: Vec<_> =
            json[format!("{test}_samples")].as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect();
        let mean = json[format!("{test}_tokens_per_second")].as_f64().unwrap();
        assert_eq!(samples.len(), 3);
        assert!(mean > 0.0 && (mean - samples.iter().sum::<f64>() / 3.0).abs() < 1e-6 * mean, "{test}");
        assert!(json[format!("{test}_tokens_per_second_stddev")].as_f64().unwrap() >= 0.0);
    }
    assert!(json["size_bytes"].as_u64() > Some(0) && json["parameters"].as_u64() > Some(0));

    let table = pinfold(&arguments).done().out;
    assert!(table.contains("pp 32") && table.contains("tg 16") && table.contains('±'), "{table}");
    let one = pinfold(&["bench", "intent", "--json", "-p", "0", "-n", "4", "-r", "1"]).done().json();
    assert!(one["prompt_tokens_per_second"].is_null());
    pinfold(&["bench", "intent", "-p", "0", "-n", "0"]).failed(2, "nothing to measure");
    pinfold(&["bench", "intent", "-r", "0"]).failed(2, "--repetitions");
}

#[test]
fn help_has_examples_and_exit_codes() {
    let help = pinfold(&["--help"]).done().out;
    assert!(help.contains("Examples:") && help.contains("130  cancelled by Ctrl-C"), "{help}");
    for command in [
        "run", "chat", "inspect", "models", "devices", "bench", "pin", "pull", "outdated", "verify",
        "golden", "lock", "store",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
        let own = pinfold(&[command, "--help"]).done().out;
        assert!(own.contains("Examples:") && own.contains(&format!("pinfold {command} ")), "{own}");
    }
    for command in [
        "golden add",
        "golden update",
        "golden list",
        "golden remove",
        "lock check",
        "lock schema",
        "store list",
        "store verify",
        "store remove",
        "store gc",
        "store path",
        "store import",
    ] {
        let words: Vec<_> = command.split(' ').chain(["--help"]).collect();
        let own = pinfold(&words).done().out;
        assert!(own.contains("Examples:") && own.contains(&format!("pinfold {command}")), "{own}");
    }
    assert!(pinfold(&["--version"]).done().out.starts_with("pinfold "));
    pinfold(&["frobnicate"]).failed(2, "frobnicate");
}
