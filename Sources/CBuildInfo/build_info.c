#include "build_info.h"

#include <stddef.h>

// scripts/stamp looks for the mark in the finished program and writes the commit over the spaces after it. So a new
// commit compiles and links nothing again. `volatile` keeps the compiler from taking the spaces for the value.
#define MARK "@(#)lamina commit="
static volatile const char stamp[] = MARK "                                                ";

const char *lamina_build_commit(void) {
    static char commit[sizeof stamp - sizeof MARK + 1];
    size_t length = 0;
    for (; length < sizeof commit - 1; length++) {
        char next = stamp[sizeof MARK - 1 + length];
        if (next == ' ') break;
        commit[length] = next;
    }
    commit[length] = 0;
    return commit;
}
