//! What C reads of lists and reports, made here of values: the calls that make them need files.

use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::api::{
    Cause, DamagedEntry, Difference, FileReport, GoldenOutcome, GoldenReport, StoreEntry, VerifyReport,
};

fn word(text: pinfold_string) -> Option<String> {
    if text.data.is_null() {
        return None;
    }
    let found = unsafe { CStr::from_ptr(text.data) }.to_str().unwrap().to_owned();
    assert_eq!(found.len(), text.length);
    Some(found)
}

fn entry(digest: &str, used: Option<u64>) -> StoreEntry {
    StoreEntry {
        digest: digest.into(),
        size: 7,
        path: format!("/store/{digest}"),
        used: used.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)),
        pinned_by: vec!["/a/pinfold.lock".into(), "/b/pinfold.lock".into()],
    }
}

#[test]
fn a_list_of_files_says_what_the_store_said() {
    let list = pinfold_store_entries::from(vec![entry("ab", Some(86400)), entry("cd", None)]).into_handle();
    let damaged = DamagedEntry { entry: entry("ab", None), actual_digest: "ef".into() };
    let damaged = pinfold_store_entries::from(vec![damaged]).into_handle();
    let mut found = pinfold_store_entry::defaults();
    unsafe {
        assert_eq!(pinfold_store_entries_length(list), 2);
        assert_eq!(pinfold_store_entries_get(list, 0, &raw mut found, ptr::null_mut()), PINFOLD_OK);
        assert_eq!((word(found.digest).as_deref(), found.size, found.used), (Some("ab"), 7, 86400));
        assert_eq!((word(found.path).as_deref(), word(found.actual_digest)), (Some("/store/ab"), None));
        let pinned_by = std::slice::from_raw_parts(found.pinned_by, found.pinned_by_length);
        let pinned_by: Vec<_> = pinned_by.iter().map(|path| word(*path).unwrap()).collect();
        assert_eq!(pinned_by, ["/a/pinfold.lock", "/b/pinfold.lock"]);
        assert_eq!(pinfold_store_entries_get(list, 1, &raw mut found, ptr::null_mut()), PINFOLD_OK);
        assert_eq!(found.used, PINFOLD_NONE);
        assert_eq!(
            pinfold_store_entries_get(list, 2, &raw mut found, ptr::null_mut()),
            PINFOLD_ERROR_INVALID_OPTION
        );
        assert_eq!(pinfold_store_entries_get(damaged, 0, &raw mut found, ptr::null_mut()), PINFOLD_OK);
        assert_eq!(word(found.actual_digest).as_deref(), Some("ef"));
        pinfold_store_entries_free(list);
        pinfold_store_entries_free(damaged);
    }
}

fn golden(difference: Option<Difference>) -> GoldenReport {
    GoldenReport {
        name: "order".into(),
        checkpoint: "intent".into(),
        outcome: GoldenOutcome::Different,
        exact: true,
        cause: Some(Cause::Sampler),
        difference,
        deviation: 0.25,
        detail: "1 token differs".into(),
    }
}

#[test]
fn a_report_says_what_the_verification_said() {
    let file = FileReport {
        name: "intent".into(),
        passed: false,
        causes: vec![Cause::Tokenizer, Cause::ChatTemplate],
        detail: "another tokenizer".into(),
    };
    let difference = Difference {
        index: 3,
        expected_token: Some(u32::MAX),
        actual_token: None,
        expected_text: "a".into(),
        actual_text: String::new(),
        margin: None,
    };
    let goldens = vec![golden(None), golden(Some(difference))];
    let report =
        pinfold_verify_report::from(VerifyReport { passed: false, files: vec![file], goldens }).into_handle();
    let (mut file, mut golden) = (pinfold_file_report::defaults(), pinfold_golden_report::defaults());
    unsafe {
        assert!(!pinfold_verify_report_passed(report));
        assert_eq!(pinfold_verify_report_files_length(report), 1);
        assert_eq!(pinfold_verify_report_file(report, 0, &raw mut file, ptr::null_mut()), PINFOLD_OK);
        assert_eq!((word(file.name).as_deref(), file.passed), (Some("intent"), 0));
        let causes = std::slice::from_raw_parts(file.causes, file.causes_length);
        assert_eq!(causes, [PINFOLD_CAUSE_TOKENIZER, PINFOLD_CAUSE_CHAT_TEMPLATE]);

        assert_eq!(pinfold_verify_report_goldens_length(report), 2);
        assert_eq!(pinfold_verify_report_golden(report, 0, &raw mut golden, ptr::null_mut()), PINFOLD_OK);
        assert_eq!((golden.outcome, golden.cause), (PINFOLD_GOLDEN_DIFFERENT, PINFOLD_CAUSE_SAMPLER));
        assert_eq!((golden.index, golden.expected_token), (PINFOLD_NONE, PINFOLD_NONE));
        assert_eq!((word(golden.expected_text), golden.exact, golden.deviation), (None, 1, 0.25));
        assert_eq!(pinfold_verify_report_golden(report, 1, &raw mut golden, ptr::null_mut()), PINFOLD_OK);
        assert_eq!((golden.index, golden.expected_token), (3, i64::from(u32::MAX)));
        assert_eq!((golden.actual_token, golden.margin.is_nan()), (PINFOLD_NONE, true));
        let texts = (word(golden.expected_text), word(golden.actual_text));
        assert_eq!((texts.0.as_deref(), texts.1.as_deref()), (Some("a"), Some("")));
        pinfold_verify_report_free(report);
    }
}

#[test]
fn named_settings_fill_the_options_of_a_generation() {
    let mut options = pinfold_generate_options::defaults();
    options.max_tokens = 7;
    let sampling = crate::api::Sampling {
        temperature: 0.5,
        seed: 3,
        top_k: 40,
        logit_bias: [(crate::api::Token(5), -1.0)].into(),
        ..Default::default()
    };
    let bias = [pinfold_logit_bias { token: 5, bias: -1.0 }];
    options.set_sampling(&sampling, &bias);
    let read = unsafe { options.to_api() }.unwrap();
    assert_eq!((read.sampling, read.max_tokens), (sampling, Some(7)));
}
