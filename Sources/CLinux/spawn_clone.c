// clone3(2) of a child that shares the caller's memory, which the C library has no wrapper for.

#define _GNU_SOURCE
#include "spawn_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

// The child calls body(argument) on its own stack and exits with what that returns; the caller gets the number of the child
// or the negated errno. No C may stand between the system call and the call of `body`, as the frame is the caller's.
__attribute__((naked, noinline)) static long call(
    struct clone_args *arguments, size_t size, int (*body)(void *), void *argument) {
#if defined(__x86_64__)
    __asm__("movq %%rcx, %%r8\n"
            "movl %0, %%eax\n"
            "syscall\n"
            "testq %%rax, %%rax\n"
            "jz 1f\n"
            "ret\n"
            "1: xorl %%ebp, %%ebp\n"
            "movq %%r8, %%rdi\n"
            "callq *%%rdx\n"
            "movl %%eax, %%edi\n"
            "movl %1, %%eax\n"
            "syscall\n"
            "ud2\n"
            :
            : "i"(SYS_clone3), "i"(SYS_exit));
#elif defined(__aarch64__)
    __asm__("mov x8, %0\n"
            "svc #0\n"
            "cbz x0, 1f\n"
            "ret\n"
            "1: mov x29, xzr\n"
            "mov x30, xzr\n"
            "mov x0, x3\n"
            "blr x2\n"
            "mov x8, %1\n"
            "svc #0\n"
            "brk #1\n"
            :
            : "i"(SYS_clone3), "i"(SYS_exit));
#else
#error "clone3 for this processor is missing"
#endif
}

pid_t linux_clone_into_group(
    int group, uint64_t flags, char *stack, size_t stack_size, int (*body)(void *), void *argument, int *pidfd) {
    struct clone_args arguments = {
        // The low byte of the flags is not the signal here.
        .flags = (flags & ~(uint64_t)0xff) | CLONE_INTO_CGROUP,
        .exit_signal = flags & 0xff,
        .pidfd = (uintptr_t)pidfd,
        .stack = (uintptr_t)stack,
        .stack_size = stack_size,
        .cgroup = (uint64_t)group,
    };
    long outcome = call(&arguments, sizeof arguments, body, argument);
    if (outcome == -ENOSYS || outcome == -EINVAL || outcome == -E2BIG) return 0;
    if (outcome < 0) return errno = (int)-outcome, -1;
    return (pid_t)outcome;
}

int linux_join_group(int group) {
    int file = openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    return file < 0 || write(file, "0", 1) != 1 ? -1 : 0;
}
