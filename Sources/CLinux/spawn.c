// Everything that runs between clone and execve.
//
// The child is made by clone(CLONE_VM | CLONE_VFORK): it uses the caller's memory, on a stack of its own, while the
// calling thread sleeps. No page table is copied, so making it costs the same from a process of any size, and what it
// writes (the failing step, its errno, the mount points it made) the caller just reads. The price: the program has other
// threads, which may hold any lock and go on running, so the child calls the kernel and nothing else. It does not
// allocate, and for everything with a set*id in its name it avoids the C library, which would tell all threads to follow.

#define _GNU_SOURCE
#include "linux_spawn.h"
#include "linux_supervise.h"
#include "spawn_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef KEYCTL_JOIN_SESSION_KEYRING
#define KEYCTL_JOIN_SESSION_KEYRING 1
#endif

enum { GUARD = 64 * 1024, STACK = 256 * 1024 };

struct child {
    const struct linux_spawn_program *program;
    struct linux_spawn_result *result;
    char **arguments;
    char **environment;
    const char *search_path;
    int init_program, init_errors;
    int must_join; // whether the child has to go into its control group by itself
    uint32_t step;
    int slots[LINUX_SPAWN_SLOTS];
};

static const char *text(const struct child *child, const struct linux_spawn_step *step, int index) {
    return step->text[index] ? child->program->texts + step->text[index] : NULL;
}

static int wants_directory(const struct child *child, uint64_t kind) {
    struct stat status;
    if (kind < LINUX_SPAWN_POINT_LIKE_SLOT) return kind == LINUX_SPAWN_POINT_DIRECTORY;
    return fstat(child->slots[kind - LINUX_SPAWN_POINT_LIKE_SLOT], &status) == 0 && S_ISDIR(status.st_mode);
}

static int write_all(int fd, const char *bytes, size_t count) {
    while (count) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno != EINTR) return -1;
        if (written > 0) bytes += written, count -= (size_t)written;
    }
    return 0;
}

static int make_file(const char *path, const char *bytes, const uint64_t number[3]) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    int failed = write_all(fd, bytes, number[0]) < 0
        || syscall(SYS_fchown, fd, (uid_t)(number[2] >> 32), (gid_t)number[2]) < 0
        || fchmod(fd, (mode_t)number[1]) < 0;
    close(fd);
    return failed ? -1 : 0;
}

static int write_file(const char *path, const char *bytes, size_t count) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    // One write: the files meant are interfaces of the kernel, which take a value whole.
    ssize_t written = write(fd, bytes, count);
    int saved = errno;
    close(fd);
    errno = saved;
    return written < 0 ? -1 : 0;
}

static int keep(struct child *child, uint64_t slot, long fd) {
    if (fd < 0) return -1;
    if (slot >= LINUX_SPAWN_SLOTS) return errno = EINVAL, -1;
    child->slots[slot] = (int)fd;
    return 0;
}

// A detached copy of the mount at `path`, to be attached where the old root can no longer be reached. With a root, the
// path is resolved inside it, as its own symbolic links mean it.
static int open_tree_into(struct child *child, const char *root, const char *path, uint64_t slot, int is_recursive) {
    if (!root) {
        unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (is_recursive ? AT_RECURSIVE : 0);
        return keep(child, slot, syscall(SYS_open_tree, AT_FDCWD, path, flags));
    }
    int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0) return -1;
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    // EAGAIN: something was renamed or mounted somewhere while `..` was followed, so the kernel could not be sure.
    long fd;
    for (int tries = 0; (fd = syscall(SYS_openat2, root_fd, path, &how, sizeof how)) < 0; tries++)
        if (errno != EAGAIN || tries == 1000) return -1;
    return keep(child, slot, syscall(SYS_open_tree, fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

// A new file system in memory, with the permissions of the directory that it hides.
static int mount_temporary(struct child *child, const char *path, const char *data, const struct linux_spawn_step *step) {
    char options[128];
    struct stat status;
    mode_t mode = stat(path, &status) == 0 ? status.st_mode & 07777 : 01777;
    if (linux_make_point(child->result, path, 1, step, 8) < 0) return -1;
    // Not printf, which may take a lock.
    size_t length = data ? strlen(data) : 0;
    if (length > sizeof options - 16) return errno = E2BIG, -1;
    memcpy(options, data ? data : "", length);
    strcpy(options + length, length ? ",mode=" : "mode=");
    length = strlen(options);
    for (int shift = 9; shift >= 0; shift -= 3) options[length++] = (char)('0' + (mode >> shift & 7));
    options[length] = 0;
    return mount("tmpfs", path, "tmpfs", step->number[0], options);
}

static int enter_namespace(const char *path, int kind) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    int outcome = setns(fd, kind);
    close(fd);
    return outcome;
}

static int loopback_up(void) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int outcome = ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
    return outcome;
}

// The signal comes when the thread that made this process ends. If that has ended before, no signal comes, but then the
// other end of standard output is closed too.
static int die_with_parent(const struct child *child, int signal) {
    if (prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) < 0) return -1;
    struct pollfd output = {.fd = child->program->stdio[1], .events = 0};
    if (output.fd >= 0 && poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP))) return errno = EPIPE, -1;
    return 0;
}

static int place_stdio(const int stdio[3], uid_t owner) {
    int high[3];
    // Out of the way first: one of the three may itself be 0, 1 or 2.
    for (int i = 0; i < 3; i++)
        if ((high[i] = fcntl(stdio[i], F_DUPFD_CLOEXEC, 3)) < 0) return -1;
    for (int i = 0; i < 3; i++)
        if (dup2(high[i], i) < 0 || syscall(SYS_fchown, i, owner, (gid_t)-1) < 0) return -1;
    return 0;
}

static int place_inherited(int inherited, int number) {
    // To itself, dup2 changes nothing: it would be closed on execve.
    if (inherited == number) return fcntl(inherited, F_SETFD, 0);
    return dup2(inherited, number) < 0 ? -1 : 0;
}

// With `is_ceiling`, values above the present hard limit become that: raising it takes CAP_SYS_RESOURCE.
static int limit_resource(uint64_t resource, uint64_t soft, uint64_t hard, int is_ceiling) {
    struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard}, present;
    if (is_ceiling) {
        if (getrlimit((__rlimit_resource_t)resource, &present) < 0) return -1;
        if (limit.rlim_max > present.rlim_max) limit.rlim_max = present.rlim_max;
        if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    }
    return setrlimit((__rlimit_resource_t)resource, &limit);
}

// Whether a file, or the interpreter that its first line names, is reached through a magic link. /proc/self/exe would
// execute this very program, with libraries of the image, and leave it open to be overwritten.
static int is_magic(const char *path, int depth) {
    char line[256];
    int fd = linux_open_plain(path, 0);
    struct stat status;
    // Links that only lead to each other give the same error, but lead nowhere.
    if (fd < 0) return errno == ELOOP && stat(path, &status) == 0;
    close(fd);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t count = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    if (fd >= 0) close(fd);
    if (count < 2 || line[0] != '#' || line[1] != '!' || depth == 0) return 0;
    line[count] = 0;
    char *name = line + 2 + strspn(line + 2, " \t");
    name[strcspn(name, " \t\n")] = 0;
    return *name && is_magic(name, depth - 1);
}

// Returns only if it fails. A missing interpreter gives the same ENOENT as a missing file, so the file is looked for.
static void execute_file(struct child *child, const char *path) {
    // The kernel follows four interpreters of interpreters.
    if (is_magic(path, 5)) {
        errno = EACCES;
        return;
    }
    execve(path, child->arguments, child->environment);
    // A program that was unpacked a moment ago may still be open for writing in the child of another sandbox, which has
    // inherited the descriptor and is about to close it.
    struct timespec pause = {.tv_nsec = 5000000};
    for (int attempt = 0; errno == ETXTBSY && attempt < 200; attempt++) {
        nanosleep(&pause, NULL);
        execve(path, child->arguments, child->environment);
    }
    int saved = errno;
    if (saved == ENOENT && access(path, F_OK) == 0) child->result->interpreter_missing = 1;
    errno = saved;
}

static int execute(struct child *child) {
    if (!child->arguments[child->program->has_init ? 2 : 0]) return errno = ENOENT, -1;
    if (child->program->has_init) return linux_execute_init(child->arguments, child->environment, child->search_path);
    char path[PATH_MAX];
    if (linux_find_command(child->arguments[0], child->search_path, path) < 0) return -1;
    execute_file(child, path);
    return -1;
}

static int perform(struct child *child, const struct linux_spawn_step *step) {
    const char *a = text(child, step, 0), *b = text(child, step, 1), *c = text(child, step, 2);
    const uint64_t *number = step->number;
    int *slots = child->slots;
    // Without a default, so that the compiler names an operation that is missing here.
    switch ((enum linux_spawn_operation)step->operation) {
    case LINUX_SPAWN_MOUNT: return mount(a, b, c, number[0], text(child, step, 3));
    case LINUX_SPAWN_TEMPORARY: return mount_temporary(child, a, b, step);
    case LINUX_SPAWN_REMOUNT: return linux_remount(a, number[0]);
    case LINUX_SPAWN_RESTRICT_TREE: return linux_restrict_tree(a, number[0]);
    case LINUX_SPAWN_MAKE_DIRECTORY: return mkdir(a, (mode_t)number[0]) < 0 && errno != EEXIST ? -1 : 0;
    case LINUX_SPAWN_MAKE_FILE: return make_file(a, b, number);
    case LINUX_SPAWN_MAKE_POINT: return linux_make_point(child->result, a, wants_directory(child, number[0]), step, 8);
    case LINUX_SPAWN_WRITE: return write_file(a, b, number[0]);
    case LINUX_SPAWN_SYMLINK: return symlink(a, b);
    case LINUX_SPAWN_OPEN_TREE: return open_tree_into(child, a, b, number[0], number[1] != 0);
    case LINUX_SPAWN_MOVE_MOUNT:
        return (int)syscall(SYS_move_mount, slots[number[0]], "", AT_FDCWD, a, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
    case LINUX_SPAWN_FS_OPEN: return keep(child, number[0], syscall(SYS_fsopen, a, FSOPEN_CLOEXEC));
    case LINUX_SPAWN_FS_STRING:
        return (int)syscall(SYS_fsconfig, slots[number[0]], b ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, a, b, 0);
    case LINUX_SPAWN_FS_MOUNT:
        if (syscall(SYS_fsconfig, slots[number[0]], FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) return -1;
        return keep(child, number[0], syscall(SYS_fsmount, slots[number[0]], FSMOUNT_CLOEXEC, number[1]));
    case LINUX_SPAWN_TAKE_INHERITED: return keep(child, number[0], child->program->inherited);
    case LINUX_SPAWN_PLACE_INHERITED: return place_inherited(child->program->inherited, (int)number[0]);
    case LINUX_SPAWN_PIVOT: return linux_pivot(a);
    case LINUX_SPAWN_CHDIR: return linux_enter_directory(a);
    case LINUX_SPAWN_CHROOT: return chroot(a);
    case LINUX_SPAWN_MASK: return linux_mask(a);
    case LINUX_SPAWN_READ_ONLY: return linux_read_only(a);
    case LINUX_SPAWN_SETNS: return enter_namespace(a, (int)number[0]);
    case LINUX_SPAWN_JOIN_USER: return setns(child->program->user_namespace, CLONE_NEWUSER);
    case LINUX_SPAWN_UNSHARE: return unshare((int)number[0]);
    case LINUX_SPAWN_HOSTNAME: return sethostname(a, strlen(a));
    case LINUX_SPAWN_LOOPBACK: return loopback_up();
    case LINUX_SPAWN_RLIMIT: return limit_resource(number[0], number[1], number[2], 0);
    case LINUX_SPAWN_LOWER_LIMIT: return limit_resource(number[0], number[1], number[2], 1);
    case LINUX_SPAWN_PRCTL: return prctl((int)number[0], number[1], 0, 0, 0);
    case LINUX_SPAWN_PARENT_DEATH: return die_with_parent(child, (int)number[0]);
    case LINUX_SPAWN_KEYRING: return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0 ? -1 : 0;
    case LINUX_SPAWN_BOUNDING: return linux_limit_bounding_set(number[0]);
    case LINUX_SPAWN_CAPABILITIES: return linux_set_capabilities(number[0], number[1]);
    case LINUX_SPAWN_GROUPS: return (int)syscall(SYS_setgroups, number[0], a);
    case LINUX_SPAWN_IDENTITY: return linux_set_identity((uid_t)number[0], (gid_t)number[1]);
    case LINUX_SPAWN_STDIO: return place_stdio(child->program->stdio, (uid_t)number[0]);
    case LINUX_SPAWN_CLOSE_FROM: return (int)syscall(SYS_close_range, number[0], ~0U, 0);
    case LINUX_SPAWN_SETSID: return setsid() < 0 ? -1 : 0;
    case LINUX_SPAWN_TERMINAL: 
        return linux_open_terminal(child->program->terminal, (uid_t)number[0], (int)number[1], (uint32_t)number[2]);
    case LINUX_SPAWN_INIT: return linux_place_init(child->init_program, child->init_errors);
    case LINUX_SPAWN_UMASK: return umask((mode_t)number[0]), 0;
    case LINUX_SPAWN_LANDLOCK: return linux_confine(a, number[0], number[1]);
    case LINUX_SPAWN_SECCOMP: return linux_install_filter(a, number[0], number[1]);
    case LINUX_SPAWN_EXECUTE: return execute(child);
    case LINUX_SPAWN_OPERATIONS: break;
    }
    return errno = EINVAL, -1;
}

static int tolerated(uint32_t tolerance, int error) {
    if (tolerance == LINUX_SPAWN_MAY_BE_MISSING) return error == ENOENT || error == ENOTDIR;
    return tolerance == LINUX_SPAWN_MAY_FAIL;
}

// Closes the builder's descriptors but those this child is for: while the sandbox is made, /proc/self/fd must lead nowhere.
static void close_inherited(const void *argument, int also_kept) {
    const struct child *child = argument;
    const int *stdio = child->program->stdio;
    const struct linux_spawn_program *program = child->program;
    const int kept[] = {
        stdio[0], stdio[1], stdio[2], program->terminal, program->inherited, child->init_program, child->init_errors,
        also_kept, program->user_namespace,
    };
    unsigned int first = 0;
    for (;;) {
        // The least of those to keep, from `first` on; -1 is none and the greatest.
        unsigned int next = ~0U;
        for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
            if ((unsigned int)kept[i] >= first && (unsigned int)kept[i] < next) next = (unsigned int)kept[i];
        if (next > first) syscall(SYS_close_range, first, next == ~0U ? ~0U : next - 1, 0);
        if (next == ~0U) return;
        first = next + 1;
    }
}

static int child_main(void *argument) {
    struct child *child = argument;
    // The child has its own copy of the dispositions. An ignored signal stays ignored across execve, a handler of the
    // program must never run here. The C library would leave out two signals it uses itself; to the kernel, zeros are the
    // default action.
    static const uint64_t default_action[8];
    for (int signal = 1; signal <= SIGRTMAX; signal++)
        syscall(SYS_rt_sigaction, signal, default_action, NULL, sizeof(uint64_t));
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    const struct linux_spawn_program *program = child->program;
    if (child->must_join && linux_join_group(program->control_group) < 0)
        child->result->error = errno ? errno : EIO, _exit(127);
    close_inherited(child, -1);
    for (child->step = 0; child->step < program->step_count; child->step++) {
        const struct linux_spawn_step *step = &program->steps[child->step];
        if (perform(child, step) == 0 || tolerated(step->tolerance, errno)) continue;
        child->result->error = errno ? errno : EIO;
        child->result->failed_step = child->step;
        _exit(127);
    }
    _exit(0);
}

// `gap` is how many places in front are left free.
static char **pointers(const struct linux_spawn_program *program, const uint32_t *offsets, size_t count, size_t gap) {
    char **array = calloc(gap + count + 1, sizeof *array);
    for (size_t i = 0; array && i < count; i++) array[gap + i] = (char *)(uintptr_t)(program->texts + offsets[i]);
    return array;
}

static const char *search_path(char **environment) {
    for (; *environment; environment++)
        if (strncmp(*environment, "PATH=", 5) == 0) return *environment + 5;
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

// Returns the child, or -1 with the reason in the result, which also says whether a step failed.
static pid_t start(void *argument) {
    struct child *child = argument;
    struct linux_spawn_result *result = child->result;
    char *stack = (char *)result->memory + GUARD, *stack_top = stack + STACK;
    int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | (int)child->program->clone_flags;
    int group = child->program->control_group;
    pid_t pid = group < 0
        ? 0 : linux_clone_into_group(group, (uint32_t)flags, stack, STACK, child_main, child, &result->pidfd);
    child->must_join = group >= 0 && pid == 0;
    if (pid == 0) pid = clone(child_main, stack_top, flags, child, &result->pidfd, NULL, NULL);
    if (pid < 0) return result->error = errno, result->pidfd = -1, -1;
    return pid;
}

static int run(struct child *child, struct linux_spawn_result *result) {
    sigset_t all, previous;
    sigfillset(&all);
    // Blocked until the child has its own dispositions: a handler must not run twice, on memory shared by two processes.
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    // A change of user marks the memory as not dumpable, and it is this process's memory too.
    int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    pid_t pid = child->program->is_supervised ? linux_supervise(start, close_inherited, child, result) : start(child);
    if (dumpable == 1) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    if (pid < 0) return -1;
    result->pid = pid;
    if (result->error == 0) return 0;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    close(result->pidfd);
    result->pidfd = -1;
    return -1;
}

struct joining {
    struct child *child;
    struct linux_spawn_result *result;
    int outcome;
};

static void *run_joining(void *argument) {
    struct joining *joining = argument;
    if (enter_namespace(joining->child->program->process_namespace, CLONE_NEWPID) < 0)
        joining->result->error = errno;
    else
        joining->outcome = run(joining->child, joining->result);
    return NULL;
}

// A PID namespace is entered by the children of a thread, which may not be able to go back and can make no threads then.
// So it is a thread of its own, which ends when the child runs.
static int run_in_process_namespace(struct child *child, struct linux_spawn_result *result) {
    struct joining joining = {.child = child, .result = result, .outcome = -1};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run_joining, &joining);
    if (error) return result->error = error, -1;
    pthread_join(thread, NULL);
    return joining.outcome;
}

// The init program runs, but not yet the command: what became of that comes through the pipe, or its end does.
static int await_command(struct linux_spawn_result *result, const struct linux_spawn_program *program, int errors) {
    int error = 0;
    ssize_t count;
    while ((count = read(errors, &error, sizeof error)) < 0 && errno == EINTR) {}
    if (count != (ssize_t)sizeof error) return 0;
    result->error = error;
    result->failed_step = (int64_t)program->step_count - 1;
    // The file was found before; so what is missing is what it names.
    result->interpreter_missing = error == ENOENT;
    while (waitpid(result->pid, NULL, 0) < 0 && errno == EINTR) {}
    close(result->pidfd);
    result->pidfd = -1;
    return -1;
}

static int run_below_init(struct child *child, struct linux_spawn_result *result) {
    int errors[2];
    child->init_program = linux_init_program();
    if (child->init_program < 0 || pipe2(errors, O_CLOEXEC) < 0) return result->error = errno, -1;
    child->init_errors = errors[1];
    int outcome = run(child, result);
    close(errors[1]);
    if (outcome == 0) outcome = await_command(result, child->program, errors[0]);
    close(errors[0]);
    return outcome;
}

int linux_spawn(const struct linux_spawn_program *program, struct linux_spawn_result *result) {
    size_t made_size = LINUX_SPAWN_MADE_MAX * sizeof(struct linux_spawn_made);
    *result = (struct linux_spawn_result){.pid = -1, .pidfd = -1, .failed_step = -1};
    if (linux_check_steps(program, result) < 0) return -1;
    result->memory_size = GUARD + STACK + made_size + LINUX_SPAWN_PATHS_MAX;
    result->memory = mmap(NULL, result->memory_size, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (result->memory == MAP_FAILED) return result->memory = NULL, result->error = errno, -1;
    mprotect(result->memory, GUARD, PROT_NONE);
    char *after_stack = (char *)result->memory + GUARD + STACK;
    result->made = (struct linux_spawn_made *)(void *)after_stack;
    result->paths = after_stack + made_size;

    struct child child = {.program = program, .result = result, .init_program = -1, .init_errors = -1};
    child.arguments = pointers(program, program->arguments, program->argument_count, program->has_init ? 2 : 0);
    child.environment = pointers(program, program->environment, program->environment_count, 0);
    int outcome = -1;
    if (child.arguments && child.environment) {
        child.search_path = search_path(child.environment);
        outcome = (program->has_init ? run_below_init : program->process_namespace ? run_in_process_namespace : run)(
            &child, result);
    } else {
        result->error = ENOMEM;
    }
    free(child.arguments);
    free(child.environment);
    return outcome;
}

void linux_spawn_release(struct linux_spawn_result *result) {
    if (result->memory) munmap(result->memory, result->memory_size);
    result->memory = NULL;
    result->made = NULL;
}

int linux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int linux_pidfd_signal(int pidfd, int signal) { return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0); }
