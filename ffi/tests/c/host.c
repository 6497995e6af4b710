/* A host app that carries its own llama.cpp: functions of the same names that count their calls. Pinfold must run a
 * checkpoint without calling one of them, and the host must still get its own. */
#include <pinfold.h>

#include <stdio.h>
#include <string.h>

static int calls;

#define OURS(name)                                                                                                     \
    void *name(void);                                                                                                  \
    void *name(void) {                                                                                                 \
        calls++;                                                                                                       \
        return &calls;                                                                                                 \
    }

OURS(llama_backend_init)
OURS(llama_backend_free)
OURS(llama_model_load_from_file)
OURS(llama_init_from_model)
OURS(llama_decode)
OURS(llama_get_logits_ith)
OURS(llama_tokenize)
OURS(llama_free)
OURS(llama_log_set)
OURS(ggml_init)
OURS(ggml_free)
OURS(ggml_backend_cpu_init)
OURS(ggml_backend_cpu_reg)
OURS(ggml_backend_register)
OURS(ggml_backend_sched_graph_compute)
OURS(ggml_backend_load_all)
OURS(ggml_compute_forward_mul_mat)
OURS(ggml_graph_compute)
OURS(ggml_abort)
OURS(gguf_init_from_file)

int main(void) {
    pinfold_model *model = NULL;
    pinfold_session *session = NULL;
    pinfold_stream *stream = NULL;
    pinfold_chunk *chunk = NULL;
    pinfold_error *error = NULL;
    const char text[] = "play some jazz";
    size_t tokens = 0;

    if (pinfold_model_load_embedded("intent", 6, NULL, NULL, &model, &error) ||
        pinfold_model_session(model, NULL, &session, &error) ||
        pinfold_session_append(session, text, strlen(text), false, NULL, &error) ||
        pinfold_session_generate(session, NULL, NULL, &stream, &error)) {
        fprintf(stderr, "%s\n", pinfold_error_message(error));
        return 1;
    }
    while (tokens < 20 && !pinfold_stream_next(stream, &chunk, &error) && chunk) {
        tokens += pinfold_chunk_tokens_length(chunk);
        pinfold_chunk_free(chunk);
    }
    pinfold_stream_free(stream);
    pinfold_session_free(session);
    pinfold_model_free(model);
    if (tokens == 0 || calls != 0) {
        fprintf(stderr, "%zu tokens, %d calls of the host's functions\n", tokens, calls);
        return 1;
    }
    if (llama_backend_init() != &calls || ggml_init() != &calls || calls != 2) {
        fprintf(stderr, "the host does not get its own functions\n");
        return 1;
    }
    printf("%zu tokens by Pinfold's llama.cpp, 2 calls of the host's own\n", tokens);
    return 0;
}
