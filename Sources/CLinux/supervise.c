// Where a sandbox has no process namespace, nothing dies with its first process. So that process gets a supervisor: a
// fork of this program that is the "subreaper" of all that descends from it, waits for it, and then ends what is left.
// It also does so when this program is gone. Should it be killed itself, this program is the next subreaper. A fork of a program with threads may only call the kernel; see spawn.c.

#define _GNU_SOURCE
#include "linux_supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// What a supervisor and the program that made it both see.
struct linux_supervision {
    int error; // of starting the command, with the step and the reason as in linux_spawn_result
    int64_t failed_step;
    int interpreter_missing;
    int has_ended;
    int status; // of the command as wait4(2) has it, once it has ended
    int is_complete; // all that descended from the command is gone
};

struct entry { // of getdents64(2)
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

// Field 4 of /proc/PID/stat, counted from the end of the command's name, which may hold anything.
static pid_t parent_of(int proc, const char *pid) {
    char path[32], content[512];
    if (strlen(pid) > 10) return -1;
    strcat(strcpy(path, pid), "/stat");
    int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t count = read(fd, content, sizeof content - 1);
    close(fd);
    if (count <= 0) return -1;
    content[count] = 0;
    const char *end = strrchr(content, ')');
    if (!end || strlen(end) < 5) return -1;
    pid_t parent = 0;
    for (const char *digit = end + 4; *digit >= '0' && *digit <= '9'; digit++) parent = parent * 10 + (*digit - '0');
    return parent;
}

// Sends SIGKILL to all children, and says how many there are.
static int kill_children(int proc) {
    char buffer[8192];
    pid_t self = (pid_t)syscall(SYS_getpid);
    int found = 0;
    long count;
    if (proc < 0 || lseek(proc, 0, SEEK_SET) < 0) return 0;
    while ((count = syscall(SYS_getdents64, proc, buffer, sizeof buffer)) > 0) {
        const struct entry *entry;
        for (long at = 0; at < count; at += entry->length) {
            entry = (const struct entry *)(const void *)(buffer + at);
            pid_t pid = 0;
            const char *digit = entry->name;
            while (*digit >= '0' && *digit <= '9') pid = pid * 10 + (*digit++ - '0');
            if (*digit || pid <= 1 || parent_of(proc, entry->name) != self) continue;
            kill(pid, SIGKILL);
            found++;
        }
    }
    return found;
}

static pid_t reap(struct linux_supervision *supervision, pid_t command, int options) {
    int status;
    pid_t pid = waitpid(-1, &status, __WALL | options);
    if (pid > 0 && pid == command) {
        supervision->status = status;
        supervision->has_ended = 1;
    }
    return pid;
}

// What a child leaves behind when it is killed becomes a child in its turn, until there is none.
static void end_all(struct linux_supervision *supervision, pid_t command) {
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0 && command > 0) kill(-command, SIGKILL);
    for (;;) {
        int found = kill_children(proc);
        pid_t pid = reap(supervision, command, found ? 0 : WNOHANG);
        if (pid < 0 && errno == ECHILD) {
            supervision->is_complete = 1;
            return;
        }
        if (pid == 0) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        while (reap(supervision, command, WNOHANG) > 0) {}
    }
}

static __attribute__((noreturn)) void supervise(struct linux_supervision *supervision, const int ready[2],
    pid_t (*start)(void *), void (*close_others)(const void *, int), void *argument,
    struct linux_spawn_result *result) {
    struct pollfd builder = {.fd = ready[1], .events = 0};
    close_others(argument, ready[1]);
    // The signal comes when the thread that made this process ends. If it already has, the pipe has no reader.
    prctl(PR_SET_PDEATHSIG, LINUX_SUPERVISE_END, 0, 0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (poll(&builder, 1, 0) == 1 && (builder.revents & POLLERR)) _exit(0);
    // Out of reach of what is sent to the builder's process group: this one has to outlive it.
    setsid();
    pid_t command = start(argument);
    supervision->error = result->error;
    supervision->failed_step = result->failed_step;
    supervision->interpreter_missing = result->interpreter_missing;
    int runs = write(ready[1], "", 1) == 1 && !result->error;
    // The outputs among them: their reader waits until they are closed everywhere.
    syscall(SYS_close_range, 0, ~0U, 0);
    sigset_t all;
    sigfillset(&all);
    while (runs && !supervision->has_ended) {
        // All signals are blocked, so one that came before is still there.
        int signal = sigwaitinfo(&all, NULL);
        while (reap(supervision, command, WNOHANG) > 0) {}
        if (signal == LINUX_SUPERVISE_END) break;
        if (signal > 0 && signal != SIGCHLD && !supervision->has_ended) kill(command, signal);
    }
    end_all(supervision, command);
    _exit(0);
}

pid_t linux_supervise(pid_t (*start)(void *), void (*close_others)(const void *, int), void *argument,
    struct linux_spawn_result *result) {
    struct linux_supervision *supervision =
        mmap(NULL, sizeof *supervision, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (supervision == MAP_FAILED) return result->error = errno, -1;
    result->supervision = supervision;
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) < 0) return result->error = errno, -1;
    // Where a command kills its supervisor, what it leaves becomes a child of this program, which can end it.
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &result->pidfd, 0, 0);
    if (pid == 0) supervise(supervision, ready, start, close_others, argument, result);
    result->error = pid < 0 ? errno : 0;
    close(ready[1]);
    char byte;
    ssize_t count = 0;
    while (pid > 0 && (count = read(ready[0], &byte, 1)) < 0 && errno == EINTR) {}
    close(ready[0]);
    if (pid < 0) return result->pidfd = -1, -1;
    result->error = count == 1 ? supervision->error : ECHILD;
    if (count == 1) {
        result->failed_step = supervision->failed_step;
        result->interpreter_missing = supervision->interpreter_missing;
    }
    return pid;
}

int linux_supervision_status(const struct linux_supervision *supervision, int *status) {
    *status = supervision->status;
    return supervision->has_ended;
}

int linux_supervision_is_complete(const struct linux_supervision *supervision) { return supervision->is_complete; }

void linux_supervision_release(struct linux_supervision *supervision) {
    if (supervision) munmap(supervision, sizeof *supervision);
}
