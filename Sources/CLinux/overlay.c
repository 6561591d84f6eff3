// An overlay that is mounted where nobody sees it, and reached through a descriptor alone.

#define _GNU_SOURCE
#include "linux_shims.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

struct request {
    const char *directory, *target, *data, *options;
    int descriptor, error;
};

static int mount_by_options(const char *options) {
    int mount = -1, context = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    int outcome = 0;
    for (const char *key = options; *key && outcome == 0;) {
        const char *value = key + strlen(key) + 1;
        outcome = (int)syscall(
            SYS_fsconfig, context, *value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, *value ? value : NULL, 0);
        key = value + strlen(value) + 1;
    }
    if (outcome == 0 && syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID);
    int error = errno;
    close(context);
    return errno = error, mount;
}

// Runs in a thread of its own, whose mount namespace and working directory end with it. The mount stays as long as the
// descriptor does.
static void *make_overlay(void *argument) {
    struct request *request = argument;
    if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
        && chdir(request->directory) == 0) {
        if (!request->data)
            request->descriptor = mount_by_options(request->options);
        else if (mount("overlay", request->target, "overlay", MS_NODEV | MS_NOSUID, request->data) == 0)
            request->descriptor = open(request->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (request->descriptor < 0) request->error = errno;
    return NULL;
}

int linux_hidden_overlay(const char *directory, const char *target, const char *data, const char *options) {
    struct request request = {
        .directory = directory, .target = target, .data = data, .options = options, .descriptor = -1};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, make_overlay, &request);
    if (error) return errno = error, -1;
    pthread_join(thread, NULL);
    if (request.descriptor < 0) errno = request.error;
    return request.descriptor;
}
