// What the child does to mounts that are there; see spawn.c.

#define _GNU_SOURCE
#include "spawn_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

// Adds flags to those of a mount. Those it has are kept: in a user namespace they are locked, and leaving one out fails.
int linux_remount(const char *path, unsigned long flags) {
    struct statfs status;
    if (statfs(path, &status) < 0) return -1;
    // The low bits of ST_ and MS_ agree: read-only, nosuid, nodev, noexec, noatime, nodiratime.
    flags |= (unsigned long)status.f_flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME);
    return mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | flags, NULL);
}

// Before kernel 5.12 there is no call for it, and what is mounted below stays as it is.
int linux_restrict_tree(const char *path, unsigned long flags) {
    struct mount_attr attributes = {
        .attr_set = ((flags & MS_RDONLY) ? MOUNT_ATTR_RDONLY : 0) | ((flags & MS_NOSUID) ? MOUNT_ATTR_NOSUID : 0)
            | ((flags & MS_NODEV) ? MOUNT_ATTR_NODEV : 0) | ((flags & MS_NOEXEC) ? MOUNT_ATTR_NOEXEC : 0),
    };
    int outcome = (int)syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attributes, sizeof attributes);
    return outcome < 0 && errno == ENOSYS ? linux_remount(path, flags) : outcome;
}

int linux_mask(const char *path) {
    struct stat status;
    if (lstat(path, &status) < 0) return -1;
    if (S_ISDIR(status.st_mode))
        return mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0k,nr_inodes=1,mode=555");
    // Read-only, or a chmod of the masked path would change the host's device.
    if (mount("/dev/null", path, NULL, MS_BIND, NULL) < 0) return -1;
    return linux_remount(path, MS_RDONLY | MS_NOSUID | MS_NOEXEC);
}

int linux_read_only(const char *path) {
    if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0) return -1;
    return linux_remount(path, MS_RDONLY);
}

int linux_pivot(const char *root) {
    // With both names the same, the old root ends up mounted over the new one, from where it is detached at once: no
    // directory to hold it is needed.
    if (chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0) return -1;
    return chdir("/");
}
