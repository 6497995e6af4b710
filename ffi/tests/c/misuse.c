/* What a program can do wrong without leaving C: each has a defined result.
 *
 *     misuse FOLDER      for its files; it exists */
#include "check.h"

#include <pinfold.h>

int checks, failures;

int main(int count, char **arguments) {
    if (count != 2) return 2;
    CHECK(pinfold_abi_version() == PINFOLD_ABI_VERSION);
    CHECK(pinfold_version()[0] != 0);
    check_null();
    check_values();
    check_order();
    check_threads();
    check_pins(arguments[1]);
    printf("%d checks of misuse, %d failed\n", checks, failures);
    return failures != 0;
}
