/* The steps of a case. */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void keep_tokens(outcome_t *outcome, const uint32_t *tokens, size_t length) {
    outcome->length = (int64_t)length;
    free(outcome->tokens);
    outcome->tokens = malloc((length + 1) * sizeof *tokens);
    if (length) memcpy(outcome->tokens, tokens, length * sizeof *tokens);
}

void keep_text(outcome_t *outcome, const char *text, size_t length) {
    free(outcome->text);
    outcome->text = malloc(length + 1);
    if (length) memcpy(outcome->text, text, length);
    outcome->text_length = length;
}

static void check(run_t *run, const block_t *step, const outcome_t *outcome) {
    check_error(run, step, outcome->status, outcome->error);
    int64_t length = number(step, "length", -1);
    if (length >= 0 && outcome->length != length) {
        fault(run, step, "length %lld, not %lld", (long long)outcome->length, (long long)length);
    }
    if (outcome->text && has(step, "text")) {
        text_t wanted = unhex(word(step, "text"));
        if (wanted.length != outcome->text_length || memcmp(wanted.data, outcome->text, wanted.length) != 0) {
            fault(run, step, "\"%.*s\", not \"%s\"", (int)outcome->text_length, outcome->text, wanted.data);
        }
        free(wanted.data);
    }
    if (has(step, "finish") && (!outcome->finish || strcmp(outcome->finish, word(step, "finish")) != 0)) {
        fault(run, step, "finish %s, not %s", outcome->finish ? outcome->finish : "none", word(step, "finish"));
    }
    uint32_t tokens[TOKENS];
    int64_t count = numbers(step, "tokens", tokens, TOKENS);
    if (outcome->tokens && count >= 0) {
        if (count != outcome->length || memcmp(tokens, outcome->tokens, (size_t)count * sizeof *tokens) != 0) {
            fault(run, step, "other tokens: %lld of them", (long long)outcome->length);
        }
    }
}

static void take_tokens(outcome_t *outcome, pinfold_tokens *tokens) {
    if (tokens) keep_tokens(outcome, pinfold_tokens_data(tokens), pinfold_tokens_length(tokens));
    pinfold_tokens_free(tokens);
}

static pinfold_role role(const char *name) {
    if (strcmp(name, "system") == 0) return PINFOLD_ROLE_SYSTEM;
    if (strcmp(name, "user") == 0) return PINFOLD_ROLE_USER;
    return strcmp(name, "assistant") == 0 ? PINFOLD_ROLE_ASSISTANT : PINFOLD_ROLE_TOOL;
}

/* Fields `user TEXT`, `system TEXT`.. are the messages, in their order. */
static void append_chat(run_t *run, const block_t *step, outcome_t *outcome) {
    pinfold_message messages[FIELDS];
    text_t texts[FIELDS];
    int count = 0;
    for (int i = 0; i < step->count; i++) {
        if (strcmp(step->keys[i], "chat") != 0) continue;
        char name[16] = "";
        sscanf(step->values[i], "%15s", name);
        texts[count] = unhex(strchr(step->values[i], ' ') + 1);
        messages[count].content.data = texts[count].data;
        messages[count].content.length = texts[count].length;
        messages[count].role = role(name);
        messages[count].reserved = 0;
        count++;
    }
    pinfold_text *prompt = NULL;
    uint32_t length = 0;
    outcome->status = pinfold_model_chat_prompt(run->model, messages, (size_t)count, &prompt, &outcome->error);
    if (!outcome->status) {
        outcome->status = pinfold_session_append(run->session, pinfold_text_data(prompt), pinfold_text_length(prompt),
                                                 true, &length, &outcome->error);
        outcome->length = length;
    }
    pinfold_text_free(prompt);
    for (int i = 0; i < count; i++) free(texts[i].data);
}

static void append(run_t *run, const block_t *step, outcome_t *outcome) {
    text_t text = text_of(step, "text");
    uint32_t length = 0;
    bool special = number(step, "parse_special", 0) != 0;
    outcome->status =
        pinfold_session_append(run->session, text.data, text.length, special, &length, &outcome->error);
    outcome->length = length;
    free(text.data);
}

static void append_tokens(run_t *run, const block_t *step, outcome_t *outcome) {
    uint32_t tokens[TOKENS], length = 0;
    int64_t count = numbers(step, "tokens", tokens, TOKENS);
    outcome->status =
        pinfold_session_append_tokens(run->session, tokens, (size_t)count, &length, &outcome->error);
    outcome->length = length;
}

static void tokenize(run_t *run, const block_t *step, outcome_t *outcome) {
    text_t text = text_of(step, "text");
    pinfold_tokens *tokens = NULL;
    bool special = number(step, "parse_special", 0) != 0;
    outcome->status =
        pinfold_model_tokenize(run->model, text.data, text.length, special, &tokens, &outcome->error);
    take_tokens(outcome, tokens);
    free(text.data);
}

static void detokenize(run_t *run, const block_t *step, outcome_t *outcome) {
    uint32_t tokens[TOKENS];
    int64_t count = numbers(step, "tokens", tokens, TOKENS);
    pinfold_text *text = NULL;
    outcome->status = pinfold_model_detokenize(run->model, tokens, (size_t)count, &text, &outcome->error);
    if (text) keep_text(outcome, pinfold_text_data(text), pinfold_text_length(text));
    pinfold_text_free(text);
}

static void next_tokens(run_t *run, const block_t *step, outcome_t *outcome) {
    pinfold_logprobs *next = NULL;
    uint32_t count = (uint32_t)number(step, "count", 1), tokens[TOKENS];
    outcome->status = pinfold_session_next_tokens(run->session, count, NULL, &next, &outcome->error);
    size_t length = pinfold_logprobs_length(next);
    for (size_t i = 0; i < length && i < TOKENS; i++) tokens[i] = pinfold_logprobs_data(next)[i].token;
    if (next) keep_tokens(outcome, tokens, length);
    pinfold_logprobs_free(next);
}

static void damage(run_t *run, const block_t *step) {
    FILE *file = fopen(run->file.data, "r+b");
    long place = (long)number(step, "damage", 0);
    if (!file || fseek(file, place, SEEK_SET)) {
        fault(run, step, "no saved file");
        return;
    }
    int byte = fgetc(file);
    fseek(file, place, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
}

void do_step(run_t *run, const block_t *step) {
    outcome_t outcome = {0};
    outcome.length = -1;
    pinfold_error **error = &outcome.error;
    const char *action = step->value;
    if (run->lock_file && do_pin_step(run, step, &outcome)) {
        /* Done. */
    } else if (!run->session) {
        fault(run, step, "no model is loaded");
    } else if (strcmp(action, "append") == 0) {
        append(run, step, &outcome);
    } else if (strcmp(action, "append_chat") == 0) {
        append_chat(run, step, &outcome);
    } else if (strcmp(action, "append_tokens") == 0) {
        append_tokens(run, step, &outcome);
    } else if (strcmp(action, "prefill") == 0) {
        outcome.status = pinfold_session_prefill(run->session, NULL, error);
    } else if (strcmp(action, "generate") == 0) {
        generate(run, step, &outcome);
    } else if (strcmp(action, "generate_busy") == 0) {
        outcome.status = start(run, step, NULL, &run->stream, error);
    } else if (strcmp(action, "drop_stream") == 0) {
        pinfold_stream_free(run->stream);
        run->stream = NULL;
    } else if (strcmp(action, "tokens") == 0) {
        pinfold_tokens *tokens = NULL;
        outcome.status = pinfold_session_tokens(run->session, &tokens, error);
        take_tokens(&outcome, tokens);
    } else if (strcmp(action, "rewind") == 0) {
        outcome.status = pinfold_session_rewind(run->session, (uint32_t)number(step, "to", 0), error);
    } else if (strcmp(action, "fork") == 0) {
        pinfold_session *fork = NULL;
        outcome.status = pinfold_session_fork(run->session, &fork, error);
        if (fork) {
            run->kept[run->kept_count++] = run->session;
            run->session = fork;
        }
    } else if (strcmp(action, "second_session") == 0) {
        pinfold_session *second = NULL;
        outcome.status = pinfold_model_session(run->model, NULL, &second, error);
        if (second) run->kept[run->kept_count++] = second;
    } else if (strcmp(action, "save") == 0) {
        outcome.status = pinfold_session_save(run->session, run->file.data, run->file.length, error);
    } else if (strcmp(action, "restore") == 0) {
        if (has(step, "damage")) damage(run, step);
        outcome.status = pinfold_session_restore(run->session, run->file.data, run->file.length, error);
    } else if (strcmp(action, "next_tokens") == 0) {
        next_tokens(run, step, &outcome);
    } else if (strcmp(action, "tokenize") == 0) {
        tokenize(run, step, &outcome);
    } else if (strcmp(action, "detokenize") == 0) {
        detokenize(run, step, &outcome);
    } else if (strcmp(action, "ill_formed_text") == 0) {
        outcome.status = pinfold_session_append(run->session, "\xff\xfe", 2, false, NULL, error);
    } else {
        fault(run, step, "there is no such step");
    }
    check(run, step, &outcome);
    pinfold_error_free(outcome.error);
    free(outcome.tokens);
    free(outcome.text);
}
