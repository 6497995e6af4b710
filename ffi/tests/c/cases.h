/* What the files of the runner of the shared cases share. */
#ifndef CASES_H
#define CASES_H

#include "script.h"

#include <pinfold.h>

/* Longest list of tokens that a case compares. */
#define TOKENS 256

/* The state of a case. */
typedef struct {
    pinfold_model *model;
    pinfold_session *session;
    pinfold_session *kept[8]; /* sessions that stay open */
    int kept_count;
    pinfold_stream *stream; /* one that stays open */
    pinfold_lock_file *lock_file;
    pinfold_store *store;   /* for this case alone */
    text_t file;            /* for save and restore */
    bool failed;
} run_t;

/* What a step came to. */
typedef struct {
    pinfold_status status;
    pinfold_error *error;
    int64_t length;       /* -1 for none */
    uint32_t *tokens;     /* NULL for none; `length` of them */
    char *text;           /* NULL for none */
    size_t text_length;
    const char *finish;   /* NULL for none */
} outcome_t;

/* Notes a failure of the case and says what it was. */
void fault(run_t *run, const block_t *step, const char *format, ...);
/* Compares what came with the fields `error` and `message`. */
void check_error(run_t *run, const block_t *block, pinfold_status status, const pinfold_error *error);
/* Opens the lock file of a case, and a store. */
pinfold_status open_lock(run_t *run, const block_t *block, pinfold_error **error);
/* Does a step of a lock file; false if it is none. */
bool do_pin_step(run_t *run, const block_t *step, outcome_t *outcome);
/* Does a step and checks what came. */
void do_step(run_t *run, const block_t *step);
/* The step `generate`. */
void generate(run_t *run, const block_t *step, outcome_t *outcome);
/* Starts a generation with the options of a step. */
pinfold_status start(run_t *run, const block_t *step, const pinfold_cancel *cancel, pinfold_stream **stream,
                     pinfold_error **error);
/* Sets what came to a copy of these tokens, or of this text. */
void keep_tokens(outcome_t *outcome, const uint32_t *tokens, size_t length);
void keep_text(outcome_t *outcome, const char *text, size_t length);

#endif
