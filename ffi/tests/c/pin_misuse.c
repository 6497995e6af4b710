/* Lock files and stores: NULL, wrong values, every order of freeing, many threads. */
#include "refused.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 8
/* Of "abc". */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define KEY "RWQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const char text_of_lock[] = "version = 1\n"
                                   "[sampling.hot]\n"
                                   "temperature = 1.5\n"
                                   "logit_bias = { \"3\" = -1.0, \"9\" = 2.0 }\n"
                                   "[checkpoints.abc]\n"
                                   "sources = [\"file:abc.bin\"]\n"
                                   "sha256 = \"" ABC "\"\n"
                                   "size = 3\n"
                                   "format = \"gguf\"\n"
                                   "architecture = \"llama\"\n"
                                   "quantization = \"F16\"\n"
                                   "context_length = 7\n"
                                   "licence = \"MIT\"\n"
                                   "tokenizer_sha256 = \"" ABC "\"\n";

static char root[4096], path[4200], file[4200];
static pinfold_lock_file *lock_file, *no_lock_file;
static pinfold_store *store, *no_store;
static pinfold_text *text;
static pinfold_store_entries *entries;
static pinfold_verify_report *report;

static void write_file(const char *name, const char *data, size_t length) {
    FILE *out = fopen(name, "wb");
    CHECK(out && fwrite(data, 1, length, out) == length && fclose(out) == 0);
}

static void nothing(void) {
    for (int twice = 0; twice < 2; twice++) {
        pinfold_store_free(NULL);
        pinfold_store_entries_free(NULL);
        pinfold_lock_file_free(NULL);
        pinfold_verify_report_free(NULL);
        pinfold_store_options_init(NULL, sizeof(pinfold_store_options));
        pinfold_pull_options_init(NULL, sizeof(pinfold_pull_options));
        pinfold_verify_options_init(NULL, sizeof(pinfold_verify_options));
        checks += 7;
    }
    CHECK(pinfold_store_root(NULL) == NULL);
    CHECK(pinfold_store_entries_length(NULL) == 0);
    CHECK(pinfold_lock_file_path(NULL) == NULL);
    CHECK(pinfold_lock_file_checkpoints_length(NULL) == 0);
    CHECK(pinfold_lock_file_adapters_length(NULL) == 0);
    CHECK(pinfold_lock_file_goldens_length(NULL) == 0);
    CHECK(!pinfold_verify_report_passed(NULL));
    CHECK(pinfold_verify_report_files_length(NULL) == 0);
    CHECK(pinfold_verify_report_goldens_length(NULL) == 0);
}

static void null_of_stores(void) {
    pinfold_store_entry entry = {.struct_size = sizeof entry};
    const pinfold_string bad = {NULL, 64};
    REFUSED(pinfold_store_open(NULL, NULL, error));
    REFUSED_HANDLE(entries, pinfold_store_list(NULL, &entries, error));
    REFUSED(pinfold_store_list(store, NULL, error));
    REFUSED_HANDLE(entries, pinfold_store_verify(NULL, NULL, 0, NULL, NULL, NULL, &entries, error));
    REFUSED_HANDLE(entries, pinfold_store_verify(store, NULL, 1, NULL, NULL, NULL, &entries, error));
    REFUSED_HANDLE(entries, pinfold_store_verify(store, &bad, 1, NULL, NULL, NULL, &entries, error));
    REFUSED(pinfold_store_verify(store, NULL, 0, NULL, NULL, NULL, NULL, error));
    REFUSED(pinfold_store_remove(NULL, ABC, 64, NULL, error));
    REFUSED(pinfold_store_remove(store, NULL, 64, NULL, error));
    TAKEN(pinfold_store_remove(store, ABC, 64, NULL, error));
    REFUSED_HANDLE(entries, pinfold_store_collect(NULL, true, &entries, NULL, error));
    REFUSED(pinfold_store_collect(store, true, NULL, NULL, error));
    TAKEN(pinfold_store_collect(store, true, &entries, NULL, error));
    pinfold_store_entries_free(entries);
    REFUSED_HANDLE(text, pinfold_store_import_file(NULL, file, strlen(file), NULL, 0, NULL, NULL, NULL, &text, error));
    REFUSED_HANDLE(text, pinfold_store_import_file(store, NULL, 1, NULL, 0, NULL, NULL, NULL, &text, error));
    REFUSED_HANDLE(text, pinfold_store_import_file(store, file, strlen(file), NULL, 64, NULL, NULL, NULL, &text, error));
    REFUSED(pinfold_store_import_file(store, file, strlen(file), NULL, 0, NULL, NULL, NULL, NULL, error));
    TAKEN(pinfold_store_import_file(store, file, strlen(file), ABC, 64, NULL, NULL, NULL, &text, error));
    CHECK(strcmp(pinfold_text_data(text), ABC) == 0);
    pinfold_text_free(text);
    TAKEN(pinfold_store_list(store, &entries, error));
    REFUSED(pinfold_store_entries_get(NULL, 0, &entry, error));
    REFUSED(pinfold_store_entries_get(entries, 0, NULL, error));
    REFUSED_AS(PINFOLD_ERROR_INVALID_OPTION, pinfold_store_entries_get(entries, 1, &entry, error));
    TAKEN(pinfold_store_entries_get(entries, 0, &entry, error));
    CHECK(strcmp(entry.digest.data, ABC) == 0 && entry.size == 3 && entry.actual_digest.data == NULL);
    pinfold_store_entries_free(entries);
}

static void null_of_lock_files(void) {
    pinfold_model *model = NULL;
    pinfold_generate_options options;
    pinfold_pinned_checkpoint checkpoint = {.struct_size = sizeof checkpoint};
    pinfold_pinned_adapter adapter = {.struct_size = sizeof adapter};
    pinfold_pinned_golden golden = {.struct_size = sizeof golden};
    pinfold_file_report of_file = {.struct_size = sizeof of_file};
    pinfold_golden_report of_golden = {.struct_size = sizeof of_golden};
    const uint8_t *bytes = (const uint8_t *)text_of_lock;

    REFUSED_HANDLE(no_lock_file, pinfold_lock_file_open(NULL, 1, &no_lock_file, error));
    REFUSED(pinfold_lock_file_open(path, strlen(path), NULL, error));
    REFUSED_HANDLE(no_lock_file, pinfold_lock_file_open_signed(NULL, 1, KEY, 56, &no_lock_file, error));
    REFUSED_HANDLE(no_lock_file, pinfold_lock_file_open_signed(path, strlen(path), NULL, 56, &no_lock_file, error));
    REFUSED(pinfold_lock_file_open_signed(path, strlen(path), KEY, 56, NULL, error));
    REFUSED_HANDLE(no_lock_file, pinfold_lock_file_open_bytes(NULL, 1, bytes, 4, &no_lock_file, error));
    REFUSED_HANDLE(no_lock_file, pinfold_lock_file_open_bytes(path, strlen(path), NULL, 4, &no_lock_file, error));
    REFUSED(pinfold_lock_file_open_bytes(path, strlen(path), bytes, 4, NULL, error));
    REFUSED_HANDLE(no_lock_file, pinfold_lock_file_find(NULL, 1, &no_lock_file, error));
    REFUSED(pinfold_lock_file_find(root, strlen(root), NULL, error));
    REFUSED(pinfold_lock_file_checkpoint(NULL, 0, &checkpoint, error));
    REFUSED(pinfold_lock_file_checkpoint(lock_file, 0, NULL, error));
    REFUSED_AS(PINFOLD_ERROR_INVALID_OPTION, pinfold_lock_file_checkpoint(lock_file, 1, &checkpoint, error));
    REFUSED(pinfold_lock_file_adapter(NULL, 0, &adapter, error));
    REFUSED_AS(PINFOLD_ERROR_INVALID_OPTION, pinfold_lock_file_adapter(lock_file, 0, &adapter, error));
    REFUSED(pinfold_lock_file_golden(NULL, 0, &golden, error));
    REFUSED_AS(PINFOLD_ERROR_INVALID_OPTION, pinfold_lock_file_golden(lock_file, 0, &golden, error));
    pinfold_generate_options_init(&options, sizeof options);
    REFUSED(pinfold_lock_file_sampling(NULL, "hot", 3, &options, error));
    REFUSED(pinfold_lock_file_sampling(lock_file, NULL, 3, &options, error));
    REFUSED(pinfold_lock_file_sampling(lock_file, "hot", 3, NULL, error));
    REFUSED_HANDLE(text, pinfold_lock_file_resolve(NULL, "abc", 3, store, false, &text, error));
    REFUSED_HANDLE(text, pinfold_lock_file_resolve(lock_file, NULL, 3, store, false, &text, error));
    REFUSED_HANDLE(text, pinfold_lock_file_resolve(lock_file, "abc", 3, NULL, false, &text, error));
    REFUSED(pinfold_lock_file_resolve(lock_file, "abc", 3, store, false, NULL, error));
    REFUSED(pinfold_lock_file_check_signature(NULL, "abc", 3, store, KEY, 56, error));
    REFUSED(pinfold_lock_file_check_signature(lock_file, NULL, 3, store, KEY, 56, error));
    REFUSED(pinfold_lock_file_check_signature(lock_file, "abc", 3, NULL, KEY, 56, error));
    REFUSED(pinfold_lock_file_check_signature(lock_file, "abc", 3, store, NULL, 56, error));
    REFUSED_HANDLE(text, pinfold_lock_file_pull(NULL, "abc", 3, store, NULL, NULL, &text, error));
    REFUSED_HANDLE(text, pinfold_lock_file_pull(lock_file, NULL, 3, store, NULL, NULL, &text, error));
    REFUSED_HANDLE(text, pinfold_lock_file_pull(lock_file, "abc", 3, NULL, NULL, NULL, &text, error));
    REFUSED(pinfold_lock_file_pull(lock_file, "abc", 3, store, NULL, NULL, NULL, error));
    REFUSED_HANDLE(model, pinfold_lock_file_load(NULL, "abc", 3, store, NULL, NULL, &model, error));
    REFUSED_HANDLE(model, pinfold_lock_file_load(lock_file, NULL, 3, store, NULL, NULL, &model, error));
    REFUSED_HANDLE(model, pinfold_lock_file_load(lock_file, "abc", 3, NULL, NULL, NULL, &model, error));
    REFUSED(pinfold_lock_file_load(lock_file, "abc", 3, store, NULL, NULL, NULL, error));
    REFUSED_HANDLE(report, pinfold_lock_file_verify(NULL, store, NULL, NULL, &report, error));
    REFUSED_HANDLE(report, pinfold_lock_file_verify(lock_file, NULL, NULL, NULL, &report, error));
    REFUSED(pinfold_lock_file_verify(lock_file, store, NULL, NULL, NULL, error));
    TAKEN(pinfold_lock_file_verify(lock_file, store, NULL, NULL, &report, error));
    /* The three bytes are as pinned, and no checkpoint. */
    CHECK(!pinfold_verify_report_passed(report) && pinfold_verify_report_files_length(report) == 1);
    REFUSED(pinfold_verify_report_file(NULL, 0, &of_file, error));
    REFUSED(pinfold_verify_report_file(report, 0, NULL, error));
    REFUSED_AS(PINFOLD_ERROR_INVALID_OPTION, pinfold_verify_report_file(report, 1, &of_file, error));
    TAKEN(pinfold_verify_report_file(report, 0, &of_file, error));
    CHECK(of_file.causes_length == 1 && of_file.causes[0] == PINFOLD_CAUSE_PREFLIGHT && of_file.detail.length > 0);
    REFUSED(pinfold_verify_report_golden(NULL, 0, &of_golden, error));
    REFUSED_AS(PINFOLD_ERROR_INVALID_OPTION, pinfold_verify_report_golden(report, 0, &of_golden, error));
    pinfold_verify_report_free(report);
}

static int32_t fails_to_pull(void *user, const char *source, uint64_t done, uint64_t total) {
    CHECK(strstr(source, "abc.bin") != NULL && done <= total);
    ++*(int *)user;
    return 1;
}

static int32_t fails_to_verify(void *user, const char *subject, uint32_t done, uint32_t total) {
    CHECK((strlen(subject) > 0) == (done < total) && done <= total);
    ++*(int *)user;
    return -1;
}

static int32_t fails_to_process(void *user, uint64_t done, uint64_t total) {
    CHECK(done <= total);
    ++*(int *)user;
    return 1;
}

static void wrong_values(void) {
    const char *wrong[] = {"", "ba78", ABC "00", "zz7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const pinfold_string digest = {wrong[i], strlen(wrong[i])};
        REFUSED_AS(PINFOLD_ERROR_INVALID_OPTION, pinfold_store_remove(store, digest.data, digest.length, NULL, error));
        REFUSED_AS(PINFOLD_ERROR_INVALID_OPTION,
                   pinfold_store_verify(store, &digest, 1, NULL, NULL, NULL, &entries, error));
    }
    const char *ill = "a\xff";
    REFUSED_AS(PINFOLD_ERROR_INVALID_TEXT, pinfold_lock_file_open(ill, 2, &no_lock_file, error));
    REFUSED_AS(PINFOLD_ERROR_INVALID_TEXT, pinfold_lock_file_find(ill, 2, &no_lock_file, error));
    REFUSED_AS(PINFOLD_ERROR_INVALID_TEXT, pinfold_lock_file_resolve(lock_file, ill, 2, store, false, &text, error));
    REFUSED_AS(PINFOLD_ERROR_BAD_LOCK,
               pinfold_lock_file_open_bytes("x", 1, (const uint8_t *)ill, 2, &no_lock_file, error));
    REFUSED_AS(PINFOLD_ERROR_BAD_SIGNATURE,
               pinfold_lock_file_check_signature(lock_file, "abc", 3, store, KEY, 56, error));
    CHECK(no_lock_file == NULL && text == NULL);

    pinfold_store_options of_store;
    pinfold_store_options_init(&of_store, sizeof of_store);
    of_store.quota = -2;
    REFUSED_AS(PINFOLD_ERROR_INVALID_OPTION, pinfold_store_open(&of_store, &no_store, error));
    pinfold_store_options_init(&of_store, sizeof of_store);
    of_store.root.data = ill;
    of_store.root.length = 2;
    REFUSED_AS(PINFOLD_ERROR_INVALID_TEXT, pinfold_store_open(&of_store, &no_store, error));
    of_store.root.data = file;
    of_store.root.length = strlen(file);
    pinfold_status status = pinfold_store_open(&of_store, &no_store, NULL);
    CHECK(status == PINFOLD_ERROR_IO || status == PINFOLD_ERROR_BAD_STORE);

    pinfold_pull_options pull;
    pinfold_pull_options_init(&pull, sizeof pull);
    pull.reserved = 1;
    REFUSED_AS(PINFOLD_ERROR_STRUCT_SIZE,
               pinfold_lock_file_pull(lock_file, "abc", 3, store, &pull, NULL, &text, error));
    pinfold_pull_options_init(&pull, sizeof pull);
    pull.connections = 17;
    REFUSED_AS(PINFOLD_ERROR_INVALID_OPTION,
               pinfold_lock_file_pull(lock_file, "abc", 3, store, &pull, NULL, &text, error));
    pinfold_verify_options verify;
    pinfold_verify_options_init(&verify, sizeof verify);
    verify.full_check = 2;
    REFUSED_AS(PINFOLD_ERROR_INVALID_OPTION, pinfold_lock_file_verify(lock_file, store, &verify, NULL, &report, error));
    pinfold_verify_options_init(&verify, sizeof verify);
    verify.names_length = 1;
    REFUSED(pinfold_lock_file_verify(lock_file, store, &verify, NULL, &report, error));

    /* Functions that fail. */
    int heard = 0;
    pinfold_pull_options_init(&pull, sizeof pull);
    pull.progress = fails_to_pull;
    pull.progress_user = &heard;
    CHECK(pinfold_store_remove(store, ABC, 64, NULL, NULL) == PINFOLD_OK);
    CHECK(pinfold_lock_file_pull(lock_file, "abc", 3, store, &pull, NULL, &text, NULL) == PINFOLD_ERROR_CALLBACK);
    CHECK(text == NULL && heard > 0);
    CHECK(pinfold_lock_file_pull(lock_file, "abc", 3, store, NULL, NULL, &text, NULL) == PINFOLD_OK);
    pinfold_text_free(text);
    heard = 0;
    pinfold_verify_options_init(&verify, sizeof verify);
    verify.progress = fails_to_verify;
    verify.progress_user = &heard;
    CHECK(pinfold_lock_file_verify(lock_file, store, &verify, NULL, &report, NULL) == PINFOLD_ERROR_CALLBACK);
    CHECK(report == NULL && heard > 0);
    heard = 0;
    status = pinfold_store_verify(store, NULL, 0, fails_to_process, &heard, NULL, &entries, NULL);
    CHECK(status == PINFOLD_ERROR_CALLBACK && entries == NULL && heard > 0);

    /* Named settings fill the options, whatever length those have. */
    pinfold_generate_options options;
    pinfold_generate_options_init(&options, sizeof options);
    options.max_tokens = 5;
    for (int twice = 0; twice < 2; twice++) {
        CHECK(pinfold_lock_file_sampling(lock_file, "hot", 3, &options, NULL) == PINFOLD_OK);
        CHECK(options.temperature == 1.5F && options.max_tokens == 5 && options.logit_bias_length == 2);
        CHECK(options.logit_bias[0].token == 3 && options.logit_bias[1].bias == 2.0F);
    }
    options.struct_size = 3;
    CHECK(pinfold_lock_file_sampling(lock_file, "hot", 3, &options, NULL) == PINFOLD_ERROR_STRUCT_SIZE);
}

/* What was given outlives what gave it. */
static void orders(void) {
    for (int order = 0; order < 2; order++) {
        pinfold_lock_file *mine = NULL;
        pinfold_store *at = NULL;
        pinfold_store_options options;
        pinfold_store_options_init(&options, sizeof options);
        options.root.data = root;
        options.root.length = strlen(root);
        CHECK(pinfold_store_open(&options, &at, NULL) == PINFOLD_OK);
        CHECK(pinfold_lock_file_open(path, strlen(path), &mine, NULL) == PINFOLD_OK);
        CHECK(strcmp(pinfold_lock_file_path(mine), path) == 0 && strcmp(pinfold_store_root(at), root) == 0);
        CHECK(pinfold_lock_file_resolve(mine, "abc", 3, at, true, &text, NULL) == PINFOLD_OK);
        CHECK(pinfold_lock_file_verify(mine, at, NULL, NULL, &report, NULL) == PINFOLD_OK);
        CHECK(pinfold_store_list(at, &entries, NULL) == PINFOLD_OK);
        if (order == 0) pinfold_store_free(at);
        pinfold_lock_file_free(mine);
        if (order == 1) pinfold_store_free(at);
        pinfold_store_entry entry = {.struct_size = sizeof entry};
        CHECK(pinfold_store_entries_get(entries, 0, &entry, NULL) == PINFOLD_OK && entry.pinned_by_length == 1);
        CHECK(pinfold_text_length(text) > 64 && pinfold_verify_report_files_length(report) == 1);
        pinfold_text_free(text);
        pinfold_store_entries_free(entries);
        pinfold_verify_report_free(report);
    }
}

static atomic_int wrong;

static void *works(void *unused) {
    (void)unused;
    for (int round = 0; round < 10; round++) {
        pinfold_text *found = NULL;
        pinfold_store_entries *listed = NULL;
        pinfold_generate_options options;
        pinfold_generate_options_init(&options, sizeof options);
        if (pinfold_lock_file_pull(lock_file, "abc", 3, store, NULL, NULL, &found, NULL) ||
            pinfold_lock_file_sampling(lock_file, "hot", 3, &options, NULL) || options.logit_bias[1].token != 9 ||
            pinfold_store_list(store, &listed, NULL) || pinfold_store_entries_length(listed) != 1) {
            atomic_fetch_add(&wrong, 1);
        }
        pinfold_text_free(found);
        pinfold_store_entries_free(listed);
    }
    return NULL;
}

static void threads(void) {
    pthread_t all[THREADS];
    CHECK(pinfold_store_remove(store, ABC, 64, NULL, NULL) == PINFOLD_OK);
    for (int i = 0; i < THREADS; i++) pthread_create(&all[i], NULL, works, NULL);
    for (int i = 0; i < THREADS; i++) pthread_join(all[i], NULL);
    CHECK(atomic_load(&wrong) == 0);
}

void check_pins(const char *folder) {
    snprintf(root, sizeof root, "%.4000s/store", folder);
    snprintf(path, sizeof path, "%.4000s/pinfold.lock", folder);
    snprintf(file, sizeof file, "%.4000s/abc.bin", folder);
    write_file(path, text_of_lock, sizeof text_of_lock - 1);
    write_file(file, "abc", 3);
    pinfold_store_options options;
    pinfold_store_options_init(&options, sizeof options);
    options.root.data = root;
    options.root.length = strlen(root);
    CHECK(pinfold_store_open(&options, &store, NULL) == PINFOLD_OK);
    CHECK(pinfold_lock_file_open(path, strlen(path), &lock_file, NULL) == PINFOLD_OK);
    if (store && lock_file) {
        nothing();
        null_of_stores();
        null_of_lock_files();
        wrong_values();
        orders();
        threads();
    }
    pinfold_store_free(store);
    pinfold_lock_file_free(lock_file);
}
