#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *memory(size_t size) {
    void *found = malloc(size);
    if (!found) {
        fprintf(stderr, "no memory\n");
        exit(2);
    }
    return found;
}

char *script_read(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    long size;
    if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET)) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(2);
    }
    char *bytes = memory((size_t)size + 1);
    *length = fread(bytes, 1, (size_t)size, file);
    bytes[*length] = 0;
    fclose(file);
    return bytes;
}

/* Cuts the line at *cursor into its key and value; false at the end. */
static bool line(char **cursor, const char **key, const char **value) {
    char *start = *cursor;
    if (!*start) return false;
    char *end = strchr(start, '\n');
    *cursor = end ? end + 1 : start + strlen(start);
    if (end) *end = 0;
    char *space = strchr(start, ' ');
    if (space) *space = 0;
    *key = start;
    *value = space ? space + 1 : "";
    return true;
}

static bool begins(const char *cursor) {
    return strncmp(cursor, "case ", 5) == 0 || strncmp(cursor, "step ", 5) == 0;
}

bool script_next(char **cursor, block_t *block) {
    block->count = 0;
    if (!line(cursor, &block->kind, &block->value)) return false;
    while (**cursor && !begins(*cursor)) {
        if (block->count == FIELDS) {
            fprintf(stderr, "a block of more than %d fields\n", FIELDS);
            exit(2);
        }
        line(cursor, &block->keys[block->count], &block->values[block->count]);
        block->count++;
    }
    return true;
}

const char *word(const block_t *block, const char *key) {
    for (int i = 0; i < block->count; i++) {
        if (strcmp(block->keys[i], key) == 0) return block->values[i];
    }
    return NULL;
}

bool has(const block_t *block, const char *key) {
    return word(block, key) != NULL;
}

int64_t number(const block_t *block, const char *key, int64_t otherwise) {
    const char *value = word(block, key);
    return value ? strtoll(value, NULL, 10) : otherwise;
}

double real(const block_t *block, const char *key, double otherwise) {
    const char *value = word(block, key);
    return value ? strtod(value, NULL) : otherwise;
}

text_t unhex(const char *value) {
    text_t text = {NULL, 0};
    size_t digits = strlen(value + 1);
    text.data = memory(digits / 2 + 1);
    for (size_t i = 0; i + 1 < digits; i += 2) {
        const char pair[3] = {value[1 + i], value[2 + i], 0};
        text.data[text.length++] = (char)strtoul(pair, NULL, 16);
    }
    text.data[text.length] = 0;
    return text;
}

text_t text_of(const block_t *block, const char *key) {
    const char *value = word(block, key);
    text_t once = unhex(value ? value : "x");
    size_t times = (size_t)number(block, "repeat", 1);
    if (times == 1) return once;
    text_t all = {memory(once.length * times + 1), once.length * times};
    for (size_t i = 0; i < times; i++) memcpy(all.data + i * once.length, once.data, once.length);
    all.data[all.length] = 0;
    free(once.data);
    return all;
}

int64_t numbers(const block_t *block, const char *key, uint32_t *into, int64_t room) {
    const char *value = word(block, key);
    if (!value) return -1;
    char *rest = NULL;
    int64_t count = strtoll(value, &rest, 10);
    for (int64_t i = 0; i < count && i < room; i++) into[i] = (uint32_t)strtoul(rest, &rest, 10);
    return count;
}
