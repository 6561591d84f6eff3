// The filter of the devices that a control group's processes may open; see bpf(2).

#define _GNU_SOURCE
#include "linux_device_filter.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int call(int command, union bpf_attr *attributes) {
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

int linux_attach_device_filter(int group, const uint64_t *program, uint32_t count) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insns = (uintptr_t)program;
    attributes.insn_cnt = count;
    attributes.license = (uintptr_t)"";
    int filter = call(BPF_PROG_LOAD, &attributes);
    if (filter < 0) return -1;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = (uint32_t)group;
    attributes.attach_bpf_fd = (uint32_t)filter;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    // Those of the groups above count too.
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    int outcome = call(BPF_PROG_ATTACH, &attributes), saved = errno;
    // The group keeps the program.
    close(filter);
    return errno = saved, outcome;
}
