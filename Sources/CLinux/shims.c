#define _GNU_SOURCE
#include "linux_shims.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

const uint64_t LINUX_O_PATH = O_PATH, LINUX_O_TMPFILE = O_TMPFILE;
const uint64_t LINUX_RESOLVE_BENEATH = RESOLVE_BENEATH, LINUX_RESOLVE_IN_ROOT = RESOLVE_IN_ROOT,
               LINUX_RESOLVE_NO_SYMLINKS = RESOLVE_NO_SYMLINKS, LINUX_RESOLVE_NO_MAGICLINKS = RESOLVE_NO_MAGICLINKS;

int linux_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    // EAGAIN: something was mounted or renamed anywhere while ".." was resolved. It passes.
    for (int attempt = 0; attempt < 1000; attempt++) {
        int descriptor = (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
        if (descriptor != -1 || errno != EAGAIN) return descriptor;
    }
    return -1;
}

int linux_renameat2(int from, const char *old_path, int to, const char *new_path, unsigned int flags) {
    return renameat2(from, old_path, to, new_path, flags);
}

ssize_t linux_copy_range(int from, int to, size_t size) { return copy_file_range(from, NULL, to, NULL, size, 0); }

int linux_syncfs(int descriptor) { return syncfs(descriptor); }

static int unix_socket(const char *path, int (*use)(int, const struct sockaddr *, socklen_t)) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return errno = ENAMETOOLONG, -1;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || use(fd, (const struct sockaddr *)&address, sizeof address) == 0) return fd;
    int error = errno;
    close(fd);
    return errno = error, -1;
}

int linux_unix_connect(const char *path) { return unix_socket(path, connect); }

int linux_unix_listen(const char *path) {
    int fd = unix_socket(path, bind);
    if (fd < 0 || listen(fd, 16) == 0) return fd;
    int error = errno;
    close(fd);
    return errno = error, -1;
}

int linux_unix_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC); }

unsigned int linux_major(uint64_t device) { return major(device); }
unsigned int linux_minor(uint64_t device) { return minor(device); }
uint64_t linux_makedev(unsigned int major, unsigned int minor) { return makedev(major, minor); }

int linux_flock(int descriptor, int operation) { return flock(descriptor, operation); }

int linux_spawn_add_close_from(posix_spawn_file_actions_t *actions, int from) {
    return posix_spawn_file_actions_addclosefrom_np(actions, from);
}

const char *linux_dirent_name(const struct dirent *entry) { return entry->d_name; }

// "/proc/self/fd/" + a descriptor + "/" + a name.
enum { PATH_SIZE = 14 + 11 + 1 + 256 };

static int magic_path(char *path, int directory, const char *name) {
    if (strlen(name) > 255) {
        errno = ENAMETOOLONG;
        return -1;
    }
    snprintf(path, PATH_SIZE, "/proc/self/fd/%d/%s", directory, name);
    return 0;
}

ssize_t linux_llistxattrat(int directory, const char *name, char *list, size_t size) {
    char path[PATH_SIZE];
    return magic_path(path, directory, name) < 0 ? -1 : llistxattr(path, list, size);
}

ssize_t linux_lgetxattrat(int directory, const char *name, const char *attribute, void *value, size_t size) {
    char path[PATH_SIZE];
    return magic_path(path, directory, name) < 0 ? -1 : lgetxattr(path, attribute, value, size);
}

int linux_lsetxattrat(int directory, const char *name, const char *attribute, const void *value, size_t size) {
    char path[PATH_SIZE];
    return magic_path(path, directory, name) < 0 ? -1 : lsetxattr(path, attribute, value, size, 0);
}

void linux_limit_allocator(int arenas, int threshold) {
    mallopt(M_ARENA_MAX, arenas);
    mallopt(M_MMAP_THRESHOLD, threshold);
}
