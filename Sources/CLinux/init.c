// The first process of a sandbox that has one of its own: it waits for whatever is left to it, passes signals on to the
// command, and ends as the command does. Without it the command would be process 1, for which the kernel leaves out the
// default action of every signal, so that Ctrl-C would not end a `sleep`.
//
// It is a program of a few hundred bytes: the functions of one section, put into an ELF file in memory when it is first
// needed. So nothing has to be installed, it works in an image without files, and it shares no memory with the builder.
// Its functions must stand alone: no libraries, no data, no strings, only system calls.

#define _GNU_SOURCE
#include "linux_spawn.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

// MARK: - The program

#define ALONE __attribute__((section("lamina_init"), used, noinline, no_profile_instrument_function))

static inline __attribute__((always_inline)) long system_call(long number, long a, long b, long c, long d) {
#if defined(__x86_64__)
    register long d_register __asm__("r10") = d;
    register long e_register __asm__("r8") = 0;
    long result;
    __asm__ volatile("syscall"
        : "=a"(result)
        : "a"(number), "D"(a), "S"(b), "d"(c), "r"(d_register), "r"(e_register)
        : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long number_register __asm__("x8") = number;
    register long a_register __asm__("x0") = a;
    register long b_register __asm__("x1") = b;
    register long c_register __asm__("x2") = c;
    register long d_register __asm__("x3") = d;
    register long e_register __asm__("x4") = 0;
    __asm__ volatile("svc 0"
        : "+r"(a_register)
        : "r"(number_register), "r"(b_register), "r"(c_register), "r"(d_register), "r"(e_register)
        : "memory");
    return a_register;
#else
#error "the init program is written for x86-64 and arm64"
#endif
}

// The arguments: a name of its own, the path of the command, and the command's arguments.
ALONE static void init_main(long *stack) {
    char **arguments = (char **)(stack + 1), **environment = arguments + stack[0] + 1;
    unsigned long all = ~0UL, none = 0;
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, sizeof all);
    long command = system_call(SYS_clone, SIGCHLD, 0, 0, 0);
    if (command == 0) {
        // A session of its own: what is typed at its terminal goes to the command and not to both.
        system_call(SYS_setsid, 0, 0, 0, 0);
        system_call(SYS_ioctl, 0, TIOCSCTTY, 0, 0);
        system_call(SYS_fcntl, LINUX_INIT_ERRORS, F_SETFD, FD_CLOEXEC, 0);
        system_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, sizeof none);
        int error = (int)-system_call(SYS_execve, (long)arguments[1], (long)(arguments + 2), (long)environment, 0);
        system_call(SYS_write, LINUX_INIT_ERRORS, (long)&error, sizeof error, 0);
        system_call(SYS_exit_group, 127, 0, 0, 0);
    }
    if (command < 0) {
        int error = (int)-command;
        system_call(SYS_write, LINUX_INIT_ERRORS, (long)&error, sizeof error, 0);
        system_call(SYS_exit_group, 127, 0, 0, 0);
    }
    // Whoever reads what the command writes, or waits for it to be executed, must not wait for this process.
    for (long descriptor = 0; descriptor <= LINUX_INIT_ERRORS; descriptor++)
        system_call(SYS_close, descriptor, 0, 0, 0);
    for (;;) {
        long signal = system_call(SYS_rt_sigtimedwait, (long)&all, 0, 0, sizeof all);
        if (signal > 0 && signal != SIGCHLD) system_call(SYS_kill, command, signal, 0, 0);
        if (signal != SIGCHLD) continue;
        for (;;) {
            int status = 0;
            long ended = system_call(SYS_wait4, -1, (long)&status, WNOHANG, 0);
            if (ended <= 0) break;
            if (ended == command)
                system_call(SYS_exit_group, status & 0x7f ? 128 + (status & 0x7f) : status >> 8 & 0xff, 0, 0, 0);
        }
    }
}

// Where the kernel begins: with the arguments on the stack, and no frame to return to.
ALONE __attribute__((naked)) static void init_start(void) {
#if defined(__x86_64__)
    __asm__ volatile("xor %%ebp, %%ebp\n mov %%rsp, %%rdi\n and $-16, %%rsp\n call %P0\n hlt" : : "i"(init_main));
#elif defined(__aarch64__)
    __asm__ volatile("mov x29, #0\n mov x0, sp\n bl %0\n brk #0" : : "S"(init_main));
#endif
}

// MARK: - The file

extern const unsigned char __start_lamina_init[], __stop_lamina_init[];

static int write_program(int file) {
    enum { CODE = 192 };
    static const uint64_t base = 0x400000;
    size_t size = (size_t)(__stop_lamina_init - __start_lamina_init);
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr segments[2];
        unsigned char padding[CODE - sizeof(Elf64_Ehdr) - 2 * sizeof(Elf64_Phdr)];
    } start = {
        .header = {
            .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
            .e_type = ET_EXEC,
#if defined(__x86_64__)
            .e_machine = EM_X86_64,
#else
            .e_machine = EM_AARCH64,
#endif
            .e_version = EV_CURRENT,
            .e_entry = base + CODE + (uint64_t)((const unsigned char *)(uintptr_t)init_start - __start_lamina_init),
            .e_phoff = sizeof(Elf64_Ehdr),
            .e_ehsize = sizeof(Elf64_Ehdr),
            .e_phentsize = sizeof(Elf64_Phdr),
            .e_phnum = 2,
        },
        .segments = {
            {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = base, .p_paddr = base, .p_filesz = CODE + size,
                .p_memsz = CODE + size, .p_align = 0x10000},
            {.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_align = 16},
        },
    };
    if (write(file, &start, sizeof start) != (ssize_t)sizeof start) return -1;
    return write(file, __start_lamina_init, size) == (ssize_t)size ? 0 : -1;
}

int linux_init_program(void) {
    static _Atomic int known = -1;
    int file = atomic_load(&known);
    if (file >= 0) return file;
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    file = memfd_create("init", flags | MFD_EXEC);
    // Kernels before 6.3 do not know the flag, and do not ask for it.
    if (file < 0 && errno == EINVAL) file = memfd_create("init", flags);
    if (file < 0) return -1;
    // Sealed, as the command can open what process 1 runs.
    if (write_program(file) < 0 || fchmod(file, 0555) < 0
        || fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
        int error = errno;
        close(file);
        return errno = error, -1;
    }
    int none = -1;
    if (atomic_compare_exchange_strong(&known, &none, file)) return file;
    close(file);
    return none;
}

// MARK: - Its start. What follows runs between clone and execve.

int linux_place_init(int program, int errors) {
    // Out of the way first: one of the two may have the other's number.
    int high_errors = fcntl(errors, F_DUPFD_CLOEXEC, LINUX_INIT_PROGRAM + 1);
    int high_program = fcntl(program, F_DUPFD_CLOEXEC, LINUX_INIT_PROGRAM + 1);
    if (high_errors < 0 || high_program < 0) return -1;
    if (dup2(high_errors, LINUX_INIT_ERRORS) < 0) return -1;
    return dup3(high_program, LINUX_INIT_PROGRAM, O_CLOEXEC) < 0 ? -1 : 0;
}

int linux_find_command(const char *name, const char *search_path, char *path) {
    if (!*name) return errno = ENOENT, -1;
    if (strchr(name, '/')) {
        if (strlen(name) >= PATH_MAX) return errno = ENAMETOOLONG, -1;
        strcpy(path, name);
        return 0;
    }
    int error = ENOENT;
    for (const char *next = search_path; next;) {
        const char *start = next, *end = strchr(start, ':');
        size_t length = end ? (size_t)(end - start) : strlen(start);
        next = end ? end + 1 : NULL;
        if (length + 2 + strlen(name) >= PATH_MAX) continue;
        memcpy(path, start, length);
        path[length] = 0;
        strcat(strcat(path, length ? "/" : "./"), name);
        struct stat status;
        if (stat(path, &status) < 0 || S_ISDIR(status.st_mode)) continue;
        // A file that may not be executed does not end the search, but is the better answer when nothing else is found.
        if (access(path, X_OK) == 0) return 0;
        error = EACCES;
    }
    return errno = error, -1;
}

int linux_execute_init(char **arguments, char **environment, const char *search_path) {
    char path[PATH_MAX];
    static char name[] = "init";
    if (linux_find_command(arguments[2], search_path, path) < 0) return -1;
    arguments[0] = name;
    arguments[1] = path;
    // `arguments[2]` is what the command calls itself.
    return (int)syscall(SYS_execveat, LINUX_INIT_PROGRAM, "", arguments, environment, AT_EMPTY_PATH);
}
