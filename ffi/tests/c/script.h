/* The script of the shared cases: lines of a key and a value. A block begins with `case NAME` or `step ACTION`; the
 * lines up to the next block are its fields. Texts are written in hexadecimal after an x. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIELDS 64

typedef struct {
    char *data; /* with a zero byte behind */
    size_t length;
} text_t;

typedef struct {
    const char *kind;  /* "case" or "step" */
    const char *value; /* the name of the case (hexadecimal) or the action */
    const char *keys[FIELDS];
    const char *values[FIELDS];
    int count;
} block_t;

/* The whole file, ended by a zero byte; exits if it cannot be read. */
char *script_read(const char *path, size_t *length);

/* The next block at *cursor; false at the end. The script's bytes are cut into strings. */
bool script_next(char **cursor, block_t *block);

/* Whether a block has a field. */
bool has(const block_t *block, const char *key);
/* The value of a field; NULL without it. */
const char *word(const block_t *block, const char *key);
/* A number, or `otherwise` without the field. */
int64_t number(const block_t *block, const char *key, int64_t otherwise);
double real(const block_t *block, const char *key, double otherwise);
/* The text of a field, repeated as often as the field `repeat` says; empty without it. Free its data. */
text_t text_of(const block_t *block, const char *key);
/* A text that is written in hexadecimal after an x. Free its data. */
text_t unhex(const char *value);
/* The numbers of a field `N A B C..`, at most `room`; their number, or -1 without the field. */
int64_t numbers(const block_t *block, const char *key, uint32_t *into, int64_t room);

#endif
