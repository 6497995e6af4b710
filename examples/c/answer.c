/* Streams an answer of the embedded checkpoint, cancels one, and shows an error.
 *
 *     cc answer.c $(pkg-config --cflags --libs pinfold) -o answer
 *     ./answer "play some jazz by miles davis"
 */
#include <pinfold.h>

#include <stdio.h>
#include <string.h>

/* What has to be freed at the end, whatever happened. */
typedef struct {
    pinfold_model *model;
    pinfold_session *session;
    pinfold_text *prompt;
    pinfold_stream *stream;
    pinfold_error *error;
} program;

static const char *reason(pinfold_finish_reason reason) {
    switch (reason) {
    case PINFOLD_FINISH_END_OF_GENERATION: return "end of generation";
    case PINFOLD_FINISH_STOP: return "stop";
    case PINFOLD_FINISH_LENGTH: return "length";
    case PINFOLD_FINISH_CANCELLED: return "cancelled";
    default: return "not finished";
    }
}

/* An answer, piece by piece. */
static pinfold_status answer(program *p, const char *request) {
    const pinfold_message message = {{request, strlen(request)}, PINFOLD_ROLE_USER, 0};
    pinfold_finish finish = {.struct_size = sizeof finish};
    pinfold_chunk *chunk = NULL;
    pinfold_status status;

    if ((status = pinfold_model_load_embedded("intent", 6, NULL, NULL, &p->model, &p->error))) return status;
    if ((status = pinfold_model_session(p->model, NULL, &p->session, &p->error))) return status;
    if ((status = pinfold_model_chat_prompt(p->model, &message, 1, &p->prompt, &p->error))) return status;
    /* The prompt is the template's, so its special tokens are read; those that a user spells out stay text. */
    if ((status = pinfold_session_append(p->session, pinfold_text_data(p->prompt), pinfold_text_length(p->prompt),
                                         true, NULL, &p->error))) return status;
    if ((status = pinfold_session_generate(p->session, NULL, NULL, &p->stream, &p->error))) return status;
    while (!(status = pinfold_stream_next(p->stream, &chunk, &p->error)) && chunk) {
        fwrite(pinfold_chunk_text(chunk), 1, pinfold_chunk_text_length(chunk), stdout);
        fflush(stdout);
        pinfold_chunk_free(chunk);
    }
    if (status) return status;
    if ((status = pinfold_stream_finish(p->stream, &finish, &p->error))) return status;
    printf("\n%s after %u tokens\n", reason(finish.reason), (unsigned)finish.generated_tokens);
    pinfold_stream_free(p->stream);
    p->stream = NULL;
    return PINFOLD_OK;
}

/* A cancel ends the stream; it may come from any thread. The session can be used again. */
static pinfold_status cancelled(program *p) {
    pinfold_finish finish = {.struct_size = sizeof finish};
    pinfold_chunk *chunk = NULL;
    pinfold_status status;

    if ((status = pinfold_session_rewind(p->session, 1, &p->error))) return status;
    if ((status = pinfold_session_generate(p->session, NULL, NULL, &p->stream, &p->error))) return status;
    pinfold_stream_cancel(p->stream);
    while (!(status = pinfold_stream_next(p->stream, &chunk, &p->error)) && chunk) pinfold_chunk_free(chunk);
    if (status || (status = pinfold_stream_finish(p->stream, &finish, &p->error))) return status;
    printf("%s\n", reason(finish.reason));
    return PINFOLD_OK;
}

int main(int count, char **arguments) {
    program p = {0};
    pinfold_model *absent = NULL;
    int failed = 0;

    if (pinfold_abi_version() != PINFOLD_ABI_VERSION) {
        fprintf(stderr, "pinfold.h and the library do not belong together\n");
        return 1;
    }
    if (answer(&p, count > 1 ? arguments[1] : "will it rain in Lisbon tomorrow") || cancelled(&p)) {
        fprintf(stderr, "error: %s\n", pinfold_error_message(p.error));
        failed = 1;
    }

    /* An error has a status, a word for it, and a message that says what to do. */
    const char path[] = "no-such-checkpoint.gguf";
    pinfold_error_free(p.error);
    pinfold_status status = pinfold_model_load(path, strlen(path), NULL, NULL, &absent, &p.error);
    printf("error %s: %s\n", pinfold_status_code(status), pinfold_error_message(p.error));

    /* In any order; what was not made is NULL. */
    pinfold_model_free(absent);
    pinfold_model_free(p.model);
    pinfold_stream_free(p.stream);
    pinfold_text_free(p.prompt);
    pinfold_session_free(p.session);
    pinfold_error_free(p.error);
    return failed;
}
