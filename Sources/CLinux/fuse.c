// A FUSE file system that is mounted nowhere yet: see fuse(4) and fsopen(2).

#define _GNU_SOURCE
#include "linux_shims.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static int configure(int context, int device) {
    char number[16];
    snprintf(number, sizeof number, "%d", device);
    const char *const options[][2] = {
        {"source", "fuse-overlayfs"}, {"fd", number}, {"rootmode", "40000"}, {"user_id", "0"}, {"group_id", "0"},
        // The kernel checks permissions, and everybody may try.
        {"default_permissions", NULL}, {"allow_other", NULL},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        const char *value = options[i][1];
        int kind = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
        if (syscall(SYS_fsconfig, context, kind, options[i][0], value, 0) < 0) return -1;
    }
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

int linux_new_fuse(int *device) {
    int mount = -1, context = -1;
    *device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (*device < 0) return -1;
    context = (int)syscall(SYS_fsopen, "fuse", FSOPEN_CLOEXEC);
    if (context >= 0 && configure(context, *device) == 0)
        mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
    int saved = errno;
    if (context >= 0) close(context);
    if (mount < 0) close(*device);
    errno = saved;
    return mount;
}
