// Registries of emulators that belong to a user namespace; see linux_emulators.h.

#define _GNU_SOURCE
#include "linux_emulators.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int new_registry(void) {
    int context = (int)syscall(SYS_fsopen, "binfmt_misc", FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    int registry = -1;
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        registry = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
    int saved = errno;
    close(context);
    errno = saved;
    return registry;
}

static const char making_registry[] = "mount binfmt_misc in a user namespace";

int linux_own_emulators(struct linux_emulators *result) {
    *result = (struct linux_emulators){.user_namespace = -1, .registry = new_registry(), .failed = making_registry};
    return result->registry < 0 ? -1 : 0;
}

struct answer {
    int registry, error;
};

// The child's part. It shares the descriptors of its parent, so that what it opens is open there. It calls the kernel and
// nothing else, as other threads of the program may hold any lock.
static void serve(int go, int answers) {
    char byte;
    struct answer answer = {.registry = -1};
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (read(go, &byte, 1) != 1) _exit(1);
    answer.registry = new_registry();
    answer.error = errno;
    _exit(write(answers, &answer, sizeof answer) == sizeof answer ? 0 : 1);
}

static int write_map(pid_t process, const char *name, const char *map) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)process, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t written = write(fd, map, strlen(map));
    int saved = errno;
    close(fd);
    errno = saved;
    return written < 0 ? -1 : 0;
}

static int open_namespace(pid_t process) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)process);
    return open(path, O_RDONLY | O_CLOEXEC);
}

// What the parent does while the child waits; the last of it is to let the child go on.
static int arrange(pid_t child, const char *users, const char *groups, int go, int answers, struct linux_emulators *result) {
    result->failed = "write the maps of a user namespace";
    if (write_map(child, "uid_map", users) < 0 || write_map(child, "gid_map", groups) < 0) return -1;
    result->failed = "open a user namespace";
    if ((result->user_namespace = open_namespace(child)) < 0) return -1;
    result->failed = making_registry;
    struct answer answer;
    if (write(go, "", 1) != 1) return -1;
    ssize_t count;
    while ((count = read(answers, &answer, sizeof answer)) < 0 && errno == EINTR) {}
    if (count != (ssize_t)sizeof answer) return errno = ECHILD, -1;
    result->registry = answer.registry;
    errno = answer.error;
    return answer.registry < 0 ? -1 : 0;
}

int linux_new_emulators(const char *user_map, const char *group_map, struct linux_emulators *result) {
    int go[2], answers[2];
    *result = (struct linux_emulators){.user_namespace = -1, .registry = -1, .failed = "make a pipe"};
    if (pipe2(go, O_CLOEXEC) < 0) return -1;
    if (pipe2(answers, O_CLOEXEC) < 0) return close(go[0]), close(go[1]), -1;
    sigset_t all, previous;
    sigfillset(&all);
    // No handler of this program may run in the child.
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    pid_t child = (pid_t)syscall(SYS_clone, CLONE_FILES | CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) serve(go[0], answers[1]);
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    result->failed = "make a user namespace";
    int outcome = child < 0 ? -1 : arrange(child, user_map, group_map, go[1], answers[0], result);
    int saved = errno;
    if (child > 0) {
        kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    }
    for (int i = 0; i < 2; i++) close(go[i]), close(answers[i]);
    if (outcome < 0) {
        if (result->user_namespace >= 0) close(result->user_namespace);
        if (result->registry >= 0) close(result->registry);
    }
    errno = saved;
    return outcome;
}
