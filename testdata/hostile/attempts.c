// Attempts to get out of a sandbox, or to change what is outside. Each prints its name and how it ended: the name of an
// error, or what it achieved. Compiled statically, so that it runs in any image.
//
// Usage: attempts [PID-OUTSIDE [ABSTRACT-SOCKET [PID-OF-USER-65534]]]

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int outside, outside_nobody;
static const char *abstract_name;

static long mount_tmpfs(void) { return mount("x", "/tmp", "tmpfs", 0, NULL); }
static long mount_bind(void) { return mount("/proc", "/tmp", NULL, MS_BIND | MS_REC, NULL); }
static long mount_proc(void) { return mount("proc", "/tmp", "proc", 0, NULL); }
static long mount_cgroup(void) { return mount("x", "/tmp", "cgroup", 0, "memory"); }
static long mount_overlay(void) { return mount("x", "/tmp", "overlay", 0, "lowerdir=/etc,upperdir=/a,workdir=/b"); }
static long remount_sys(void) { return mount(NULL, "/sys", NULL, MS_REMOUNT | MS_BIND, NULL); }
static long remount_proc_sys(void) { return mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL); }
static long remount_root_dev(void) { return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL); }
static long unmount_mask(void) { return umount2("/proc/kcore", MNT_DETACH); }
static long unmount_proc_sys(void) { return umount2("/proc/sys", MNT_DETACH); }
static long new_root(void) { return syscall(SYS_pivot_root, "/tmp", "/tmp"); }
static long fs_open(void) { return syscall(SYS_fsopen, "tmpfs", 0); }
static long fs_pick(void) { return syscall(SYS_fspick, AT_FDCWD, "/", 0); }
static long tree_open(void) { return syscall(SYS_open_tree, AT_FDCWD, "/", 1); }
static long mount_move(void) { return syscall(SYS_move_mount, AT_FDCWD, "/proc", AT_FDCWD, "/tmp", 0); }
static long mount_attributes(void) { return syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, "\0\0\0\0\0\0\0\0", 32); }
static long unshare_user(void) { return unshare(CLONE_NEWUSER); }
static long unshare_mount(void) { return unshare(CLONE_NEWNS); }
static long unshare_cgroup(void) { return unshare(CLONE_NEWCGROUP); }
static long clone_user(void) { return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0); }
static long clone_network(void) { return syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0); }
static long clone_three(void) {
    static unsigned long arguments[11] = {CLONE_NEWUSER};
    return syscall(SYS_clone3, arguments, sizeof arguments);
}
static long set_namespace(void) { return setns(open("/proc/self/ns/mnt", O_RDONLY), 0); }
static long module_init(void) { return syscall(SYS_init_module, "", 0, ""); }
static long module_file(void) { return syscall(SYS_finit_module, 0, "", 0); }
static long module_delete(void) { return syscall(SYS_delete_module, "overlay", 0); }
static long kexec(void) { return syscall(SYS_kexec_load, 0, 0, 0, 0); }
static long kexec_file(void) { return syscall(SYS_kexec_file_load, 0, 0, 0, "", 0); }
static long restart(void) { return reboot(0x01234567); }
static long swap_on(void) { return swapon("/etc/passwd", 0); }
static long bpf_load(void) { return syscall(SYS_bpf, 5, "", 0); }
static long perf_open(void) { return syscall(SYS_perf_event_open, "", 0, -1, -1, 0); }
static long fault_descriptor(void) { return syscall(SYS_userfaultfd, 0); }
static long ring_setup(void) { return syscall(SYS_io_uring_setup, 1, (char[128]){0}); }
static long ring_enter(void) { return syscall(SYS_io_uring_enter, 0, 0, 0, 0, 0, 0); }
static long ring_register(void) { return syscall(SYS_io_uring_register, 0, 0, 0, 0); }
static long key_add(void) { return syscall(SYS_add_key, "user", "lamina-test", "x", 1, -4); }
static long key_request(void) { return syscall(SYS_request_key, "user", "lamina-test", 0, -4); }
static long key_control(void) { return syscall(SYS_keyctl, 0, -4, 0, 0, 0); }
static long handle_open(void) { return syscall(SYS_open_by_handle_at, AT_FDCWD, "\10\0\0\0\1\0\0\0", 0); }
static long fanotify(void) { return syscall(SYS_fanotify_init, 0, 0); }
static long quota(void) { return syscall(SYS_quotactl, 0, "/dev/x", 0, 0); }
static long accounting(void) { return acct("/tmp/x"); }
static long kernel_log(void) { return syscall(SYS_syslog, 3, (char[64]){0}, 64); }
static long time_set(void) { return settimeofday(&(struct timeval){.tv_sec = 1}, NULL); }
static long clock_set(void) { return syscall(SYS_clock_settime, 0, &(struct timespec){.tv_sec = 1}); }
static long clock_adjust(void) { return adjtimex(&(struct timex){.modes = ADJ_TICK, .tick = 10000}); }
static long host_name(void) { return sethostname("x", 1); }
static long domain_name(void) { return setdomainname("x", 1); }
static long hang_up(void) { return vhangup(); }
static long page_policy(void) { return syscall(SYS_mbind, 0, 0, 0, 0, 0, 0); }
static long pages_move(void) { return syscall(SYS_move_pages, 0, 0, 0, 0, 0, 0); }
static long personality_odd(void) { return syscall(SYS_personality, 0x0040000); }
static long crypto_socket(void) { return socket(AF_ALG, SOCK_SEQPACKET, 0); }
static long machine_socket(void) { return socket(40, SOCK_STREAM, 0); }
static long process_compare(void) { return syscall(SYS_kcmp, 1, 1, 0, 0, 0); }
static long descriptor_take(void) { return syscall(SYS_pidfd_getfd, 0, 0, 0); }

static long node(const char *path, mode_t kind, int major, int minor) {
    unlink(path);
    if (mknod(path, kind | 0666, makedev(major, minor)) < 0) return -1;
    int fd = open(path, O_RDWR), error = errno;
    unlink(path);
    return errno = error, fd;
}
static long node_disk(void) { return node("/x", S_IFBLK, 254, 0); }
static long node_disk_in_dev(void) { return node("/dev/x", S_IFBLK, 8, 0); }
static long node_disk_in_shm(void) { return node("/dev/shm/x", S_IFBLK, 254, 0); }
static long node_memory(void) { return node("/x", S_IFCHR, 1, 1); }
static long node_port(void) { return node("/tmp/x", S_IFCHR, 1, 4); }
static long node_console(void) { return node("/x", S_IFCHR, 5, 1); }
static long node_fuse(void) { return node("/x", S_IFCHR, 10, 229); }

static long kill_outside(void) { return kill(outside, SIGKILL); }
static long trace_outside(void) { return ptrace(PTRACE_ATTACH, outside, 0, 0); }
// As a user whom a process outside has, too.
static long trace_same_user(void) {
    if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0) return -1;
    return ptrace(PTRACE_ATTACH, outside_nobody, 0, 0);
}
static long read_outside(void) {
    struct iovec part = {.iov_base = &part, .iov_len = 1};
    return process_vm_readv(outside, &part, 1, &part, 1, 0);
}
static long pidfd_outside(void) { return syscall(SYS_pidfd_open, outside, 0); }
static long limit_outside(void) { return syscall(SYS_prlimit64, outside, 0, 0, (char[16]){0}); }
static long priority_outside(void) { return setpriority(PRIO_PROCESS, outside, 10); }

static long put(const char *path) {
    int fd = open(path, O_WRONLY);
    return fd < 0 ? -1 : write(fd, "|/x", 3);
}
static long core_pattern(void) { return put("/proc/sys/kernel/core_pattern"); }
static long module_helper(void) { return put("/proc/sys/kernel/modprobe"); }
static long hot_plug(void) { return put("/proc/sys/kernel/hotplug") < 0 && errno == ENOENT ? (errno = EROFS, -1) : put("/proc/sys/kernel/hotplug"); }
static long system_request(void) { return put("/proc/sysrq-trigger"); }
static long misc_register(void) { return put("/proc/sys/kernel/randomize_va_space"); }
static long interrupts(void) { return put("/proc/irq/default_smp_affinity"); }
static long event_helper(void) { return put("/sys/kernel/uevent_helper"); }
static long power_state(void) { return put("/sys/power/state"); }
static long release_agent(void) { return put("/sys/fs/cgroup/memory/release_agent"); }
static long kernel_messages(void) { return open("/proc/kmsg", O_RDONLY); }
static long own_program(void) { return open("/proc/self/exe", O_WRONLY); }
static long lower_oom_score(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY);
    return write(fd, "-1000", 5);
}
static long raise_limit(void) {
    struct { unsigned long soft, hard; } limit = {1UL << 40, 1UL << 40};
    return syscall(SYS_prlimit64, 0, 7, &limit, 0);
}
static long nice_up(void) { return setpriority(PRIO_PROCESS, 0, -20); }

static long abstract_socket(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(abstract_name);
    memcpy(address.sun_path + 1, abstract_name, length);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return connect(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

// A root below the root, left by a directory kept open: it leads to the sandbox's own root and no further.
static long root_escape(void) {
    struct stat before, after;
    int here = open("/", O_RDONLY | O_DIRECTORY);
    fstat(here, &before);
    mkdir("/tmp/inner", 0755);
    if (chroot("/tmp/inner") < 0 || fchdir(here) < 0) return -1;
    for (int i = 0; i < 64; i++)
        if (chdir("..") < 0) return -1;
    stat(".", &after);
    if (before.st_dev == after.st_dev && before.st_ino == after.st_ino) return errno = EXDEV, -1;
    return 0;
}

// A call by its number for programs of 32 bits, where the same number is another call.
static long old_interface(void) {
#ifdef __x86_64__
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(21), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0) : "memory");
    return result < 0 ? (errno = (int)-result, -1) : 0;
#else
    return errno = EPERM, -1;
#endif
}

// Whoever may install filters could get rid of one that was there: filters add up, so the first still counts.
static long filter_over(void) {
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = 1, .filter = &allow};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) return -1;
    return unshare(CLONE_NEWUSER);
}

#define ATTEMPT(name) {#name, name}
static const struct { const char *name; long (*try)(void); } attempts[] = {
    ATTEMPT(mount_tmpfs), ATTEMPT(mount_bind), ATTEMPT(mount_proc), ATTEMPT(mount_cgroup), ATTEMPT(mount_overlay),
    ATTEMPT(remount_sys), ATTEMPT(remount_proc_sys), ATTEMPT(remount_root_dev), ATTEMPT(unmount_mask),
    ATTEMPT(unmount_proc_sys), ATTEMPT(new_root), ATTEMPT(fs_open), ATTEMPT(fs_pick), ATTEMPT(tree_open),
    ATTEMPT(mount_move), ATTEMPT(mount_attributes), ATTEMPT(unshare_user), ATTEMPT(unshare_mount),
    ATTEMPT(unshare_cgroup), ATTEMPT(clone_user), ATTEMPT(clone_network), ATTEMPT(clone_three), ATTEMPT(set_namespace),
    ATTEMPT(module_init), ATTEMPT(module_file), ATTEMPT(module_delete), ATTEMPT(kexec), ATTEMPT(kexec_file),
    ATTEMPT(restart), ATTEMPT(swap_on), ATTEMPT(bpf_load), ATTEMPT(perf_open), ATTEMPT(fault_descriptor),
    ATTEMPT(ring_setup), ATTEMPT(ring_enter), ATTEMPT(ring_register), ATTEMPT(key_add), ATTEMPT(key_request),
    ATTEMPT(key_control), ATTEMPT(handle_open), ATTEMPT(fanotify), ATTEMPT(quota), ATTEMPT(accounting),
    ATTEMPT(kernel_log), ATTEMPT(time_set), ATTEMPT(clock_set), ATTEMPT(clock_adjust), ATTEMPT(host_name),
    ATTEMPT(domain_name), ATTEMPT(hang_up), ATTEMPT(page_policy), ATTEMPT(pages_move), ATTEMPT(personality_odd),
    ATTEMPT(crypto_socket), ATTEMPT(machine_socket), ATTEMPT(process_compare), ATTEMPT(descriptor_take),
    ATTEMPT(node_disk), ATTEMPT(node_disk_in_dev), ATTEMPT(node_disk_in_shm), ATTEMPT(node_memory), ATTEMPT(node_port),
    ATTEMPT(node_console), ATTEMPT(node_fuse), ATTEMPT(kill_outside), ATTEMPT(trace_outside), ATTEMPT(read_outside),
    ATTEMPT(trace_same_user),
    ATTEMPT(pidfd_outside), ATTEMPT(limit_outside), ATTEMPT(priority_outside), ATTEMPT(core_pattern),
    ATTEMPT(module_helper), ATTEMPT(hot_plug), ATTEMPT(system_request), ATTEMPT(misc_register), ATTEMPT(interrupts),
    ATTEMPT(event_helper), ATTEMPT(power_state), ATTEMPT(release_agent), ATTEMPT(kernel_messages), ATTEMPT(own_program),
    ATTEMPT(lower_oom_score), ATTEMPT(raise_limit), ATTEMPT(nice_up), ATTEMPT(abstract_socket), ATTEMPT(root_escape),
    ATTEMPT(old_interface), ATTEMPT(filter_over),
};

int main(int count, char **arguments) {
    outside = count > 1 ? atoi(arguments[1]) : 999999;
    outside_nobody = count > 3 ? atoi(arguments[3]) : 999999;
    abstract_name = count > 2 ? arguments[2] : "lamina-nobody";
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(10);
            errno = 0;
            long result = attempts[i].try();
            if (result >= 0) printf("%s done\n", attempts[i].name);
            else printf("%s %s\n", attempts[i].name, strerrorname_np(errno));
            exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        if (WIFSIGNALED(status)) printf("%s signal %d\n", attempts[i].name, WTERMSIG(status));
    }
    return 0;
}
