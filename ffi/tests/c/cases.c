/* Runs the shared cases (core/vectors/api.toml) through the C ABI.
 *
 *     cases SCRIPT RESULT FILE [scripted]
 *
 * SCRIPT is what ffi/tests/c_cases.rs makes of the cases, RESULT gets a line for each case, FILE is for the steps save
 * and restore. With `scripted`, cases of other models are skipped. */
#include "cases.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fault(run_t *run, const block_t *step, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "  %s %s: ", step->kind, strcmp(step->kind, "step") == 0 ? step->value : "");
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    run->failed = true;
}

void check_error(run_t *run, const block_t *block, pinfold_status status, const pinfold_error *error) {
    const char *wanted = has(block, "error") ? word(block, "error") : "ok";
    const char *code = pinfold_status_code(status);
    const char *message = error ? pinfold_error_message(error) : "";
    if (strcmp(code, wanted) != 0) fault(run, block, "%s (%s), not %s", code, message, wanted);
    if ((status == PINFOLD_OK) != (error == NULL)) fault(run, block, "an error without a failure, or the reverse");
    if (error && pinfold_error_status(error) != status) fault(run, block, "the error has another status");
    if (error && has(block, "message")) {
        text_t part = unhex(word(block, "message"));
        if (!strstr(message, part.data)) fault(run, block, "\"%s\" does not say \"%s\"", message, part.data);
        free(part.data);
    }
}

/* Loads the model of a case; the status of the load. */
static pinfold_status load(const block_t *block, pinfold_model **model, pinfold_error **error) {
    pinfold_model_options options;
    pinfold_model_options_init(&options, sizeof options);
    options.context_tokens = (uint32_t)number(block, "context_tokens", options.context_tokens);
    options.sessions = (uint32_t)number(block, "sessions", options.sessions);
    const char *keys[] = {"scripted", "embedded", "file", "bytes"};
    int kind = 0;
    while (kind < 3 && !has(block, keys[kind])) kind++;
    text_t text = unhex(word(block, keys[kind]));
    pinfold_status status;
    if (kind == 0) {
        uint32_t step = (uint32_t)number(block, "step_microseconds", 0);
        status = pinfold_model_scripted(text.data, text.length, step, &options, model, error);
    } else if (kind == 1) {
        status = pinfold_model_load_embedded(text.data, text.length, &options, NULL, model, error);
    } else if (kind == 2) {
        status = pinfold_model_load(text.data, text.length, &options, NULL, model, error);
    } else {
        const uint8_t *bytes = (const uint8_t *)text.data;
        status = pinfold_model_load_bytes("bytes", 5, bytes, text.length, &options, NULL, model, error);
    }
    free(text.data);
    return status;
}

static void close_run(run_t *run) {
    pinfold_model_free(run->model);
    pinfold_stream_free(run->stream);
    for (int i = 0; i < run->kept_count; i++) pinfold_session_free(run->kept[i]);
    pinfold_session_free(run->session);
    pinfold_lock_file_free(run->lock_file);
    pinfold_store_free(run->store);
}

int main(int count, char **arguments) {
    if (count < 4 || pinfold_abi_version() != PINFOLD_ABI_VERSION) {
        fprintf(stderr, "usage: cases SCRIPT RESULT FILE [scripted]\n");
        return 2;
    }
    size_t length;
    char *script = script_read(arguments[1], &length);
    bool scripted_alone = count > 4 && strcmp(arguments[4], "scripted") == 0;
    FILE *result = fopen(arguments[2], "wb");
    if (!result) return 2;

    char *cursor = script;
    block_t block;
    int passed = 0, failed = 0, skipped = 0;
    bool more = script_next(&cursor, &block);
    while (more) {
        run_t run = {0};
        run.file.data = arguments[3];
        run.file.length = strlen(arguments[3]);
        text_t name = unhex(block.value);
        bool skip = has(&block, "absent") || (scripted_alone && !has(&block, "scripted"));
        if (!skip) {
            pinfold_error *error = NULL;
            bool lock = has(&block, "lock");
            pinfold_status status = lock ? open_lock(&run, &block, &error) : load(&block, &run.model, &error);
            check_error(&run, &block, status, error);
            pinfold_error_free(error);
            if (run.model && pinfold_model_session(run.model, NULL, &run.session, NULL)) {
                fault(&run, &block, "no session");
            }
        }
        while ((more = script_next(&cursor, &block)) && strcmp(block.kind, "step") == 0) {
            if (run.session || run.lock_file) do_step(&run, &block);
        }
        close_run(&run);
        const char *outcome = skip ? "skipped" : run.failed ? "failed" : "passed";
        skipped += skip;
        failed += run.failed;
        passed += !skip && !run.failed;
        fprintf(result, "%s\t%s\t%s\n", name.data, outcome, skip ? "another model, or its file is absent" : "");
        if (run.failed) fprintf(stderr, "FAILED: %s\n", name.data);
        free(name.data);
    }
    fclose(result);
    free(script);
    printf("%d cases passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed ? 1 : 0;
}
