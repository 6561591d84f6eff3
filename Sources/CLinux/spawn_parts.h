#pragma once
#include "linux_spawn.h"

#include <sys/types.h>

// A child in a control group of version 2, whose directory is `group`, from its first instruction: to move a process there
// later waits for all processors. Flags are those of clone(2), with CLONE_VM and CLONE_VFORK. Returns the child, -1 with errno
// set, or 0 before kernel 5.7 and where a filter of system calls hides the call, as a container's may.
pid_t linux_clone_into_group(
    int group, uint64_t flags, char *stack, size_t stack_size, int (*body)(void *), void *argument, int *pidfd);
// Moves this process to the group whose directory is open. Returns 0, or -1 with errno set.
int linux_join_group(int group);

// Opens a path, O_PATH and `flags`, without following a magic link.
int linux_open_plain(const char *path, uint64_t flags);
int linux_enter_directory(const char *path);
int linux_make_point(struct linux_spawn_result *result, const char *path, int is_directory,
    const struct linux_spawn_step *step, int depth);

int linux_remount(const char *path, unsigned long flags);
int linux_restrict_tree(const char *path, unsigned long flags);
int linux_mask(const char *path);
int linux_read_only(const char *path);
int linux_pivot(const char *root);

int linux_limit_bounding_set(uint64_t kept);
int linux_set_capabilities(uint64_t wanted, uint64_t are_inherited);
int linux_install_filter(const char *program, uint64_t count, uint64_t flags);
int linux_set_identity(uid_t uid, gid_t gid);

// Lets this process and its descendants use files below `directory` only, as far as `rights` go, and reach no process
// outside of them as far as `scopes` go.
int linux_confine(const char *directory, uint64_t rights, uint64_t scopes);

// Puts the first step that cannot be performed into the result and returns -1; 0 if there is none.
int linux_check_steps(const struct linux_spawn_program *program, struct linux_spawn_result *result);
