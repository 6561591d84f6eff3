#pragma once

#include <dirent.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

// openat2(2) has no wrapper in glibc 2.36. Returns a descriptor, or -1 with errno set.
int linux_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

// renameat2(2) is hidden behind _GNU_SOURCE.
int linux_renameat2(int from, const char *old_path, int to, const char *new_path, unsigned int flags);

// syncfs(2) is hidden behind _GNU_SOURCE.
int linux_syncfs(int descriptor);

// copy_file_range(2) is hidden behind _GNU_SOURCE. From and to the present positions.
ssize_t linux_copy_range(int from, int to, size_t size);

// A listening stream socket at a path, or one connected to it: `struct sockaddr_un` holds a tuple in Swift. Return a
// descriptor, or -1 with errno set.
int linux_unix_listen(const char *path);
int linux_unix_connect(const char *path);
int linux_unix_accept(int listener);

// A new, empty network namespace: unshare(2). Returns a descriptor of it, or -1 with errno set.
int linux_new_network(void);

// An overlay that no process sees: a descriptor of its root, with which it ends, or -1 with errno set. Paths of layers
// may be relative to `directory`. `data` is what mount(2) takes, for a mount on `target`; without it, `options` are what
// fsconfig(2) takes: keys and values in turn, each with its terminator, an empty key at the end.
int linux_hidden_overlay(const char *directory, const char *target, const char *data, const char *options);

// A FUSE file system that is mounted nowhere. Returns a descriptor of the mount, or -1 with errno set; `device` gets the
// descriptor that a program serves it through. What is done in it waits for that program, and fails once nobody has the
// device any more.
int linux_new_fuse(int *device);

// The macros of <sys/sysmacros.h> are not visible to Swift.
unsigned int linux_major(uint64_t device);
unsigned int linux_minor(uint64_t device);
uint64_t linux_makedev(unsigned int major, unsigned int minor);

// flock(2): the struct of the same name hides the function from Swift.
int linux_flock(int descriptor, int operation);

// posix_spawn_file_actions_addclosefrom_np(3) is hidden behind _GNU_SOURCE.
int linux_spawn_add_close_from(posix_spawn_file_actions_t *actions, int from);

// Ends the program with `message` on the standard error and status 1 when a page of a mapped file cannot be had: a store
// to a hole of a mapped file raises SIGBUS where the file system is full. `message` must live as long as the program.
// Any other SIGBUS is left to its default action. Returns -1 with errno set on failure.
int linux_end_on_bus_error(const char *message);

// Limits the C library's allocator to so many arenas, instead of eight for each processor, and lets it give back every
// block of `threshold` bytes or more at once, instead of keeping what is as large as the largest freed so far.
void linux_limit_allocator(int arenas, int threshold);

// The arguments that this program was started with, with a null pointer behind the last.
char *const *linux_arguments(void);

// d_name is a flexible-looking array that Swift imports as a tuple.
const char *linux_dirent_name(const struct dirent *entry);

// Extended attributes of a name in a directory, not following links: through /proc/self/fd, as *xattrat is newer
// than the kernels we run on. Sizes and errors are those of l*xattr(2).
ssize_t linux_llistxattrat(int directory, const char *name, char *list, size_t size);
ssize_t linux_lgetxattrat(int directory, const char *name, const char *attribute, void *value, size_t size);
int linux_lsetxattrat(int directory, const char *name, const char *attribute, const void *value, size_t size);

// Constants that are hidden behind _GNU_SOURCE.
extern const uint64_t LINUX_O_PATH, LINUX_O_TMPFILE;
extern const uint64_t LINUX_RESOLVE_BENEATH, LINUX_RESOLVE_IN_ROOT, LINUX_RESOLVE_NO_SYMLINKS,
    LINUX_RESOLVE_NO_MAGICLINKS;
