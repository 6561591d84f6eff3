#pragma once
#include "linux_spawn.h"

// What makes a supervisor kill the command: the last of the real-time signals. It passes all others on.
#define LINUX_SUPERVISE_END 64

// Makes a supervisor, which calls `close_others` to give up the builder's descriptors but one, then `start` to make the
// command, and ends when all that descends from it is gone. Returns when the command runs or could not be started, which
// is in `result`: the supervisor itself, or -1. All signals must be blocked.
pid_t linux_supervise(pid_t (*start)(void *), void (*close_others)(const void *, int), void *argument,
    struct linux_spawn_result *result);

// Whether the command has ended; if so, with `status`. To be called when the supervisor has ended.
int linux_supervision_status(const struct linux_supervision *supervision, int *status);
// Whether the supervisor has seen the end of all that descended from the command; not if it was killed before.
int linux_supervision_is_complete(const struct linux_supervision *supervision);
void linux_supervision_release(struct linux_supervision *supervision);
