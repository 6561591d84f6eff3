#pragma once
#include <stdint.h>

// The system calls of Landlock, which the C library has no wrappers for; see landlock(7). They return -1 with errno set.

// The version of the kernel's interface; 0 where it has none or it is switched off.
int linux_landlock_version(void);
// A descriptor of a ruleset that forbids `rights` to files everywhere, and what `scopes` says. A kernel refuses what its
// version does not know.
int linux_landlock_create(uint64_t rights, uint64_t scopes);
// Allows `rights` below a directory again.
int linux_landlock_allow(int ruleset, int directory, uint64_t rights);
// Puts this thread, and all that it starts, under the rules.
int linux_landlock_restrict(int ruleset);
