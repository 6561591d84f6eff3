// The arguments of the program. The Swift library looks for them below the variables of the environment, where they are no
// more once a library that was loaded before the program has set a variable.

#include "linux_shims.h"

static char **first_arguments;

// The C library passes them to functions that run before main.
__attribute__((constructor)) static void keep(int count, char **arguments) {
    (void)count;
    first_arguments = arguments;
}

char *const *linux_arguments(void) { return first_arguments; }
