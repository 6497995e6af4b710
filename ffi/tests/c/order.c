/* Handles that are freed in every order, and calls after the end. */
#include "check.h"

#include <pinfold.h>
#include <string.h>

/* Frees model, session, stream and cancel in the order of `order`, after reading `pieces` pieces. */
static void freed_in(const int order[4], int pieces) {
    pinfold_model *model = NULL;
    pinfold_session *session = NULL;
    pinfold_stream *stream = NULL;
    pinfold_cancel *cancel = NULL;
    CHECK(pinfold_model_scripted("a rather long answer", 20, 0, NULL, &model, NULL) == PINFOLD_OK);
    CHECK(pinfold_model_session(model, NULL, &session, NULL) == PINFOLD_OK);
    CHECK(pinfold_cancel_new(&cancel, NULL) == PINFOLD_OK);
    CHECK(pinfold_session_append(session, "q", 1, false, NULL, NULL) == PINFOLD_OK);
    CHECK(pinfold_session_generate(session, NULL, cancel, &stream, NULL) == PINFOLD_OK);
    pinfold_chunk *chunk = NULL;
    for (int i = 0; i < pieces; i++) {
        CHECK(pinfold_stream_next(stream, &chunk, NULL) == PINFOLD_OK);
        pinfold_chunk_free(chunk);
    }
    for (int i = 0; i < 4; i++) {
        switch (order[i]) {
        case 0: pinfold_model_free(model); break;
        case 1: pinfold_session_free(session); break;
        case 2: pinfold_stream_free(stream); break;
        default: pinfold_cancel_free(cancel); break;
        }
        /* A stream that is left gives what is ready, or its end. */
        if (i == 1 && order[0] != 2 && order[1] != 2) {
            pinfold_status status = pinfold_stream_next(stream, &chunk, NULL);
            CHECK(status == PINFOLD_OK);
            pinfold_chunk_free(chunk);
        }
    }
    checks++;
}

static void every_order(void) {
    for (int a = 0; a < 4; a++) {
        for (int b = 0; b < 4; b++) {
            for (int c = 0; c < 4; c++) {
                if (a == b || a == c || b == c) continue;
                const int order[4] = {a, b, c, 6 - a - b - c};
                freed_in(order, (a + b) % 3);
            }
        }
    }
}

static void drain(pinfold_stream *stream) {
    pinfold_chunk *chunk = NULL;
    while (!pinfold_stream_next(stream, &chunk, NULL) && chunk) pinfold_chunk_free(chunk);
}

static void after_the_end(void) {
    pinfold_model *model = NULL;
    pinfold_session *session = NULL;
    pinfold_stream *stream = NULL;
    pinfold_chunk *chunk = NULL;
    pinfold_cancel *cancel = NULL;
    pinfold_finish finish = {.struct_size = sizeof finish};
    CHECK(pinfold_model_scripted("hello", 5, 0, NULL, &model, NULL) == PINFOLD_OK);
    CHECK(pinfold_model_session(model, NULL, &session, NULL) == PINFOLD_OK);
    CHECK(pinfold_session_append(session, "q", 1, false, NULL, NULL) == PINFOLD_OK);
    CHECK(pinfold_cancel_new(&cancel, NULL) == PINFOLD_OK);
    CHECK(pinfold_session_generate(session, NULL, cancel, &stream, NULL) == PINFOLD_OK);
    drain(stream);
    for (int i = 0; i < 3; i++) {
        /* A cancel after the end changes nothing; the end stays the end. */
        pinfold_stream_cancel(stream);
        pinfold_cancel_set(cancel);
        CHECK(pinfold_stream_next(stream, &chunk, NULL) == PINFOLD_OK && chunk == NULL);
        CHECK(pinfold_stream_finish(stream, &finish, NULL) == PINFOLD_OK);
        CHECK(finish.reason == PINFOLD_FINISH_END_OF_GENERATION && finish.generated_tokens == 5);
    }
    pinfold_stream_free(stream);

    /* A flag that was set before the work begins. */
    CHECK(pinfold_cancel_is_set(cancel));
    CHECK(pinfold_session_append(session, "q", 1, false, NULL, NULL) == PINFOLD_OK);
    CHECK(pinfold_session_prefill(session, cancel, NULL) == PINFOLD_ERROR_CANCELLED);
    CHECK(pinfold_session_generate(session, NULL, cancel, &stream, NULL) == PINFOLD_OK);
    drain(stream);
    CHECK(pinfold_stream_finish(stream, &finish, NULL) == PINFOLD_OK);
    CHECK(finish.reason == PINFOLD_FINISH_CANCELLED && finish.generated_tokens == 0);
    pinfold_stream_free(stream);

    /* An error stays what the stream says, and the session can be used again. */
    CHECK(pinfold_session_rewind(session, 0, NULL) == PINFOLD_OK);
    CHECK(pinfold_session_generate(session, NULL, NULL, &stream, NULL) == PINFOLD_ERROR_SESSION_EMPTY && !stream);
    CHECK(pinfold_session_append(session, "q", 1, false, NULL, NULL) == PINFOLD_OK);

    /* A chunk, a text and an error outlive all else. */
    pinfold_error *error = NULL;
    CHECK(pinfold_session_generate(session, NULL, NULL, &stream, &error) == PINFOLD_OK && !error);
    CHECK(pinfold_stream_next(stream, &chunk, NULL) == PINFOLD_OK && chunk);
    CHECK(pinfold_session_append(session, "q", 1, false, NULL, &error) == PINFOLD_ERROR_SESSION_BUSY);
    pinfold_model_free(model);
    pinfold_session_free(session);
    pinfold_stream_free(stream);
    CHECK(pinfold_chunk_text(chunk)[0] == 'h' && pinfold_chunk_tokens(chunk)[0] == 104);
    CHECK(strstr(pinfold_error_message(error), "stream") != NULL);
    pinfold_chunk_free(chunk);
    pinfold_error_free(error);
    pinfold_cancel_free(cancel);
}

void check_order(void) {
    every_order();
    after_the_end();
}
