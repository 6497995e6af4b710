/* A client that was built with the first header, ever since. It must go on working with the library of today. */
#include "pinfold-0.1.h"

#include <stdio.h>
#include <string.h>

static int32_t progress(void *user, float share) {
    *(float *)user = share;
    return 0;
}

#define NEED(condition)                                                                                                \
    if (!(condition)) {                                                                                                \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                \
        return 1;                                                                                                      \
    }

int main(void) {
    pinfold_model *model = NULL;
    pinfold_session *session = NULL, *fork = NULL;
    pinfold_stream *stream = NULL;
    pinfold_chunk *chunk = NULL;
    pinfold_error *error = NULL;
    pinfold_logprobs *next = NULL;
    pinfold_model_options load;
    pinfold_session_options slide;
    pinfold_generate_options options;
    pinfold_model_facts facts = {.struct_size = sizeof facts};
    pinfold_finish finish = {.struct_size = sizeof finish};
    float share = -1.0F;

    NEED(pinfold_abi_version() == PINFOLD_ABI_VERSION);
    pinfold_model_options_init(&load, sizeof load);
    NEED(load.sessions == 8 && load.offload_layers == PINFOLD_NONE && load.mmap == 1);
    load.progress = progress;
    load.progress_user = &share;
    load.context_tokens = 256;
    NEED(pinfold_model_scripted("hello, world", 12, 0, &load, &model, &error) == PINFOLD_OK);
    NEED(pinfold_model_facts_get(model, &facts, &error) == PINFOLD_OK);
    NEED(facts.context_tokens == 256 && facts.vocabulary_size == 258 && facts.has_decoder == 1);
    pinfold_session_options_init(&slide, sizeof slide);
    slide.slide_keep = 4;
    NEED(pinfold_model_session(model, &slide, &session, &error) == PINFOLD_OK);
    NEED(pinfold_session_append(session, "q", 1, false, NULL, &error) == PINFOLD_OK);
    NEED(pinfold_session_next_tokens(session, 2, NULL, &next, &error) == PINFOLD_OK);
    NEED(pinfold_logprobs_length(next) == 2 && pinfold_logprobs_data(next)[0].token == 'h');
    NEED(pinfold_session_fork(session, &fork, &error) == PINFOLD_OK);

    pinfold_generate_options_init(&options, sizeof options);
    const pinfold_string stop = {"world", 5};
    const pinfold_logit_bias bias = {'z', -100.0F};
    options.stop = &stop;
    options.stop_length = 1;
    options.logit_bias = &bias;
    options.logit_bias_length = 1;
    options.max_tokens = 100;
    options.logprobs = 3;
    NEED(pinfold_session_generate(fork, &options, NULL, &stream, &error) == PINFOLD_OK);
    char text[64] = "";
    while (!pinfold_stream_next(stream, &chunk, &error) && chunk) {
        size_t length = 0;
        NEED(pinfold_chunk_top(chunk, 0, &length) && length == 3 && pinfold_chunk_logprobs(chunk)[0] <= 0.0F);
        strncat(text, pinfold_chunk_text(chunk), sizeof text - strlen(text) - 1);
        pinfold_chunk_free(chunk);
    }
    NEED(strcmp(text, "hello, ") == 0);
    NEED(pinfold_stream_finish(stream, &finish, &error) == PINFOLD_OK && finish.reason == PINFOLD_FINISH_STOP);
    NEED(pinfold_session_rewind(session, 9, &error) == PINFOLD_ERROR_INVALID_OPTION);
    NEED(strcmp(pinfold_status_code(pinfold_error_status(error)), "invalid_option") == 0);

    pinfold_error_free(error);
    pinfold_logprobs_free(next);
    pinfold_model_free(model);
    pinfold_session_free(session);
    pinfold_session_free(fork);
    pinfold_stream_free(stream);
    puts("a client of the header of 0.1 works");
    return 0;
}
