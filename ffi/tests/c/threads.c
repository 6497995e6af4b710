/* One model, one session and one stream used from many threads; cancels while another thread reads. */
#include "check.h"

#include <pinfold.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define THREADS 8

static pinfold_model *model;
static pinfold_session *shared_session;
static pinfold_stream *shared_stream;
static pinfold_cancel *shared_cancel;
static atomic_int wrong, tokens_read;

static void *own_session(void *unused) {
    (void)unused;
    for (int round = 0; round < 20; round++) {
        pinfold_session *session = NULL;
        pinfold_stream *stream = NULL;
        pinfold_chunk *chunk = NULL;
        char text[64] = "";
        if (pinfold_model_session(model, NULL, &session, NULL) ||
            pinfold_session_append(session, "q", 1, false, NULL, NULL) ||
            pinfold_session_generate(session, NULL, NULL, &stream, NULL)) {
            atomic_fetch_add(&wrong, 1);
        }
        while (!pinfold_stream_next(stream, &chunk, NULL) && chunk) {
            strncat(text, pinfold_chunk_text(chunk), sizeof text - strlen(text) - 1);
            pinfold_chunk_free(chunk);
        }
        if (strcmp(text, "hello") != 0) atomic_fetch_add(&wrong, 1);
        pinfold_stream_free(stream);
        pinfold_session_free(session);
    }
    return NULL;
}

static void *same_session(void *unused) {
    (void)unused;
    for (int round = 0; round < 20; round++) {
        pinfold_tokens *tokens = NULL;
        if (pinfold_session_append(shared_session, "x", 1, false, NULL, NULL) ||
            pinfold_session_tokens(shared_session, &tokens, NULL)) {
            atomic_fetch_add(&wrong, 1);
        }
        pinfold_tokens_free(tokens);
    }
    return NULL;
}

static void *same_stream(void *unused) {
    (void)unused;
    pinfold_chunk *chunk = NULL;
    pinfold_finish finish = {.struct_size = sizeof finish};
    while (!pinfold_stream_next(shared_stream, &chunk, NULL) && chunk) {
        atomic_fetch_add(&tokens_read, (int)pinfold_chunk_tokens_length(chunk));
        pinfold_chunk_free(chunk);
        if (pinfold_stream_finish(shared_stream, &finish, NULL)) atomic_fetch_add(&wrong, 1);
    }
    return NULL;
}

static void *cancels(void *after) {
    while (atomic_load(&tokens_read) < *(int *)after) {
    }
    pinfold_cancel_set(shared_cancel);
    pinfold_stream_cancel(shared_stream);
    return NULL;
}

static void together(void *(*work)(void *), void *argument) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, argument);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

/* Many threads read one stream while one cancels it. */
static void cancelled_while_read(int after) {
    pinfold_session *session = NULL;
    pinfold_tokens *held = NULL;
    pinfold_finish finish = {.struct_size = sizeof finish};
    pthread_t canceller;
    atomic_store(&tokens_read, 0);
    CHECK(pinfold_model_session(model, NULL, &session, NULL) == PINFOLD_OK);
    CHECK(pinfold_cancel_new(&shared_cancel, NULL) == PINFOLD_OK);
    CHECK(pinfold_session_append(session, "q", 1, false, NULL, NULL) == PINFOLD_OK);
    CHECK(pinfold_session_generate(session, NULL, shared_cancel, &shared_stream, NULL) == PINFOLD_OK);
    pthread_create(&canceller, NULL, cancels, &after);
    together(same_stream, NULL);
    pthread_join(canceller, NULL);
    CHECK(pinfold_stream_finish(shared_stream, &finish, NULL) == PINFOLD_OK);
    CHECK(finish.reason == PINFOLD_FINISH_CANCELLED || finish.reason == PINFOLD_FINISH_END_OF_GENERATION);
    CHECK(pinfold_session_tokens(session, &held, NULL) == PINFOLD_OK);
    CHECK(pinfold_tokens_length(held) == 1 + (size_t)atomic_load(&tokens_read));
    pinfold_tokens_free(held);
    pinfold_stream_free(shared_stream);
    pinfold_cancel_free(shared_cancel);
    pinfold_session_free(session);
}

void check_threads(void) {
    pinfold_model_options options;
    pinfold_model_options_init(&options, sizeof options);
    options.sessions = THREADS + 1;
    CHECK(pinfold_model_scripted("hello", 5, 0, &options, &model, NULL) == PINFOLD_OK);
    CHECK(pinfold_model_session(model, NULL, &shared_session, NULL) == PINFOLD_OK);
    together(own_session, NULL);
    together(same_session, NULL);
    CHECK(atomic_load(&wrong) == 0);
    pinfold_tokens *held = NULL;
    CHECK(pinfold_session_tokens(shared_session, &held, NULL) == PINFOLD_OK);
    CHECK(pinfold_tokens_length(held) == THREADS * 20);
    pinfold_tokens_free(held);
    pinfold_session_free(shared_session);
    pinfold_model_free(model);

    const char answer[] = "an answer that is long enough to be cancelled somewhere in its middle";
    CHECK(pinfold_model_scripted(answer, strlen(answer), 50, NULL, &model, NULL) == PINFOLD_OK);
    for (int after = 0; after < 10; after++) cancelled_while_read(after);
    CHECK(atomic_load(&wrong) == 0);
    pinfold_model_free(model);
}
