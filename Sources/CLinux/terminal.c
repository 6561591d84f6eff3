// Pseudo terminals of a sandbox, and descriptors that travel through a socket.

#define _GNU_SOURCE
#include "linux_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int linux_send_descriptor(int socket, int descriptor) {
    char byte = 0;
    union control control;
    memset(&control, 0, sizeof control);
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

int linux_receive_descriptor(int socket) {
    char byte;
    union control control;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t count;
    while ((count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {}
    if (count < 0) return -1;
    struct cmsghdr *header = count == 0 ? NULL : CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_type != SCM_RIGHTS) return errno = ENOMSG, -1;
    int descriptor;
    memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor;
}

int linux_socket_pair(int ends[2]) { return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends); }

// `size` has the rows in its upper half and the columns in the lower; 0 is none. The command finds it from its start.
int linux_open_terminal(int socket, uid_t owner, int controls, uint32_t size) {
    int unlocked = 0;
    int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0) return -1;
    int terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0 || syscall(SYS_fchown, terminal, owner, (gid_t)-1) < 0) return -1;
    struct winsize window = {.ws_row = (unsigned short)(size >> 16), .ws_col = (unsigned short)size};
    if (size != 0 && ioctl(terminal, TIOCSWINSZ, &window) < 0) return -1;
    if (linux_send_descriptor(socket, master) < 0) return -1;
    // The builder's descriptors are closed, so it may be one of the three: to itself, dup2 changes nothing, and it would be
    // closed on execve.
    int high = fcntl(terminal, F_DUPFD_CLOEXEC, 3);
    if (high < 0) return -1;
    for (int number = 0; number < 3; number++)
        if (dup2(high, number) < 0) return -1;
    if (controls && ioctl(0, TIOCSCTTY, 0) < 0) return -1;
    return 0;
}
