/* The steps of a case that opens a lock file. */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hears of the work of a step, and stops it as the step says. */
typedef struct {
    pinfold_cancel *cancel;
    bool cancels, fails;
    uint64_t done, total;
} watch_t;

static int32_t hear(watch_t *watch, uint64_t done, uint64_t total) {
    watch->done = done;
    watch->total = total;
    if (watch->cancels) pinfold_cancel_set(watch->cancel);
    return watch->fails;
}

static int32_t pulled(void *user, const char *source, uint64_t done, uint64_t total) {
    return source ? hear(user, done, total) : 1;
}

static int32_t verified(void *user, const char *subject, uint32_t done, uint32_t total) {
    return subject ? hear(user, done, total) : 1;
}

static int32_t processed(void *user, uint64_t done, uint64_t total) {
    return hear(user, done, total);
}

static watch_t watch_of(const block_t *step) {
    watch_t watch = {0};
    const char *cancel = has(step, "cancel") ? word(step, "cancel") : "";
    pinfold_cancel_new(&watch.cancel, NULL);
    if (strcmp(cancel, "before") == 0) pinfold_cancel_set(watch.cancel);
    watch.cancels = strcmp(cancel, "progress") == 0;
    watch.fails = number(step, "fail_progress", 0) != 0;
    return watch;
}

pinfold_status open_lock(run_t *run, const block_t *block, pinfold_error **error) {
    const char *keys[] = {"lock_file", "lock_bytes", "lock_find"};
    int kind = 0;
    while (kind < 2 && !has(block, keys[kind])) kind++;
    text_t path = unhex(word(block, keys[kind]));
    pinfold_status status;
    if (kind == 1) {
        text_t bytes = unhex(word(block, "bytes"));
        status = pinfold_lock_file_open_bytes(path.data, path.length, (const uint8_t *)bytes.data, bytes.length,
                                              &run->lock_file, error);
        free(bytes.data);
    } else if (kind == 2) {
        status = pinfold_lock_file_find(path.data, path.length, &run->lock_file, error);
    } else if (has(block, "public_key")) {
        text_t key = unhex(word(block, "public_key"));
        status = pinfold_lock_file_open_signed(path.data, path.length, key.data, key.length, &run->lock_file, error);
        free(key.data);
    } else {
        status = pinfold_lock_file_open(path.data, path.length, &run->lock_file, error);
    }
    free(path.data);
    static int stores;
    char root[4096];
    pinfold_store_options options;
    pinfold_store_options_init(&options, sizeof options);
    options.root.data = root;
    options.root.length = (size_t)snprintf(root, sizeof root, "%s-store-%d", run->file.data, ++stores);
    if (pinfold_store_open(&options, &run->store, NULL)) fault(run, block, "no store");
    if (run->store && strcmp(pinfold_store_root(run->store), root) != 0) fault(run, block, "another store");
    return status;
}

/* Appends words to a text, with a space between them. */
static void say(char *text, size_t room, const pinfold_string *words, int count) {
    for (int i = 0; i < count; i++) {
        size_t length = strlen(text);
        snprintf(text + length, room - length, "%s%s", i ? " " : "", words[i].data);
    }
}

static void checkpoints(run_t *run, outcome_t *outcome) {
    char text[4096] = "";
    for (size_t i = 0; i < pinfold_lock_file_checkpoints_length(run->lock_file); i++) {
        pinfold_pinned_checkpoint pin = {.struct_size = sizeof pin};
        outcome->status = pinfold_lock_file_checkpoint(run->lock_file, i, &pin, &outcome->error);
        if (outcome->status) return;
        const pinfold_string words[] = {pin.name, pin.architecture, pin.quantization, pin.licence, pin.sources[0]};
        if (i) strcat(text, "\n");
        say(text, sizeof text, words, 5);
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, " %u %s %s", pin.context_length,
                 pin.is_signed ? "signed" : "unsigned", pin.chat_template_digest.data ? "template" : "no template");
    }
    keep_text(outcome, text, strlen(text));
}

static void adapters(run_t *run, outcome_t *outcome) {
    char text[4096] = "";
    for (size_t i = 0; i < pinfold_lock_file_adapters_length(run->lock_file); i++) {
        pinfold_pinned_adapter pin = {.struct_size = sizeof pin};
        outcome->status = pinfold_lock_file_adapter(run->lock_file, i, &pin, &outcome->error);
        if (outcome->status) return;
        const pinfold_string words[] = {pin.name, pin.architecture, pin.base, pin.licence, pin.sources[0]};
        if (i) strcat(text, "\n");
        say(text, sizeof text, words, 5);
    }
    keep_text(outcome, text, strlen(text));
}

static void goldens(run_t *run, outcome_t *outcome) {
    char text[4096] = "";
    for (size_t i = 0; i < pinfold_lock_file_goldens_length(run->lock_file); i++) {
        pinfold_pinned_golden golden = {.struct_size = sizeof golden};
        outcome->status = pinfold_lock_file_golden(run->lock_file, i, &golden, &outcome->error);
        if (outcome->status) return;
        const pinfold_string words[] = {golden.name, golden.checkpoint};
        if (i) strcat(text, "\n");
        say(text, sizeof text, words, 2);
    }
    keep_text(outcome, text, strlen(text));
}

static void sampling(run_t *run, const block_t *step, outcome_t *outcome) {
    text_t name = text_of(step, "name");
    pinfold_generate_options options;
    pinfold_generate_options_init(&options, sizeof options);
    outcome->status = pinfold_lock_file_sampling(run->lock_file, name.data, name.length, &options, &outcome->error);
    if (!outcome->status && (options.temperature != (float)real(step, "temperature", -1) ||
                             options.seed != (uint64_t)number(step, "seed", -1) ||
                             options.top_k != (uint32_t)number(step, "top_k", -1) || options.logit_bias_length != 1)) {
        fault(run, step, "other settings");
    }
    free(name.data);
}

/* The checkpoint that a step names. */
static pinfold_pinned_checkpoint pin_of(run_t *run, const block_t *step) {
    pinfold_pinned_checkpoint pin = {.struct_size = sizeof pin};
    text_t name = text_of(step, "name");
    size_t index = 0, length = pinfold_lock_file_checkpoints_length(run->lock_file);
    do {
        if (pinfold_lock_file_checkpoint(run->lock_file, index, &pin, NULL)) break;
    } while (strcmp(pin.name.data, name.data) != 0 && ++index < length);
    if (index >= length) fault(run, step, "no such pin");
    free(name.data);
    return pin;
}

/* The size of the file, or -1. */
static long size_of(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) return -1;
    long size = ftell(file);
    fclose(file);
    return size;
}

static void take_file(run_t *run, const block_t *step, pinfold_text *path) {
    if (!path) return;
    if (size_of(pinfold_text_data(path)) != (long)pin_of(run, step).size) fault(run, step, "a file of another size");
    pinfold_text_free(path);
}

static void resolve(run_t *run, const block_t *step, outcome_t *outcome) {
    text_t name = text_of(step, "name");
    pinfold_text *path = NULL;
    bool full = number(step, "full_check", 0) != 0;
    outcome->status =
        pinfold_lock_file_resolve(run->lock_file, name.data, name.length, run->store, full, &path, &outcome->error);
    take_file(run, step, path);
    free(name.data);
}

static void pull(run_t *run, const block_t *step, outcome_t *outcome) {
    text_t name = text_of(step, "name");
    watch_t watch = watch_of(step);
    pinfold_text *path = NULL;
    pinfold_pull_options options;
    pinfold_pull_options_init(&options, sizeof options);
    options.attempts = (uint32_t)number(step, "attempts", options.attempts);
    options.progress = pulled;
    options.progress_user = &watch;
    outcome->status = pinfold_lock_file_pull(run->lock_file, name.data, name.length, run->store, &options,
                                             watch.cancel, &path, &outcome->error);
    if (number(step, "whole", 0) && (watch.done != watch.total || watch.total != pin_of(run, step).size)) {
        fault(run, step, "heard of %llu bytes", (unsigned long long)watch.done);
    }
    take_file(run, step, path);
    pinfold_cancel_free(watch.cancel);
    free(name.data);
}

static void load(run_t *run, const block_t *step, outcome_t *outcome) {
    text_t name = text_of(step, "name");
    pinfold_model_options options;
    pinfold_model_options_init(&options, sizeof options);
    options.reproducible = number(step, "reproducible", 0) != 0;
    outcome->status = pinfold_lock_file_load(run->lock_file, name.data, name.length, run->store, &options, NULL,
                                             &run->model, &outcome->error);
    if (run->model && pinfold_model_session(run->model, NULL, &run->session, NULL)) fault(run, step, "no session");
    free(name.data);
}

static void check_signature(run_t *run, const block_t *step, outcome_t *outcome) {
    text_t name = text_of(step, "name"), key = text_of(step, "public_key");
    outcome->status = pinfold_lock_file_check_signature(run->lock_file, name.data, name.length, run->store, key.data,
                                                        key.length, &outcome->error);
    free(name.data);
    free(key.data);
}

static const char *cause_word(pinfold_cause cause) {
    static const char *words[] = {"none",     "missing",   "weights", "tokenizer", "chat_template", "metadata",
                                  "preflight", "lock",     "prompt",  "computation", "sampler"};
    return cause >= 0 && cause < 11 ? words[cause] : "unknown";
}

/* The causes of all files and goldens, with commas between them. */
static void check_causes(run_t *run, const block_t *step, const pinfold_verify_report *report) {
    char causes[1024] = "";
    for (size_t i = 0; i < pinfold_verify_report_files_length(report); i++) {
        pinfold_file_report file = {.struct_size = sizeof file};
        if (pinfold_verify_report_file(report, i, &file, NULL)) fault(run, step, "no file");
        if ((file.causes_length == 0) != (file.passed == 1)) fault(run, step, "a file that failed without a cause");
        for (size_t j = 0; j < file.causes_length; j++) {
            strcat(strcat(causes, *causes ? "," : ""), cause_word(file.causes[j]));
        }
    }
    for (size_t i = 0; i < pinfold_verify_report_goldens_length(report); i++) {
        pinfold_golden_report golden = {.struct_size = sizeof golden};
        if (pinfold_verify_report_golden(report, i, &golden, NULL)) fault(run, step, "no golden");
        if (golden.outcome == PINFOLD_GOLDEN_SAME && golden.index != PINFOLD_NONE) fault(run, step, "a difference");
        if (golden.cause) strcat(strcat(causes, *causes ? "," : ""), cause_word(golden.cause));
    }
    if (has(step, "causes") && strcmp(causes, word(step, "causes")) != 0) {
        fault(run, step, "%s, not %s", causes, word(step, "causes"));
    }
}

static void verify(run_t *run, const block_t *step, outcome_t *outcome) {
    pinfold_string names[FIELDS];
    text_t texts[FIELDS];
    size_t count = 0;
    for (int i = 0; i < step->count; i++) {
        if (strcmp(step->keys[i], "names") != 0) continue;
        texts[count] = unhex(step->values[i]);
        names[count].data = texts[count].data;
        names[count].length = texts[count].length;
        count++;
    }
    watch_t watch = watch_of(step);
    pinfold_verify_options options;
    pinfold_verify_options_init(&options, sizeof options);
    options.names = names;
    options.names_length = count;
    options.threads = 1;
    options.progress = verified;
    options.progress_user = &watch;
    pinfold_verify_report *report = NULL;
    outcome->status =
        pinfold_lock_file_verify(run->lock_file, run->store, &options, watch.cancel, &report, &outcome->error);
    if (report) {
        bool passed = pinfold_verify_report_passed(report);
        if (has(step, "passed") && passed != (number(step, "passed", 0) == 1)) fault(run, step, "passed: %d", passed);
        check_causes(run, step, report);
    }
    pinfold_verify_report_free(report);
    pinfold_cancel_free(watch.cancel);
    for (size_t i = 0; i < count; i++) free(texts[i].data);
}

static void verify_store(run_t *run, const block_t *step, outcome_t *outcome) {
    watch_t watch = watch_of(step);
    pinfold_store_entries *damaged = NULL;
    outcome->status = pinfold_store_verify(run->store, NULL, 0, processed, &watch, watch.cancel, &damaged,
                                           &outcome->error);
    outcome->length = (int64_t)pinfold_store_entries_length(damaged);
    for (size_t i = 0; i < pinfold_store_entries_length(damaged); i++) {
        pinfold_store_entry entry = {.struct_size = sizeof entry};
        if (pinfold_store_entries_get(damaged, i, &entry, NULL) ||
            strcmp(entry.digest.data, entry.actual_digest.data) == 0) {
            fault(run, step, "damaged, but has its digest");
        }
    }
    pinfold_store_entries_free(damaged);
    pinfold_cancel_free(watch.cancel);
}

static void import_file(run_t *run, const block_t *step, outcome_t *outcome) {
    text_t path = text_of(step, "path");
    pinfold_text *digest = NULL;
    pinfold_string expected = {NULL, 0};
    if (has(step, "name")) expected = pin_of(run, step).digest;
    outcome->status = pinfold_store_import_file(run->store, path.data, path.length, expected.data, expected.length,
                                                NULL, NULL, NULL, &digest, &outcome->error);
    if (digest && pinfold_text_length(digest) != 64) fault(run, step, "no digest");
    pinfold_text_free(digest);
    free(path.data);
}

/* Flips a bit of a stored file. Stored files are not to be written, so another one takes its place. */
static void damage_stored(run_t *run, const block_t *step) {
    const char *digest = pin_of(run, step).digest.data;
    pinfold_store_entries *entries = NULL;
    pinfold_store_entry entry = {.struct_size = sizeof entry};
    pinfold_store_list(run->store, &entries, NULL);
    size_t index = 0, count = pinfold_store_entries_length(entries);
    while (index < count && (pinfold_store_entries_get(entries, index, &entry, NULL) ||
                             strcmp(entry.digest.data, digest) != 0)) {
        index++;
    }
    if (index < count) {
        size_t length;
        char *bytes = script_read(entry.path.data, &length);
        bytes[number(step, "damage", 0)] ^= 1;
        remove(entry.path.data);
        FILE *file = fopen(entry.path.data, "wb");
        if (!file || fwrite(bytes, 1, length, file) != length || fclose(file)) fault(run, step, "not written");
        free(bytes);
    } else {
        fault(run, step, "not stored");
    }
    pinfold_store_entries_free(entries);
}

bool do_pin_step(run_t *run, const block_t *step, outcome_t *outcome) {
    const char *action = step->value;
    pinfold_error **error = &outcome->error;
    if (strcmp(action, "checkpoints") == 0) {
        checkpoints(run, outcome);
    } else if (strcmp(action, "adapters") == 0) {
        adapters(run, outcome);
    } else if (strcmp(action, "goldens") == 0) {
        goldens(run, outcome);
    } else if (strcmp(action, "sampling") == 0) {
        sampling(run, step, outcome);
    } else if (strcmp(action, "resolve") == 0) {
        resolve(run, step, outcome);
    } else if (strcmp(action, "pull") == 0) {
        pull(run, step, outcome);
    } else if (strcmp(action, "load") == 0) {
        load(run, step, outcome);
    } else if (strcmp(action, "check_signature") == 0) {
        check_signature(run, step, outcome);
    } else if (strcmp(action, "verify") == 0) {
        verify(run, step, outcome);
    } else if (strcmp(action, "entries") == 0) {
        pinfold_store_entries *entries = NULL;
        outcome->status = pinfold_store_list(run->store, &entries, error);
        outcome->length = (int64_t)pinfold_store_entries_length(entries);
        pinfold_store_entries_free(entries);
    } else if (strcmp(action, "remove") == 0) {
        bool removed = false;
        pinfold_string digest = pin_of(run, step).digest;
        outcome->status = pinfold_store_remove(run->store, digest.data, digest.length, &removed, error);
        outcome->length = removed;
    } else if (strcmp(action, "collect") == 0) {
        pinfold_store_entries *entries = NULL;
        uint64_t freed = 0;
        bool dry_run = number(step, "dry_run", 0) != 0;
        outcome->status = pinfold_store_collect(run->store, dry_run, &entries, &freed, error);
        outcome->length = (int64_t)pinfold_store_entries_length(entries);
        if ((freed == 0) != (outcome->length == 0)) fault(run, step, "%llu bytes", (unsigned long long)freed);
        pinfold_store_entries_free(entries);
    } else if (strcmp(action, "verify_store") == 0) {
        verify_store(run, step, outcome);
    } else if (strcmp(action, "import_file") == 0) {
        import_file(run, step, outcome);
    } else if (strcmp(action, "damage_stored") == 0) {
        damage_stored(run, step);
    } else {
        return false;
    }
    return true;
}
