// Enters a user namespace before the program begins; see linux_user_namespace.h.
//
// The maps of a user namespace are written from outside it: a child that is made first stays outside, waits until this
// process is inside, and lets newuidmap(1) and newgidmap(1) write them, which may give a user its subordinate numbers.

#define _GNU_SOURCE
#include "linux_user_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static struct linux_user_namespace_report report;
static sigset_t first_mask;

struct request {
    char *process, *user_tool, *group_tool, *user_map, *group_map, *groups;
};

static int fail(const char *step) {
    report = (struct linux_user_namespace_report){LINUX_USER_NAMESPACE_FAILED, step, errno};
    return -1;
}

static int write_text(const char *process, const char *file, const char *text) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/%s", process, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t written = write(fd, text, strlen(text));
    int saved = errno;
    close(fd);
    errno = saved;
    return written < 0 ? -1 : 0;
}

// Three numbers a line, as the kernel wants them.
static int write_map(const char *process, const char *file, const char *map) {
    char *lines = strdup(map);
    if (!lines) return -1;
    int spaces = 0;
    for (char *at = lines; *at; at++)
        if (*at == ' ' && ++spaces % 3 == 0) *at = '\n';
    int outcome = write_text(process, file, lines);
    free(lines);
    return outcome;
}

// Runs a tool with the process and the numbers of the map as its arguments; 0 if it succeeds.
static int run_tool(const char *tool, char *process, char *map) {
    pid_t child = fork();
    if (child == 0) {
        size_t count = 0;
        for (char *at = map; *at; at++) count += *at == ' ';
        char **arguments = calloc(count + 4, sizeof *arguments);
        if (!arguments) _exit(127);
        size_t next = 0;
        arguments[next++] = (char *)tool;
        arguments[next++] = process;
        for (char *word; (word = strsep(&map, " "));) arguments[next++] = word;
        execv(tool, arguments);
        _exit(127);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) < 0) return -1;
    return status == 0 ? 0 : -1;
}

// Writes one map. Where a tool cannot, as without its privilege in some containers, a user still has its own number.
static int write_one(const struct request *request, const char *tool, char *map, const char *file, unsigned int own) {
    char single[32];
    if (!*tool) return write_map(request->process, file, map);
    if (run_tool(tool, request->process, map) == 0) return 0;
    snprintf(single, sizeof single, "0 %u 1", own);
    return write_text(request->process, file, single);
}

// The child's part. Its exit status says which map it could not write.
static void write_maps(const struct request *request) {
    if (write_one(request, request->user_tool, request->user_map, "uid_map", geteuid()) < 0) _exit(1);
    // Whoever could drop a group could get past a file that refuses that group; so one who may not, must give it up.
    if (strcmp(request->groups, "deny") == 0) write_text(request->process, "setgroups", "deny");
    if (write_one(request, request->group_tool, request->group_map, "gid_map", getegid()) == 0) _exit(0);
    // The tool has left it allowed.
    write_text(request->process, "setgroups", "deny");
    if (write_one(request, request->group_tool, request->group_map, "gid_map", getegid()) < 0) _exit(2);
    _exit(0);
}

static int enter(const struct request *request) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return fail("make a pipe");
    pid_t child = fork();
    if (child < 0) return fail("make a process");
    if (child == 0) {
        char byte;
        close(ends[1]);
        // Nothing to read: the other end was closed without having entered.
        if (read(ends[0], &byte, 1) != 1) _exit(0);
        write_maps(request);
    }
    close(ends[0]);
    int outcome = unshare(CLONE_NEWUSER);
    int saved = errno, status = 0;
    if (outcome == 0 && write(ends[1], "", 1) != 1) outcome = -1;
    close(ends[1]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    errno = saved;
    if (outcome < 0) return fail("make a user namespace");
    errno = EPERM;
    if (status != 0) return fail(WEXITSTATUS(status) == 2 ? "write the map of groups" : "write the map of users");
    if (unshare(CLONE_NEWNS) < 0) return fail("make a mount namespace");
    // What is mounted or unmounted outside is seen inside, and the other way round it is not.
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) return fail("keep mounts apart");
    report.outcome = LINUX_USER_NAMESPACE_ENTERED;
    return 0;
}

// Whether the numbers of users are mapped at all, as in any namespace but the first.
static int is_mapped(void) {
    unsigned int inside = 0, outside = 0, count = 0;
    FILE *map = fopen("/proc/self/uid_map", "re");
    if (!map) return 0;
    int fields = fscanf(map, "%u %u %u", &inside, &outside, &count);
    fclose(map);
    return fields == 3 && !(inside == 0 && outside == 0 && count == 4294967295U);
}

__attribute__((constructor)) static void begin(void) {
    sigprocmask(SIG_SETMASK, NULL, &first_mask);
    // The child of a program that has entered one is in it from the start.
    if (getenv(LINUX_USER_NAMESPACE_INHERITED)) {
        unsetenv(LINUX_USER_NAMESPACE_INHERITED);
        if (is_mapped()) report.outcome = LINUX_USER_NAMESPACE_ENTERED;
        return;
    }
    const char *value = getenv(LINUX_USER_NAMESPACE_VARIABLE);
    if (!value) return;
    char own[16], *rest = strdup(value);
    unsetenv(LINUX_USER_NAMESPACE_VARIABLE);
    snprintf(own, sizeof own, "%d", (int)getpid());
    struct request request = {.process = strsep(&rest, "\n")};
    if (!request.process || strcmp(request.process, own) != 0) return;
    request.user_tool = strsep(&rest, "\n");
    request.group_tool = strsep(&rest, "\n");
    request.user_map = strsep(&rest, "\n");
    request.group_map = strsep(&rest, "\n");
    request.groups = strsep(&rest, "\n");
    errno = EINVAL;
    if (!request.groups) fail("understand its own request");
    else enter(&request);
}

struct linux_user_namespace_report linux_user_namespace_report(void) { return report; }

int linux_execute_again(const char *path, char *const arguments[], char *const environment[]) {
    // That of the thread which calls this may be another one, and would stay.
    pthread_sigmask(SIG_SETMASK, &first_mask, NULL);
    return execve(path, arguments, environment);
}
