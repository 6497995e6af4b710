/* The step `generate` of a case. */
#include "cases.h"

#include <stdlib.h>
#include <string.h>

/* Bytes and tokens of one generation, at most. */
#define ROOM 4096

pinfold_status start(run_t *run, const block_t *step, const pinfold_cancel *cancel, pinfold_stream **stream,
                     pinfold_error **error) {
    pinfold_generate_options options;
    pinfold_generate_options_init(&options, sizeof options);
    options.temperature = (float)real(step, "temperature", options.temperature);
    options.seed = (uint64_t)number(step, "seed", 0);
    options.top_k = (uint32_t)number(step, "top_k", options.top_k);
    options.top_p = (float)real(step, "top_p", options.top_p);
    options.min_p = (float)real(step, "min_p", options.min_p);
    options.max_tokens = number(step, "max_tokens", PINFOLD_NONE);
    options.logprobs = number(step, "logprobs", PINFOLD_NONE);
    pinfold_string stop[FIELDS];
    size_t count = 0;
    text_t texts[FIELDS];
    for (int i = 0; i < step->count; i++) {
        if (strcmp(step->keys[i], "stop") != 0) continue;
        texts[count] = unhex(step->values[i]);
        stop[count].data = texts[count].data;
        stop[count].length = texts[count].length;
        count++;
    }
    options.stop = stop;
    options.stop_length = count;
    pinfold_status status = pinfold_session_generate(run->session, &options, cancel, stream, error);
    for (size_t i = 0; i < count; i++) free(texts[i].data);
    return status;
}

static const char *finish_name(pinfold_finish_reason reason) {
    switch (reason) {
    case PINFOLD_FINISH_END_OF_GENERATION: return "end_of_generation";
    case PINFOLD_FINISH_STOP: return "stop";
    case PINFOLD_FINISH_LENGTH: return "length";
    case PINFOLD_FINISH_CANCELLED: return "cancelled";
    default: return NULL;
    }
}

static void check_logprobs(run_t *run, const block_t *step, const pinfold_chunk *chunk) {
    const float *logprobs = pinfold_chunk_logprobs(chunk);
    int64_t wanted = number(step, "logprobs", -1);
    if ((logprobs == NULL) != (wanted < 0)) fault(run, step, "log-probabilities without asking, or the reverse");
    for (size_t i = 0; logprobs && i < pinfold_chunk_tokens_length(chunk); i++) {
        size_t length = 0;
        const pinfold_token_logprob *top = pinfold_chunk_top(chunk, i, &length);
        if ((int64_t)length != wanted || !(logprobs[i] <= 0.0F) || (top && !(top[0].logprob >= logprobs[i]))) {
            fault(run, step, "log-probabilities of token %zu", i);
        }
    }
}

/* After a cancel: what came begins the text, and the session holds what it held before and the tokens that came. */
static void check_cancelled(run_t *run, const block_t *step, const outcome_t *outcome, pinfold_tokens *before) {
    text_t whole = unhex(word(step, "text"));
    if (!outcome->finish || strcmp(outcome->finish, "cancelled") != 0) fault(run, step, "not cancelled");
    if (outcome->text_length > whole.length || memcmp(whole.data, outcome->text, outcome->text_length) != 0) {
        fault(run, step, "another text");
    }
    pinfold_tokens *held = NULL;
    pinfold_session_tokens(run->session, &held, NULL);
    size_t old = pinfold_tokens_length(before), new = (size_t)outcome->length;
    const uint32_t *tokens = pinfold_tokens_data(held);
    if (pinfold_tokens_length(held) != old + new ||
        memcmp(tokens, pinfold_tokens_data(before), old * sizeof *tokens) != 0 ||
        memcmp(tokens + old, outcome->tokens, new * sizeof *tokens) != 0) {
        fault(run, step, "the session does not hold what the stream gave out");
    }
    pinfold_tokens_free(held);
    free(whole.data);
}

void generate(run_t *run, const block_t *step, outcome_t *outcome) {
    pinfold_tokens *before = NULL;
    pinfold_session_tokens(run->session, &before, NULL);
    pinfold_cancel *cancel = NULL;
    pinfold_cancel_new(&cancel, NULL);
    pinfold_stream *stream = NULL;
    outcome->status = start(run, step, cancel, &stream, &outcome->error);
    if (outcome->status) goto end;

    static char text[ROOM];
    static uint32_t tokens[ROOM];
    size_t length = 0, count = 0;
    int64_t cancel_after = number(step, "cancel_after", -1);
    pinfold_chunk *chunk = NULL;
    while (!(outcome->status = pinfold_stream_next(stream, &chunk, &outcome->error)) && chunk) {
        size_t bytes = pinfold_chunk_text_length(chunk), more = pinfold_chunk_tokens_length(chunk);
        if (length + bytes > ROOM || count + more > ROOM) {
            fault(run, step, "a generation without end");
            pinfold_chunk_free(chunk);
            break;
        }
        memcpy(text + length, pinfold_chunk_text(chunk), bytes);
        memcpy(tokens + count, pinfold_chunk_tokens(chunk), more * sizeof *tokens);
        length += bytes;
        count += more;
        check_logprobs(run, step, chunk);
        pinfold_chunk_free(chunk);
        if (cancel_after >= 0 && (int64_t)count >= cancel_after) pinfold_cancel_set(cancel);
    }
    pinfold_finish finish;
    finish.struct_size = sizeof finish;
    if (pinfold_stream_finish(stream, &finish, NULL)) fault(run, step, "no finish");
    outcome->finish = finish_name(finish.reason);
    keep_text(outcome, text, length);
    keep_tokens(outcome, tokens, count);
    if (cancel_after >= 0) {
        check_cancelled(run, step, outcome, before);
        free(outcome->text); /* a part of the text that the step names */
        outcome->text = NULL;
    }
end:
    pinfold_stream_free(stream);
    pinfold_cancel_free(cancel);
    pinfold_tokens_free(before);
}
