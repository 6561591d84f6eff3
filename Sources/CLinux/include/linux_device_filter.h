#pragma once
#include <stdint.h>

// Attaches a program of `count` instructions, of the type BPF_PROG_TYPE_CGROUP_DEVICE, to the control group of version 2
// whose directory is open; see bpf(2). It stays until the group is removed. Returns -1 with errno set on failure.
int linux_attach_device_filter(int group, const uint64_t *program, uint32_t count);
