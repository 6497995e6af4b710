//! `pinfold inspect`.

mod common;

use common::{TEMPLATE, pinfold, shared, stories, stories_with_template};

#[test]
fn a_checkpoint_is_shown_for_people() {
    let Some(model) = stories("a_checkpoint_is_shown_for_people") else { return };
    let text = pinfold(&["inspect", &model]).done().out;
    for line in
        ["verdict        can run", "architecture   llama", "context        512 tokens", "tensors (48)"]
    {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    assert!(text.contains("chat template  none"));
    assert!(text.contains("... and 28 more"), "{text}");
    let all = pinfold(&["inspect", &model, "--tensors"]).done().out;
    assert!(all.contains("\nblk.4.ffn_norm.weight") && !all.contains("more; --tensors"));
    let table = all.split("tensors (48)\n").nth(1).unwrap();
    let ends: std::collections::BTreeSet<_> = table.lines().map(|line| line.chars().count()).collect();
    assert_eq!(ends.len(), 1, "the last column is aligned to the right");
}

#[test]
fn json_has_everything() {
    let folder = tempfile::tempdir().unwrap();
    let Some(model) = stories_with_template("json_has_everything", folder.path()) else { return };
    let json = pinfold(&["inspect", &model, "--json", "--ctx", "256"]).done().json();
    assert_eq!((json["runs"].as_bool(), json["defect"].is_null()), (Some(true), true));
    assert_eq!((json["architecture"].as_str(), json["quantization"].as_str()), (Some("llama"), Some("F32")));
    assert_eq!(json["hyperparameters"]["layers"], 5);
    assert_eq!(json["tokenizer"]["vocabulary"], 512);
    let special = json["tokenizer"]["special"].as_array().unwrap();
    assert!(special.contains(&serde_json::json!({"name": "bos", "id": 1, "text": "<s>"})));
    assert!(json["chat_template"].as_str().unwrap().starts_with(TEMPLATE));
    assert_eq!(json["metadata"]["tokenizer.ggml.tokens"].as_array().unwrap().len(), 512);
    assert_eq!(json["metadata"]["llama.block_count"], 5);
    let tensors = json["tensors"].as_array().unwrap();
    assert_eq!((tensors.len(), tensors[0]["name"].as_str()), (48, Some("token_embd.weight")));
    assert_eq!((tensors[0]["type"].as_str(), tensors[0]["bytes"].as_u64()), (Some("F32"), Some(131_072)));
    assert_eq!(json["memory"]["context_tokens"], 256);
    let more = pinfold(&["inspect", &model, "--json", "--ctx", "512"]).done().json();
    assert!(more["memory"]["kv_cache"].as_u64() > json["memory"]["kv_cache"].as_u64());
}

#[test]
fn a_refused_file_is_shown_with_its_defect() {
    let test = "a_refused_file_is_shown_with_its_defect";
    let Some(model) = stories(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.gguf");
    let bytes = std::fs::read(&model).unwrap();
    std::fs::write(&cut, &bytes[..500_000]).unwrap();
    let cut = cut.to_str().unwrap();
    let ran = pinfold(&["inspect", cut]);
    assert_eq!((ran.code, ran.err.as_str()), (3, ""));
    for said in ["refused (beyond-end)", "download the file again", "llama.block_count", "tensors (48)"] {
        assert!(ran.out.contains(said), "{said:?} is not in\n{}", ran.out);
    }
    let ran = pinfold(&["inspect", cut, "--json"]);
    let json = ran.json();
    assert_eq!((ran.code, json["runs"].as_bool()), (3, Some(false)));
    assert_eq!((json["defect"]["code"].as_str(), json["memory"].is_null()), (Some("beyond-end"), true));

    // No header at all.
    std::fs::write(cut, &bytes[..100]).unwrap();
    let ran = pinfold(&["inspect", cut, "--json"]);
    assert_eq!((ran.code, ran.json()["defect"]["code"].as_str()), (3, Some("truncated")));
    assert!(ran.json().get("tensors").is_none());
    if let Some(v1) = shared(test, "checkpoints/stories260K-gguf-v1.gguf") {
        let ran = pinfold(&["inspect", &v1]);
        assert!(ran.code == 3 && ran.out.contains("GGUF version 1 is not supported"), "{}", ran.out);
    }
}

#[test]
fn the_embedded_checkpoint_and_what_does_not_exist() {
    let json = pinfold(&["inspect", "intent", "--json"]).done().json();
    assert_eq!((json["file"].as_str(), json["runs"].as_bool()), (Some("intent"), Some(true)));
    assert!(json["chat_template"].is_string());
    pinfold(&["inspect", "no/such/file.gguf"]).failed(3, "no checkpoint is named");
    pinfold(&["inspect", "."]).failed(1, "directory");
}
