#pragma once
#include "linux_spawn.h"

// Opens a path, O_PATH and `flags`, without following a magic link.
int linux_open_plain(const char *path, uint64_t flags);
int linux_enter_directory(const char *path);
int linux_make_point(struct linux_spawn_result *result, const char *path, int is_directory,
    const struct linux_spawn_step *step, int depth);

int linux_limit_bounding_set(uint64_t kept);
int linux_set_capabilities(uint64_t wanted, uint64_t are_inherited);
int linux_install_filter(const char *program, uint64_t count, uint64_t flags);
int linux_set_identity(uid_t uid, gid_t gid);

// Lets this process and its descendants use files below `directory` only, as far as `rights` go, and reach no process
// outside of them as far as `scopes` go.
int linux_confine(const char *directory, uint64_t rights, uint64_t scopes);

// Puts the first step that cannot be performed into the result and returns -1; 0 if there is none.
int linux_check_steps(const struct linux_spawn_program *program, struct linux_spawn_result *result);
