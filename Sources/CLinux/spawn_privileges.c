// What the child of spawn.c does about who it is and what it may do. The same rules hold: system calls and nothing else.

#define _GNU_SOURCE
#include "linux_landlock.h"
#include "spawn_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int linux_limit_bounding_set(uint64_t kept) {
    for (int capability = 0; capability < 64; capability++) {
        if (kept & (UINT64_C(1) << capability)) continue;
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) return errno == EINVAL ? 0 : -1;
    }
    return 0;
}

// Ambient ones stay when a program is executed, whoever the user is.
static int raise_ambient(uint64_t wanted) {
    for (int capability = 0; capability < 64; capability++) {
        if (!(wanted & (UINT64_C(1) << capability))) continue;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0) return -1;
    }
    return 0;
}

int linux_set_capabilities(uint64_t wanted, uint64_t are_inherited) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -1;
    for (int half = 0; half < 2; half++) {
        // What is not permitted (any more, after a change of user) cannot be asked for.
        uint32_t bits = (uint32_t)(wanted >> (32 * half)) & data[half].permitted;
        data[half] = (struct __user_cap_data_struct){
            .effective = bits, .permitted = bits, .inheritable = are_inherited ? bits : 0};
    }
    if (syscall(SYS_capset, &header, data) < 0) return -1;
    return are_inherited ? raise_ambient(data[0].permitted | (uint64_t)data[1].permitted << 32) : 0;
}

// Without no_new_privs the kernel wants CAP_SYS_ADMIN for a filter and for Landlock. A change of user has made it
// ineffective; but, if the kernel was told to keep capabilities, it is still permitted.
static int use_permitted_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -1;
    for (int half = 0; half < 2; half++) data[half].effective = data[half].permitted;
    return (int)syscall(SYS_capset, &header, data);
}

// The filter is for the command, not for what is still to be done here, so it comes when next to nothing is.
int linux_install_filter(const char *program, uint64_t count, uint64_t flags) {
    if (use_permitted_capabilities() < 0) return -1;
    struct sock_fprog filter = {.len = (unsigned short)count, .filter = (struct sock_filter *)(uintptr_t)program};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

int linux_set_identity(uid_t uid, gid_t gid) {
    if (syscall(SYS_setresgid, gid, gid, gid) < 0) return -1;
    return (int)syscall(SYS_setresuid, uid, uid, uid);
}

int linux_confine(const char *directory, uint64_t rights, uint64_t scopes) {
    if (use_permitted_capabilities() < 0) return -1;
    int ruleset = linux_landlock_create(rights, scopes);
    if (ruleset < 0) return -1;
    int parent = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int outcome = parent < 0 ? -1 : linux_landlock_allow(ruleset, parent, rights);
    if (outcome == 0) outcome = linux_landlock_restrict(ruleset);
    int saved = errno;
    if (parent >= 0) close(parent);
    close(ruleset);
    return errno = saved, outcome;
}
