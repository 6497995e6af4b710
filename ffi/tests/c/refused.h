/* Calls that are refused, and calls that are not. Each file that uses them has a `made`. */
#ifndef REFUSED_H
#define REFUSED_H

#include "check.h"

#include <pinfold.h>
#include <string.h>

static pinfold_error *made;

/* The call is refused with this status, with and without an error; nothing is given. */
#define REFUSED_AS(status, call)                                                                                       \
    do {                                                                                                               \
        pinfold_error **error = &made;                                                                                 \
        made = NULL;                                                                                                   \
        CHECK((call) == (status));                                                                                     \
        CHECK(made != NULL && pinfold_error_status(made) == (status) && strlen(pinfold_error_message(made)) > 3);      \
        pinfold_error_free(made);                                                                                      \
        error = NULL;                                                                                                  \
        CHECK((call) == (status));                                                                                     \
    } while (0)
#define REFUSED(call) REFUSED_AS(PINFOLD_ERROR_NULL_ARGUMENT, call)
/* As above, and the handle that it would give is NULL. */
#define REFUSED_HANDLE(handle, call)                                                                                   \
    do {                                                                                                               \
        memset(&(handle), 0x55, sizeof(handle));                                                                       \
        REFUSED(call);                                                                                                 \
        CHECK((handle) == NULL);                                                                                       \
    } while (0)
/* NULL may stand there. */
#define TAKEN(call)                                                                                                    \
    do {                                                                                                               \
        pinfold_error **error = &made;                                                                                 \
        memset(&made, 0x55, sizeof made);                                                                              \
        CHECK((call) == PINFOLD_OK);                                                                                   \
        CHECK(made == NULL);                                                                                           \
    } while (0)

#endif
