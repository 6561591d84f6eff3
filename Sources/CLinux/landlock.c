// Landlock, by numbers: the headers of the machine that builds may be older than the kernel that runs.

#define _GNU_SOURCE
#include "linux_landlock.h"

#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

// The same on all architectures.
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };
enum { CREATE_VERSION = 1, RULE_PATH_BENEATH = 1 };

// The kernel takes a structure that is shorter than its own, and a longer one whose rest is zeros.
struct ruleset_attributes {
    uint64_t files, network, scopes;
};

struct path_attributes {
    uint64_t rights;
    int32_t directory;
} __attribute__((packed));

int linux_landlock_version(void) {
    long version = syscall(CREATE_RULESET, NULL, 0, CREATE_VERSION);
    return version < 0 ? 0 : (int)version;
}

int linux_landlock_create(uint64_t rights, uint64_t scopes) {
    struct ruleset_attributes attributes = {.files = rights, .scopes = scopes};
    return (int)syscall(CREATE_RULESET, &attributes, sizeof attributes, 0);
}

int linux_landlock_allow(int ruleset, int directory, uint64_t rights) {
    struct path_attributes attributes = {.rights = rights, .directory = directory};
    return (int)syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &attributes, 0);
}

int linux_landlock_restrict(int ruleset) { return (int)syscall(RESTRICT_SELF, ruleset, 0); }
