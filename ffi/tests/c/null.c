/* NULL for every pointer of every function, one after the other, the others being right. */
#include "refused.h"

#include <stdlib.h>

static pinfold_model *model, *no_model;
static pinfold_session *session, *no_session;
static pinfold_stream *stream, *no_stream;

static void frees_and_readers(void) {
    for (int twice = 0; twice < 2; twice++) {
        pinfold_error_free(NULL);
        pinfold_text_free(NULL);
        pinfold_tokens_free(NULL);
        pinfold_logprobs_free(NULL);
        pinfold_devices_free(NULL);
        pinfold_embedded_free(NULL);
        pinfold_checkpoint_info_free(NULL);
        pinfold_cancel_free(NULL);
        pinfold_model_free(NULL);
        pinfold_session_free(NULL);
        pinfold_stream_free(NULL);
        pinfold_chunk_free(NULL);
        pinfold_cancel_set(NULL);
        pinfold_stream_cancel(NULL);
        pinfold_model_options_init(NULL, sizeof(pinfold_model_options));
        pinfold_session_options_init(NULL, sizeof(pinfold_session_options));
        pinfold_generate_options_init(NULL, sizeof(pinfold_generate_options));
        checks += 17;
    }
    size_t length = 7;
    CHECK(pinfold_error_status(NULL) == PINFOLD_OK);
    CHECK(pinfold_error_message(NULL) == NULL);
    CHECK(pinfold_text_data(NULL) == NULL);
    CHECK(pinfold_text_length(NULL) == 0);
    CHECK(pinfold_tokens_data(NULL) == NULL);
    CHECK(pinfold_tokens_length(NULL) == 0);
    CHECK(pinfold_logprobs_data(NULL) == NULL);
    CHECK(pinfold_logprobs_length(NULL) == 0);
    CHECK(pinfold_devices_length(NULL) == 0);
    CHECK(pinfold_embedded_length(NULL) == 0);
    CHECK(!pinfold_cancel_is_set(NULL));
    CHECK(pinfold_chunk_text(NULL) == NULL);
    CHECK(pinfold_chunk_text_length(NULL) == 0);
    CHECK(pinfold_chunk_tokens(NULL) == NULL);
    CHECK(pinfold_chunk_tokens_length(NULL) == 0);
    CHECK(pinfold_chunk_logprobs(NULL) == NULL);
    CHECK(pinfold_chunk_top(NULL, 0, &length) == NULL && length == 0);
    CHECK(pinfold_chunk_top(NULL, 0, NULL) == NULL);
    CHECK(strcmp(pinfold_status_code(PINFOLD_ERROR_NULL_ARGUMENT), "null_argument") == 0);
    CHECK(strcmp(pinfold_status_code(-1), "unknown") == 0);
}

static void machine(void) {
    pinfold_devices *devices = NULL;
    pinfold_embedded *embedded = NULL;
    pinfold_checkpoint_info *info = NULL;
    pinfold_cancel *cancel = NULL;
    pinfold_device device = {.struct_size = sizeof device};
    pinfold_embedded_checkpoint checkpoint = {.struct_size = sizeof checkpoint};
    pinfold_checkpoint found = {.struct_size = sizeof found};

    REFUSED(pinfold_devices_list(NULL, error));
    REFUSED(pinfold_devices_get(NULL, 0, &device, error));
    TAKEN(pinfold_devices_list(&devices, error));
    if (pinfold_devices_length(devices)) REFUSED(pinfold_devices_get(devices, 0, NULL, error));
    REFUSED_AS(PINFOLD_ERROR_INVALID_OPTION, pinfold_devices_get(devices, 99, &device, error));
    REFUSED(pinfold_embedded_list(NULL, error));
    REFUSED(pinfold_embedded_get(NULL, 0, &checkpoint, error));
    TAKEN(pinfold_embedded_list(&embedded, error));
    if (pinfold_embedded_length(embedded)) REFUSED(pinfold_embedded_get(embedded, 0, NULL, error));
    REFUSED_AS(PINFOLD_ERROR_INVALID_OPTION, pinfold_embedded_get(embedded, 99, &checkpoint, error));
    REFUSED_HANDLE(info, pinfold_checkpoint_inspect(NULL, 1, NULL, &info, error));
    REFUSED(pinfold_checkpoint_inspect("x", 1, NULL, NULL, error));
    REFUSED_AS(PINFOLD_ERROR_IO, pinfold_checkpoint_inspect("no such file", 12, NULL, &info, error));
    REFUSED_AS(PINFOLD_ERROR_IO, pinfold_checkpoint_inspect(NULL, 0, NULL, &info, error));
    REFUSED(pinfold_checkpoint_info_get(NULL, &found, error));
    REFUSED(pinfold_cancel_new(NULL, error));
    TAKEN(pinfold_cancel_new(&cancel, error));
    TAKEN(pinfold_log_set(NULL, PINFOLD_LOG_ERROR, NULL, NULL, error));
    pinfold_devices_free(devices);
    pinfold_embedded_free(embedded);
    pinfold_cancel_free(cancel);
}

static void models(void) {
    pinfold_tokens *tokens = NULL;
    pinfold_text *text = NULL;
    pinfold_model_facts facts = {.struct_size = sizeof facts};
    const pinfold_message message = {{"hi", 2}, PINFOLD_ROLE_USER, 0}, bad = {{NULL, 2}, PINFOLD_ROLE_USER, 0};
    const uint32_t ids[] = {104, 105};

    REFUSED_HANDLE(no_model, pinfold_model_load(NULL, 1, NULL, NULL, &no_model, error));
    REFUSED(pinfold_model_load("x", 1, NULL, NULL, NULL, error));
    REFUSED_HANDLE(no_model, pinfold_model_load_embedded(NULL, 1, NULL, NULL, &no_model, error));
    REFUSED(pinfold_model_load_embedded("intent", 6, NULL, NULL, NULL, error));
    REFUSED_HANDLE(no_model, pinfold_model_load_bytes(NULL, 1, (const uint8_t *)ids, 8, NULL, NULL, &no_model, error));
    REFUSED_HANDLE(no_model, pinfold_model_load_bytes("x", 1, NULL, 8, NULL, NULL, &no_model, error));
    REFUSED(pinfold_model_load_bytes("x", 1, (const uint8_t *)ids, 8, NULL, NULL, NULL, error));
    REFUSED_HANDLE(no_model, pinfold_model_scripted(NULL, 1, 0, NULL, &no_model, error));
    REFUSED(pinfold_model_scripted("x", 1, 0, NULL, NULL, error));
    REFUSED_HANDLE(no_session, pinfold_model_session(NULL, NULL, &no_session, error));
    REFUSED(pinfold_model_session(model, NULL, NULL, error));
    REFUSED_HANDLE(tokens, pinfold_model_tokenize(NULL, "x", 1, false, &tokens, error));
    REFUSED_HANDLE(tokens, pinfold_model_tokenize(model, NULL, 1, false, &tokens, error));
    REFUSED(pinfold_model_tokenize(model, "x", 1, false, NULL, error));
    TAKEN(pinfold_model_tokenize(model, NULL, 0, false, &tokens, error));
    CHECK(pinfold_tokens_length(tokens) == 0);
    REFUSED_HANDLE(text, pinfold_model_detokenize(NULL, ids, 2, &text, error));
    REFUSED_HANDLE(text, pinfold_model_detokenize(model, NULL, 2, &text, error));
    REFUSED(pinfold_model_detokenize(model, ids, 2, NULL, error));
    TAKEN(pinfold_model_detokenize(model, NULL, 0, &text, error));
    CHECK(pinfold_text_length(text) == 0 && pinfold_text_data(text)[0] == 0);
    pinfold_text_free(text);
    REFUSED_HANDLE(text, pinfold_model_chat_prompt(NULL, &message, 1, &text, error));
    REFUSED_HANDLE(text, pinfold_model_chat_prompt(model, NULL, 1, &text, error));
    REFUSED_HANDLE(text, pinfold_model_chat_prompt(model, &bad, 1, &text, error));
    REFUSED(pinfold_model_chat_prompt(model, &message, 1, NULL, error));
    REFUSED(pinfold_model_facts_get(NULL, &facts, error));
    REFUSED(pinfold_model_facts_get(model, NULL, error));
    REFUSED_HANDLE(text, pinfold_model_digest(NULL, &text, error));
    REFUSED(pinfold_model_digest(model, NULL, error));
    pinfold_tokens_free(tokens);
}

static void sessions(void) {
    pinfold_tokens *tokens = NULL;
    pinfold_logprobs *logprobs = NULL;
    pinfold_chunk *chunk = NULL;
    pinfold_finish finish = {.struct_size = sizeof finish};
    pinfold_generate_options options;
    const uint32_t ids[] = {104, 105};
    uint32_t length = 7;

    REFUSED(pinfold_session_append(NULL, "x", 1, false, &length, error));
    REFUSED(pinfold_session_append(session, NULL, 1, false, &length, error));
    CHECK(length == 7);
    TAKEN(pinfold_session_append(session, "x", 1, false, NULL, error));
    REFUSED(pinfold_session_append_tokens(NULL, ids, 2, &length, error));
    REFUSED(pinfold_session_append_tokens(session, NULL, 2, &length, error));
    CHECK(length == 7);
    TAKEN(pinfold_session_append_tokens(session, NULL, 0, NULL, error));
    REFUSED(pinfold_session_prefill(NULL, NULL, error));
    TAKEN(pinfold_session_prefill(session, NULL, error));
    REFUSED_HANDLE(no_stream, pinfold_session_generate(NULL, NULL, NULL, &no_stream, error));
    REFUSED(pinfold_session_generate(session, NULL, NULL, NULL, error));
    pinfold_generate_options_init(&options, sizeof options);
    options.stop_length = 1;
    REFUSED_HANDLE(no_stream, pinfold_session_generate(session, &options, NULL, &no_stream, error));
    options.stop_length = 0;
    options.logit_bias_length = 1;
    REFUSED_HANDLE(no_stream, pinfold_session_generate(session, &options, NULL, &no_stream, error));
    REFUSED_HANDLE(logprobs, pinfold_session_next_tokens(NULL, 1, NULL, &logprobs, error));
    REFUSED(pinfold_session_next_tokens(session, 1, NULL, NULL, error));
    REFUSED_HANDLE(tokens, pinfold_session_tokens(NULL, &tokens, error));
    REFUSED(pinfold_session_tokens(session, NULL, error));
    REFUSED(pinfold_session_rewind(NULL, 0, error));
    REFUSED_HANDLE(no_session, pinfold_session_fork(NULL, &no_session, error));
    REFUSED(pinfold_session_fork(session, NULL, error));
    REFUSED(pinfold_session_save(NULL, "x", 1, error));
    REFUSED(pinfold_session_save(session, NULL, 1, error));
    REFUSED(pinfold_session_restore(NULL, "x", 1, error));
    REFUSED(pinfold_session_restore(session, NULL, 1, error));
    TAKEN(pinfold_session_generate(session, NULL, NULL, &stream, error));
    REFUSED_HANDLE(chunk, pinfold_stream_next(NULL, &chunk, error));
    REFUSED(pinfold_stream_next(stream, NULL, error));
    REFUSED(pinfold_stream_finish(NULL, &finish, error));
    REFUSED(pinfold_stream_finish(stream, NULL, error));
    TAKEN(pinfold_stream_next(stream, &chunk, error));
    CHECK(chunk != NULL && pinfold_chunk_top(chunk, 0, NULL) == NULL);
    pinfold_chunk_free(chunk);
    pinfold_stream_free(stream);
}

void check_null(void) {
    CHECK(pinfold_model_scripted("hello", 5, 0, NULL, &model, NULL) == PINFOLD_OK);
    CHECK(pinfold_model_session(model, NULL, &session, NULL) == PINFOLD_OK);
    frees_and_readers();
    machine();
    models();
    sessions();
    pinfold_session_free(session);
    pinfold_model_free(model);
}
