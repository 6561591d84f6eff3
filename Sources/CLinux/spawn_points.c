// Paths in a root file system that somebody else has made, and the mount points that spawn.c makes in it. The same rules
// hold: system calls and nothing else.

#define _GNU_SOURCE
#include "spawn_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Puts the directory part of an absolute path into `parent`.
static void copy_parent(char *parent, const char *path) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] != '/') length--;
    if (length > 1) length--;
    memcpy(parent, path, length);
    parent[length] = 0;
}

// Remembers a path under the kernel's own name for its directory, which has no symbolic links in it and needs no /proc.
static struct linux_spawn_made *remember(struct linux_spawn_result *result, const char *directory, const char *name) {
    char *stored = result->paths + result->paths_used;
    if (LINUX_SPAWN_PATHS_MAX - result->paths_used < 2 * PATH_MAX || result->made_count == LINUX_SPAWN_MADE_MAX)
        return errno = ENOSPC, NULL;
    if (chdir(directory) < 0 || syscall(SYS_getcwd, stored, PATH_MAX) < 0 || chdir("/") < 0) return NULL;
    if (*name && stored[1]) strcat(stored, "/");
    strcat(stored, name);
    result->paths_used += strlen(stored) + 1;
    struct linux_spawn_made *made = &result->made[result->made_count++];
    made->path = stored;
    return made;
}

// Remembers the directories above `directory` but the root, as they are once something was made below them.
static int remember_ancestors(struct linux_spawn_result *result, const char *directory) {
    char path[PATH_MAX], parent[PATH_MAX];
    strcpy(path, directory);
    for (copy_parent(parent, path); parent[1]; copy_parent(parent, path)) {
        struct stat status;
        struct linux_spawn_made *made = remember(result, parent, "");
        if (!made || stat(parent, &status) < 0) return -1;
        made->kind = LINUX_SPAWN_MADE_ANCESTOR;
        made->modified_before = made->modified_after = status.st_mtim;
        made->changed_after = status.st_ctim;
        strcpy(path, parent);
    }
    return 0;
}

// Opens a path as an image means it. A magic link, such as those in /proc/self/fd, leads past the root to what this process
// has open or runs: through one, an image could have something of the host changed or entered.
int linux_open_plain(const char *path, uint64_t flags) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags, .resolve = RESOLVE_NO_MAGICLINKS};
    long fd;
    for (int tries = 0; (fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how)) < 0; tries++)
        if (errno != EAGAIN || tries == 1000) return -1;
    return (int)fd;
}

int linux_enter_directory(const char *path) {
    int fd = linux_open_plain(path, O_DIRECTORY);
    if (fd < 0) return -1;
    int outcome = fchdir(fd), saved = errno;
    close(fd);
    return errno = saved, outcome;
}

// Makes one file or directory in an open directory.
static int make_in(int parent, const char *name, int is_directory, uint64_t owner) {
    if (is_directory) {
        if (mkdirat(parent, name, 0755) < 0) return -1;
    } else {
        int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0) return -1;
        close(fd);
    }
    return !owner ? 0 : (int)syscall(SYS_fchownat, parent, name, (uid_t)(owner >> 32), (gid_t)owner, AT_SYMLINK_NOFOLLOW);
}

// Makes one file or directory and, if it is on the root file system and does not stay, remembers it.
static int make_entry(
    struct linux_spawn_result *result, const char *path, int is_directory, const struct linux_spawn_step *step) {
    char parent[PATH_MAX];
    struct stat root, before, after;
    copy_parent(parent, path);
    int fd = linux_open_plain(parent, O_DIRECTORY);
    if (fd < 0 || fstat(fd, &before) < 0 || stat("/", &root) < 0) return -1;
    int outcome = make_in(fd, strrchr(path, '/') + 1, is_directory, step->number[2]), saved = errno;
    int is_passing = !step->number[1] && before.st_dev == root.st_dev;
    // The command finds the directory as old as the image has it. Where that cannot be, the time is set right afterwards.
    if (outcome == 0 && is_passing)
        utimensat(fd, ".", (struct timespec[]){{.tv_nsec = UTIME_OMIT}, before.st_mtim}, 0);
    close(fd);
    if (outcome < 0) return errno = saved, -1;
    if (!is_passing) return 0;
    if (stat(parent, &after) < 0) return -1;
    struct linux_spawn_made *made = remember(result, parent, strrchr(path, '/') + 1);
    if (!made) return -1;
    made->kind = is_directory ? LINUX_SPAWN_MADE_DIRECTORY : LINUX_SPAWN_MADE_FILE;
    made->modified_before = before.st_mtim;
    made->modified_after = after.st_mtim;
    made->changed_after = after.st_ctim;
    copy_parent(parent, made->path);
    return remember_ancestors(result, parent);
}

// Makes what is missing of an absolute path. A dangling symbolic link on the way is followed and its target made: images
// have /etc/resolv.conf point to /run. Runs inside the new root only, so no link leads out.
int linux_make_point(
    struct linux_spawn_result *result, const char *path, int is_directory, const struct linux_spawn_step *step,
    int depth) {
    char prefix[PATH_MAX], target[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof prefix || path[0] != '/') return errno = ENAMETOOLONG, -1;
    for (size_t end = 1; end <= length; end++) {
        if ((path[end] != '/' && path[end] != 0) || path[end - 1] == '/') continue;
        memcpy(prefix, path, end);
        prefix[end] = 0;
        int directory = is_directory || path[end] == '/';
        if (make_entry(result, prefix, directory, step) == 0) continue;
        if (errno != EEXIST && errno != EROFS) return -1;
        struct stat found;
        if (stat(prefix, &found) == 0) continue;
        if (errno != ENOENT) return -1;
        if (depth == 0) return errno = ELOOP, -1;
        ssize_t count = readlink(prefix, target, sizeof target - 1);
        if (count < 0) return -1;
        target[count] = 0;
        if (target[0] != '/') {
            char joined[PATH_MAX];
            copy_parent(joined, prefix);
            if (strlen(joined) + 1 + (size_t)count >= sizeof joined) return errno = ENAMETOOLONG, -1;
            strcat(strcat(joined, "/"), target);
            strcpy(target, joined);
        }
        if (linux_make_point(result, target, directory, step, depth - 1) < 0) return -1;
    }
    return 0;
}
