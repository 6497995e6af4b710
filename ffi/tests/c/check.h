/* Counts checks, and says which of them fail. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

extern int checks, failures;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        checks++;                                                                                                      \
        if (!(condition)) {                                                                                            \
            failures++;                                                                                                \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
        }                                                                                                              \
    } while (0)

void check_null(void);    /* null.c */
void check_values(void);  /* values.c */
void check_order(void);   /* order.c */
void check_threads(void); /* threads.c */
void check_pins(const char *folder); /* pin_misuse.c; the folder is for its files */

#endif
