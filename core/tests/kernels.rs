//! Every build of the CPU kernels that this machine runs computes the same, and the best one is chosen.
//!
//! The kernels of a process are chosen once, so each variant runs in a child process.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#![cfg(feature = "llama")]

mod common;

use std::process::Command;

use pinfold::{GenerateOptions, Model, ModelOptions, Offload, Special};

const CHILD: &str = "PINFOLD_TEST_KERNELS_CHILD";

fn generate(path: &std::path::Path) -> String {
    let options = ModelOptions { offload: Offload::cpu_only(), threads: 1, ..ModelOptions::default() };
    let model = Model::load(path, &options).unwrap();
    let session = model.session().unwrap();
    session.append("Once upon a time", Special::Plain).unwrap();
    let options = GenerateOptions { max_tokens: Some(60), ..Default::default() };
    session.generate(&options).unwrap().complete().unwrap().text
}

#[test]
fn every_variant_generates_the_same_text() {
    let Some(path) = common::shared("checkpoints/stories260K.gguf") else { return };
    if std::env::var_os(CHILD).is_some() {
        println!("KERNELS {}", pinfold::engine::devices::devices().unwrap()[0].kernels.clone().unwrap());
        println!("TEXT {:?}", generate(&path));
        return;
    }
    let names = pinfold::engine::llama::kernels();
    eprintln!("this machine runs the kernels {names:?}");
    let expected = format!("TEXT {:?}", generate(&path));
    for name in names {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "every_variant_generates_the_same_text", "--nocapture"])
            .env(CHILD, "1")
            .env("PINFOLD_KERNELS", name)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{name}: {}: {said}", output.status);
        assert!(said.contains(&format!("KERNELS {name}")), "{name} was asked for: {said}");
        assert!(said.contains(&expected), "{name} generates something else: {said}");
    }
}
