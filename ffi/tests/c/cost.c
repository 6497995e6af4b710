/* Nanoseconds of the reading thread's processor time per token, over all runs; ffi/benches/boundary.rs compares them
 * with Rust's.
 *
 *     cost PATH PROMPT TOKENS RUNS      PATH of a checkpoint, or - for a scripted answer of TOKENS tokens */
#include <pinfold.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nanoseconds that this thread computed; as boundary.rs reads them. */
static double computed(void) {
    FILE *file = fopen("/proc/thread-self/schedstat", "r");
    double nanoseconds = 0;
    if (!file || fscanf(file, "%lf", &nanoseconds) != 1) exit(2);
    fclose(file);
    return nanoseconds;
}

static pinfold_status open_model(const char *path, size_t tokens, pinfold_model **model, pinfold_error **error) {
    pinfold_model_options options;
    pinfold_model_options_init(&options, sizeof options);
    if (strcmp(path, "-") != 0) return pinfold_model_load(path, strlen(path), &options, NULL, model, error);
    options.context_tokens = (uint32_t)tokens + 1024;
    char *answer = malloc(tokens);
    if (!answer) exit(2);
    memset(answer, 'a', tokens);
    pinfold_status status = pinfold_model_scripted(answer, tokens, 0, &options, model, error);
    free(answer);
    return status;
}

int main(int count, char **arguments) {
    if (count != 5) return 2;
    size_t tokens = strtoul(arguments[3], NULL, 10);
    pinfold_model *model = NULL;
    pinfold_error *error = NULL;
    pinfold_generate_options options;
    pinfold_generate_options_init(&options, sizeof options);
    options.max_tokens = (int64_t)tokens;
    size_t given = 0;
    double spent = 0;
    if (open_model(arguments[1], tokens, &model, &error)) goto failed;
    for (long run = strtol(arguments[4], NULL, 10); run > 0; run--) {
        pinfold_session *session = NULL;
        pinfold_stream *stream = NULL;
        pinfold_chunk *chunk = NULL;
        if (pinfold_model_session(model, NULL, &session, &error)) goto failed;
        if (pinfold_session_append(session, arguments[2], strlen(arguments[2]), false, NULL, &error)) goto failed;
        if (pinfold_session_prefill(session, NULL, &error)) goto failed;
        size_t bytes = 0;
        double start = computed();
        if (pinfold_session_generate(session, &options, NULL, &stream, &error)) goto failed;
        while (!pinfold_stream_next(stream, &chunk, &error) && chunk) {
            bytes += pinfold_chunk_text_length(chunk);
            given += pinfold_chunk_tokens_length(chunk);
            pinfold_chunk_free(chunk);
        }
        spent += computed() - start;
        if (error || given == 0 || bytes == 0) goto failed;
        pinfold_stream_free(stream);
        pinfold_session_free(session);
    }
    printf("%.1f\n", spent / (double)given);
    pinfold_model_free(model);
    return 0;
failed:
    fprintf(stderr, "%s\n", error ? pinfold_error_message(error) : "nothing came");
    return 1;
}
