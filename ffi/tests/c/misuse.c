/* What a program can do wrong without leaving C: each has a defined result. */
#include "check.h"

#include <pinfold.h>

int checks, failures;

int main(void) {
    CHECK(pinfold_abi_version() == PINFOLD_ABI_VERSION);
    CHECK(pinfold_version()[0] != 0);
    check_null();
    check_values();
    check_order();
    check_threads();
    printf("%d checks of misuse, %d failed\n", checks, failures);
    return failures != 0;
}
