//! The C ABI called from Rust over a scripted model: what Miri can run. The rest is tested from C, in `ffi/tests`.

use std::ffi::CStr;
use std::ptr;

use super::boundary::{self, Handle};
use super::sized::{self, Versioned};
use super::*;
use crate::api::PinfoldError;

mod pins;

fn text(text: &CStr) -> (*const std::ffi::c_char, usize) {
    (text.as_ptr(), text.count_bytes())
}

fn open(answer: &CStr) -> (*mut pinfold_model, *mut pinfold_session) {
    let (mut model, mut session) = (ptr::null_mut(), ptr::null_mut());
    let (answer, length) = text(answer);
    unsafe {
        let status = pinfold_model_scripted(answer, length, 0, ptr::null(), &raw mut model, ptr::null_mut());
        assert_eq!(status, PINFOLD_OK);
        let status = pinfold_model_session(model, ptr::null(), &raw mut session, ptr::null_mut());
        assert_eq!(status, PINFOLD_OK);
    }
    (model, session)
}

#[test]
fn a_stream_gives_text_tokens_and_log_probabilities() {
    let (model, session) = open(c"hi");
    let (mut stream, mut chunk, mut length) = (ptr::null_mut(), ptr::null_mut(), 0);
    let (mut said, mut tokens) = (String::new(), Vec::new());
    unsafe {
        let status =
            pinfold_session_append(session, c"q".as_ptr(), 1, false, &raw mut length, ptr::null_mut());
        assert_eq!((status, length), (PINFOLD_OK, 1));
        let mut options = pinfold_generate_options::defaults();
        let stop = pinfold_string { data: c"never".as_ptr(), length: 5 };
        let bias = pinfold_logit_bias { token: 3, bias: -1.0 };
        (options.logprobs, options.stop, options.stop_length) = (2, &raw const stop, 1);
        (options.logit_bias, options.logit_bias_length) = (&raw const bias, 1);
        let status = pinfold_session_generate(
            session,
            &raw const options,
            ptr::null(),
            &raw mut stream,
            ptr::null_mut(),
        );
        assert_eq!(status, PINFOLD_OK);
        loop {
            assert_eq!(pinfold_stream_next(stream, &raw mut chunk, ptr::null_mut()), PINFOLD_OK);
            if chunk.is_null() {
                break;
            }
            said += CStr::from_ptr(pinfold_chunk_text(chunk)).to_str().unwrap();
            let count = pinfold_chunk_tokens_length(chunk);
            tokens.extend_from_slice(std::slice::from_raw_parts(pinfold_chunk_tokens(chunk), count));
            for index in 0..count {
                let mut length = 0;
                let top = pinfold_chunk_top(chunk, index, &raw mut length);
                assert_eq!(length, 2);
                assert!(*pinfold_chunk_logprobs(chunk).add(index) <= (*top).logprob);
            }
            assert!(pinfold_chunk_top(chunk, count, ptr::null_mut()).is_null());
            pinfold_chunk_free(chunk);
        }
        let mut finish = pinfold_finish::defaults();
        assert_eq!(pinfold_stream_finish(stream, &raw mut finish, ptr::null_mut()), PINFOLD_OK);
        assert_eq!(finish.reason, PINFOLD_FINISH_END_OF_GENERATION);
        pinfold_model_free(model);
        pinfold_session_free(session);
        pinfold_stream_free(stream);
    }
    assert_eq!((said.as_str(), tokens.as_slice()), ("hi", [104, 105].as_slice()));
}

#[test]
fn a_cancel_comes_from_another_thread() {
    struct Shared(*const pinfold_stream);
    // SAFETY: the header allows it.
    unsafe impl Sync for Shared {}
    let (model, session) = open(c"a rather long answer");
    let (mut stream, mut chunk) = (ptr::null_mut(), ptr::null_mut());
    unsafe {
        pinfold_session_append(session, c"q".as_ptr(), 1, false, ptr::null_mut(), ptr::null_mut());
        pinfold_session_generate(session, ptr::null(), ptr::null(), &raw mut stream, ptr::null_mut());
        let shared = Shared(stream);
        std::thread::scope(|scope| {
            let shared = &shared;
            scope.spawn(move || pinfold_stream_cancel(shared.0));
            while pinfold_stream_next(stream, &raw mut chunk, ptr::null_mut()) == PINFOLD_OK
                && !chunk.is_null()
            {
                pinfold_chunk_free(chunk);
            }
        });
        pinfold_session_free(session);
        pinfold_stream_free(stream);
        pinfold_model_free(model);
    }
}

#[test]
fn errors_speak_and_handles_are_null() {
    let (model, session) = open(c"x");
    unsafe {
        let mut error = ptr::null_mut();
        let mut stream = ptr::dangling_mut();
        let status =
            pinfold_session_generate(session, ptr::null(), ptr::null(), &raw mut stream, &raw mut error);
        assert_eq!(status, PINFOLD_ERROR_SESSION_EMPTY);
        assert!(stream.is_null());
        assert_eq!(pinfold_error_status(error), status);
        assert!(CStr::from_ptr(pinfold_error_message(error)).to_str().unwrap().contains("append text"));
        pinfold_error_free(error);
        let bad =
            pinfold_session_append(session, c"a\xff".as_ptr(), 2, false, ptr::null_mut(), &raw mut error);
        assert_eq!(bad, PINFOLD_ERROR_INVALID_TEXT);
        let message = CStr::from_ptr(pinfold_error_message(error)).to_str().unwrap();
        assert_eq!(message, "text is not UTF-8: byte 1 of 2");
        pinfold_error_free(error);
        pinfold_session_free(session);
        pinfold_model_free(model);
    }
}

#[test]
fn facts_and_texts_live_as_long_as_their_owner() {
    let (model, session) = open(c"x");
    unsafe {
        let mut facts = pinfold_model_facts::defaults();
        assert_eq!(pinfold_model_facts_get(model, &raw mut facts, ptr::null_mut()), PINFOLD_OK);
        assert_eq!(CStr::from_ptr(facts.architecture.data).to_str().unwrap(), "scripted");
        let (mut tokens, mut out) = (ptr::null_mut(), ptr::null_mut());
        pinfold_model_tokenize(model, c"ab".as_ptr(), 2, false, &raw mut tokens, ptr::null_mut());
        let ids = (pinfold_tokens_data(tokens), pinfold_tokens_length(tokens));
        pinfold_model_detokenize(model, ids.0, ids.1, &raw mut out, ptr::null_mut());
        pinfold_model_free(model);
        pinfold_session_free(session);
        assert_eq!(CStr::from_ptr(pinfold_text_data(out)).to_str().unwrap(), "ab");
        pinfold_tokens_free(tokens);
        pinfold_text_free(out);
    }
}

#[test]
fn a_panic_stops_at_the_boundary() {
    let mut error = ptr::null_mut();
    unsafe {
        let status = boundary::call(&raw mut error, || panic!("on purpose"));
        assert_eq!(status, PINFOLD_ERROR_PANIC);
        assert!(CStr::from_ptr(pinfold_error_message(error)).to_str().unwrap().contains("a bug in Pinfold"));
        pinfold_error_free(error);
        assert_eq!(boundary::call(ptr::null_mut(), || panic!("on purpose")), PINFOLD_ERROR_PANIC);
        assert_eq!(boundary::quiet(7, || panic!("on purpose")), 7);
        struct Bad;
        impl Drop for Bad {
            fn drop(&mut self) {
                panic!("on purpose");
            }
        }
        boundary::free(Bad.into_handle());
    }
}

/// A struct that grew: its first version had the first number alone.
#[repr(C)]
#[derive(Debug, PartialEq)]
struct Grown {
    struct_size: usize,
    first: u64,
    second: u64,
}

// SAFETY: numbers.
unsafe impl Versioned for Grown {
    const NAME: &'static str = "grown";
    const FORMER: &'static [usize] = &[size_of::<usize>() + 8];

    fn defaults() -> Self {
        Self { struct_size: size_of::<Self>(), first: 1, second: 2 }
    }
}

#[test]
fn a_struct_of_an_older_or_a_newer_version_is_taken() {
    let words = |words: &[u64]| words.to_vec();
    unsafe {
        let old = words(&[16, 7]);
        let read = sized::read(old.as_ptr().cast::<Grown>()).unwrap();
        assert_eq!((read.first, read.second), (7, 2), "what is missing has its default");
        let same = words(&[24, 7, 8]);
        assert_eq!(sized::read(same.as_ptr().cast::<Grown>()).unwrap().second, 8);
        let new = words(&[32, 7, 8, 0]);
        assert_eq!(sized::read(new.as_ptr().cast::<Grown>()).unwrap().second, 8);
        let unknown = words(&[32, 7, 8, 1 << 40]);
        assert!(
            sized::read(unknown.as_ptr().cast::<Grown>()).unwrap_err().message().contains("byte 29 is set")
        );
        for size in [0, 8, 17, 23, 4097, u64::MAX] {
            let wrong = words(&[size, 7, 8, 0]);
            let failure = sized::read(wrong.as_ptr().cast::<Grown>()).unwrap_err();
            assert_eq!(failure.status(), PINFOLD_ERROR_STRUCT_SIZE);
        }

        let mut old = words(&[16, 0, 99]);
        sized::write(old.as_mut_ptr().cast::<Grown>(), &Grown::defaults()).unwrap();
        assert_eq!(old, [16, 1, 99], "nothing is written behind the caller's struct");
        let mut new = words(&[32, 9, 9, 9]);
        sized::init(new.as_mut_ptr().cast::<Grown>(), 32);
        assert_eq!(new, [32, 1, 2, 0]);
        assert_eq!(sized::read::<Grown>(ptr::null()).unwrap(), Grown::defaults());
    }
}

#[test]
fn every_error_of_the_api_has_its_status_and_its_word() {
    let make: [fn(String) -> PinfoldError; 28] = [
        PinfoldError::Io,
        PinfoldError::BadCheckpoint,
        PinfoldError::UnknownCheckpoint,
        PinfoldError::LoadFailed,
        PinfoldError::OutOfMemory,
        PinfoldError::ContextFull,
        PinfoldError::TooManySessions,
        PinfoldError::SessionBusy,
        PinfoldError::SessionEmpty,
        PinfoldError::Cancelled,
        PinfoldError::InvalidOption,
        PinfoldError::UnknownToken,
        PinfoldError::NoCandidate,
        PinfoldError::BadSession,
        PinfoldError::ChatTemplate,
        PinfoldError::Unsupported,
        PinfoldError::Engine,
        PinfoldError::InvalidText,
        PinfoldError::Callback,
        PinfoldError::BadLock,
        PinfoldError::NotPinned,
        PinfoldError::NotPulled,
        PinfoldError::WrongDigest,
        PinfoldError::BadStore,
        PinfoldError::NoSpace,
        PinfoldError::BadSource,
        PinfoldError::PullFailed,
        PinfoldError::BadSignature,
    ];
    let code = |status| unsafe { CStr::from_ptr(pinfold_status_code(status)) }.to_str().unwrap();
    for (index, make) in make.iter().enumerate() {
        let error = make(String::new());
        assert_eq!(error.status(), index as i32 + 1);
        let variant = format!("{error:?}");
        let variant = variant.split('(').next().unwrap();
        assert_eq!(code(error.status()).replace('_', ""), variant.to_lowercase());
    }
    assert_eq!(
        code(make.len() as i32 + 1),
        "unknown",
        "a new error needs a constant and a word in status.rs"
    );
}

/// `GenerateOptions` and the others are read back as they were written: C's defaults are the API's.
#[test]
fn the_defaults_are_those_of_the_api() {
    let generate = unsafe { pinfold_generate_options::defaults().to_api() }.unwrap();
    assert_eq!(generate, crate::api::GenerateOptions::default());
    let load = unsafe { pinfold_model_options::defaults().to_api() }.unwrap();
    assert_eq!(load, crate::api::ModelOptions::default());
    let session = pinfold_session_options::defaults().to_api().unwrap();
    assert_eq!(session, crate::api::SessionOptions::default());
    let store = unsafe { pinfold_store_options::defaults().to_api() }.unwrap();
    assert_eq!(store, crate::api::StoreOptions::default());
    let pull = unsafe { pinfold_pull_options::defaults().to_api() }.unwrap();
    assert_eq!(pull, crate::api::PullOptions::default());
    let verify = unsafe { pinfold_verify_options::defaults().to_api() }.unwrap();
    assert_eq!(verify, crate::api::VerifyOptions::default());
}
