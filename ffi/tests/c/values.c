/* Wrong values: sizes of structs, numbers, texts, functions that fail. */
#include "check.h"

#include <pinfold.h>
#include <string.h>

static pinfold_model *model;
static pinfold_session *session;

static pinfold_status generate(const pinfold_generate_options *options) {
    pinfold_stream *stream = NULL;
    pinfold_status status = pinfold_session_generate(session, options, NULL, &stream, NULL);
    CHECK((stream == NULL) == (status != PINFOLD_OK));
    pinfold_stream_free(stream);
    return status;
}

static void sizes(void) {
    /* A struct of a later version: longer, and what this one does not know is zero. */
    struct {
        pinfold_generate_options known;
        char later[64];
    } longer;
    memset(&longer, 0x55, sizeof longer);
    pinfold_generate_options_init(&longer.known, sizeof longer);
    CHECK(longer.known.struct_size == sizeof longer && longer.later[0] == 0 && longer.later[63] == 0);
    CHECK(generate(&longer.known) == PINFOLD_OK);
    longer.later[63] = 1;
    CHECK(generate(&longer.known) == PINFOLD_ERROR_STRUCT_SIZE);

    pinfold_generate_options options;
    memset(&options, 0, sizeof options);
    CHECK(generate(&options) == PINFOLD_ERROR_STRUCT_SIZE);
    const size_t sizes[] = {0, 1, sizeof(size_t), sizeof options - 1, 4097, SIZE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        pinfold_generate_options_init(&options, sizeof options);
        options.struct_size = sizes[i];
        CHECK(generate(&options) == PINFOLD_ERROR_STRUCT_SIZE);
        pinfold_finish finish = {.struct_size = sizes[i]};
        pinfold_stream *stream = NULL;
        CHECK(pinfold_session_generate(session, NULL, NULL, &stream, NULL) == PINFOLD_OK);
        /* A size between that of the struct and 4096 would be believed. */
        if (sizes[i] < sizeof finish || sizes[i] > 4096) {
            CHECK(pinfold_stream_finish(stream, &finish, NULL) == PINFOLD_ERROR_STRUCT_SIZE);
        }
        pinfold_stream_free(stream);
        memset(&options, 0x55, sizeof options);
        pinfold_generate_options untouched = options;
        if (sizes[i] < sizeof options) {
            pinfold_generate_options_init(&options, sizes[i]);
            CHECK(memcmp(&options, &untouched, sizeof options) == 0);
        }
    }
    /* Structs that Pinfold fills: a longer one gets zeros behind. */
    struct {
        pinfold_model_facts known;
        char later[32];
    } facts;
    memset(&facts, 0x55, sizeof facts);
    facts.known.struct_size = sizeof facts;
    CHECK(pinfold_model_facts_get(model, &facts.known, NULL) == PINFOLD_OK);
    CHECK(facts.later[0] == 0 && facts.later[31] == 0 && facts.known.struct_size == sizeof facts);
    CHECK(strcmp(facts.known.architecture.data, "scripted") == 0 && facts.known.vocabulary_size == 258);
}

static void numbers(void) {
    pinfold_generate_options options, plain;
    pinfold_generate_options_init(&plain, sizeof plain);
    const int64_t wrong[] = {-2, INT64_MIN, INT64_MAX, (int64_t)UINT32_MAX + 1};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        options = plain;
        options.max_tokens = wrong[i];
        CHECK(generate(&options) == PINFOLD_ERROR_INVALID_OPTION);
        options = plain;
        options.logprobs = wrong[i];
        CHECK(generate(&options) == PINFOLD_ERROR_INVALID_OPTION);
        pinfold_session_options slide;
        pinfold_session_options_init(&slide, sizeof slide);
        slide.slide_keep = wrong[i];
        pinfold_session *none = NULL;
        CHECK(pinfold_model_session(model, &slide, &none, NULL) == PINFOLD_ERROR_INVALID_OPTION && !none);
        pinfold_model_options load;
        pinfold_model_options_init(&load, sizeof load);
        load.offload_layers = wrong[i];
        pinfold_model *no_model = NULL;
        CHECK(pinfold_model_scripted("x", 1, 0, &load, &no_model, NULL) == PINFOLD_ERROR_INVALID_OPTION && !no_model);
    }
    options = plain;
    options.reserved = 1;
    CHECK(generate(&options) == PINFOLD_ERROR_STRUCT_SIZE);
    options = plain;
    options.temperature = -1.0F;
    CHECK(generate(&options) == PINFOLD_ERROR_INVALID_OPTION);
    pinfold_logit_bias bias = {104, -1.0e30F};
    options = plain;
    options.logit_bias = &bias;
    options.logit_bias_length = SIZE_MAX;
    CHECK(generate(&options) == PINFOLD_ERROR_INVALID_OPTION);
    pinfold_model_options load;
    pinfold_model_options_init(&load, sizeof load);
    load.mmap = 2;
    pinfold_model *no_model = NULL;
    CHECK(pinfold_model_scripted("x", 1, 0, &load, &no_model, NULL) == PINFOLD_ERROR_INVALID_OPTION && !no_model);
    pinfold_message message = {{"x", 1}, 0, 0};
    pinfold_text *text = NULL;
    CHECK(pinfold_model_chat_prompt(model, &message, 1, &text, NULL) == PINFOLD_ERROR_INVALID_OPTION && !text);
}

static void texts(void) {
    const char *wrong[] = {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xe2\x82"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        size_t length = strlen(wrong[i]);
        pinfold_tokens *tokens = NULL;
        pinfold_model *none = NULL;
        CHECK(pinfold_session_append(session, wrong[i], length, false, NULL, NULL) == PINFOLD_ERROR_INVALID_TEXT);
        CHECK(pinfold_model_tokenize(model, wrong[i], length, true, &tokens, NULL) == PINFOLD_ERROR_INVALID_TEXT);
        CHECK(pinfold_model_load(wrong[i], length, NULL, NULL, &none, NULL) == PINFOLD_ERROR_INVALID_TEXT);
        CHECK(pinfold_model_load_embedded(wrong[i], length, NULL, NULL, &none, NULL) == PINFOLD_ERROR_INVALID_TEXT);
        CHECK(pinfold_session_save(session, wrong[i], length, NULL) == PINFOLD_ERROR_INVALID_TEXT);
        CHECK(pinfold_session_restore(session, wrong[i], length, NULL) == PINFOLD_ERROR_INVALID_TEXT);
        pinfold_generate_options options;
        pinfold_generate_options_init(&options, sizeof options);
        pinfold_string stop = {wrong[i], length};
        options.stop = &stop;
        options.stop_length = 1;
        CHECK(generate(&options) == PINFOLD_ERROR_INVALID_TEXT);
    }
    CHECK(pinfold_session_append(session, "x", SIZE_MAX, false, NULL, NULL) == PINFOLD_ERROR_INVALID_OPTION);
    CHECK(pinfold_session_save(session, "/no/such/folder/x", 17, NULL) == PINFOLD_ERROR_IO);
    CHECK(pinfold_session_restore(session, "a\0b", 3, NULL) == PINFOLD_ERROR_IO);
}

static int calls, released;

static int32_t fails(void *user, float share) {
    CHECK(user == &calls && share >= 0.0F && share <= 1.0F);
    calls++;
    return -1;
}

static void on_log(void *user, pinfold_log_level level, const char *target, const char *message) {
    (void)level;
    (*(int *)user)++;
    CHECK(target != NULL && message != NULL);
}

static void on_release(void *user) {
    (void)user;
    released++;
}

static void callbacks(void) {
    pinfold_model_options options;
    pinfold_model_options_init(&options, sizeof options);
    options.progress = fails;
    options.progress_user = &calls;
    pinfold_model *none = NULL;
    pinfold_status status = pinfold_model_load_embedded("intent", 6, &options, NULL, &none, NULL);
    /* A build without the engine has no checkpoint to load. */
    CHECK((status == PINFOLD_ERROR_CALLBACK && calls == 1) || status == PINFOLD_ERROR_UNSUPPORTED);
    CHECK(none == NULL);

    static int lines;
    CHECK(pinfold_log_set(on_log, 0, &lines, on_release, NULL) == PINFOLD_ERROR_INVALID_OPTION && released == 1);
    CHECK(pinfold_log_set(on_log, 6, &lines, on_release, NULL) == PINFOLD_ERROR_INVALID_OPTION && released == 2);
    CHECK(pinfold_log_set(on_log, PINFOLD_LOG_TRACE, &lines, on_release, NULL) == PINFOLD_OK && released == 2);
    CHECK(pinfold_log_set(on_log, PINFOLD_LOG_TRACE, &lines, on_release, NULL) == PINFOLD_OK && released == 3);
    if (!pinfold_model_load_embedded("intent", 6, NULL, NULL, &none, NULL)) CHECK(lines > 0);
    pinfold_model_free(none);
    CHECK(pinfold_log_set(NULL, PINFOLD_LOG_TRACE, NULL, on_release, NULL) == PINFOLD_OK && released == 5);
}

void check_values(void) {
    CHECK(pinfold_model_scripted("hello", 5, 0, NULL, &model, NULL) == PINFOLD_OK);
    CHECK(pinfold_model_session(model, NULL, &session, NULL) == PINFOLD_OK);
    CHECK(pinfold_session_append(session, "q", 1, false, NULL, NULL) == PINFOLD_OK);
    sizes();
    numbers();
    texts();
    callbacks();
    pinfold_session_free(session);
    pinfold_model_free(model);
}
