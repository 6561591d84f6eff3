#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

// A process is described as a flat list of steps. The list is made by the caller and executed, in order, by a child that
// shares the caller's memory until it replaces itself by `execve`. See spawn.c for why.

enum linux_spawn_operation {
    LINUX_SPAWN_MOUNT = 1,      // text: source, target, type, data; number[0]: MS_ flags
    LINUX_SPAWN_TEMPORARY,      // text: target, data; number[0]: MS_ flags; of the mode that the target has, 1777 if it is made
    LINUX_SPAWN_REMOUNT,        // text[0]: target; number[0]: MS_ flags to add to those it has
    LINUX_SPAWN_RESTRICT_TREE,  // text[0]: target; number[0]: MS_ flags to add to those of it and of all below
    LINUX_SPAWN_MAKE_DIRECTORY, // text[0]: path; number[0]: mode
    LINUX_SPAWN_MAKE_FILE,      // text[0]: path, text[1]: content; number: length, mode, owner
    LINUX_SPAWN_MAKE_POINT,     // text[0]: path; number: kind, 1 to forget what was made, owner
    LINUX_SPAWN_WRITE,          // text[0]: path of an existing file, text[1]: content; number[0]: length
    LINUX_SPAWN_SYMLINK,        // text: content of the link, path
    LINUX_SPAWN_OPEN_TREE,      // text: root or none, path (in that root); number: slot, 1 for all mounted below too
    LINUX_SPAWN_MOVE_MOUNT,     // text[0]: target; number[0]: slot
    LINUX_SPAWN_FS_OPEN,        // text[0]: type; number[0]: slot
    LINUX_SPAWN_FS_STRING,      // text: key, value; number[0]: slot
    LINUX_SPAWN_FS_MOUNT,       // number: slot, MOUNT_ATTR_ flags
    LINUX_SPAWN_TAKE_INHERITED, // number[0]: slot for the program's `inherited`, a mount
    LINUX_SPAWN_PLACE_INHERITED, // number[0]: the number that `inherited` gets, to be kept by the command
    LINUX_SPAWN_PIVOT,          // text[0]: new root
    LINUX_SPAWN_CHDIR,          // text[0]: path
    LINUX_SPAWN_CHROOT,         // text[0]: path
    LINUX_SPAWN_MASK,           // text[0]: path
    LINUX_SPAWN_READ_ONLY,      // text[0]: path
    LINUX_SPAWN_SETNS,          // text[0]: path; number[0]: CLONE_NEW flag
    LINUX_SPAWN_JOIN_USER,      // enters the program's user namespace
    LINUX_SPAWN_UNSHARE,        // number[0]: CLONE_NEW flags
    LINUX_SPAWN_HOSTNAME,       // text[0]: name
    LINUX_SPAWN_LOOPBACK,       // brings lo up
    LINUX_SPAWN_RLIMIT,         // number: resource, soft, hard
    LINUX_SPAWN_LOWER_LIMIT,    // the same, but no more than the present hard limit
    LINUX_SPAWN_PRCTL,          // number: option, argument
    LINUX_SPAWN_PARENT_DEATH,   // number[0]: signal
    LINUX_SPAWN_KEYRING,        // a new, empty session keyring
    LINUX_SPAWN_BOUNDING,       // number[0]: mask of the capabilities to keep
    LINUX_SPAWN_CAPABILITIES,   // number: mask, permitted and effective; 1 for inheritable and ambient too, else empty
    LINUX_SPAWN_GROUPS,         // text[0]: array of gid_t; number[0]: count
    LINUX_SPAWN_IDENTITY,       // number: uid, gid
    LINUX_SPAWN_STDIO,          // number[0]: owner; the program's three descriptors become 0, 1 and 2
    LINUX_SPAWN_CLOSE_FROM,     // number[0]: first descriptor to close
    LINUX_SPAWN_SETSID,
    LINUX_SPAWN_TERMINAL,       // number: owner, 1 to make it the controlling one, size; becomes 0, 1 and 2
    LINUX_SPAWN_INIT,           // the command will run below the init program
    LINUX_SPAWN_UMASK,          // number[0]: mask
    LINUX_SPAWN_LANDLOCK,       // text[0]: directory; number: LANDLOCK_ACCESS_FS_ rights below it alone, LANDLOCK_SCOPE_
    LINUX_SPAWN_SECCOMP,        // text[0]: array of struct sock_filter; number: count, SECCOMP_FILTER_FLAG_ flags
    LINUX_SPAWN_EXECUTE,        // the program's arguments and environment; always the last step
    LINUX_SPAWN_OPERATIONS,     // how many codes there are, with 0, which is none
};

enum linux_spawn_tolerance {
    LINUX_SPAWN_MUST_SUCCEED = 0,
    LINUX_SPAWN_MAY_BE_MISSING, // ENOENT and ENOTDIR are no failure
    LINUX_SPAWN_MAY_FAIL,       // nothing is
};

// The kind of a mount point: a file, a directory, or what is mounted in slot N: LINUX_SPAWN_POINT_LIKE_SLOT + N.
enum { LINUX_SPAWN_POINT_FILE, LINUX_SPAWN_POINT_DIRECTORY, LINUX_SPAWN_POINT_LIKE_SLOT };

// A text is an offset into the program's `texts`; 0 is no text (NULL), so the first byte there is not used.
struct linux_spawn_step {
    uint32_t operation;
    uint32_t tolerance;
    uint32_t text[4];
    uint64_t number[3];
};

// An owner packed in one number.
#define LINUX_SPAWN_OWNER(uid, gid) (((uint64_t)(uid) << 32) | (uint32_t)(gid))

struct linux_spawn_program {
    const struct linux_spawn_step *steps;
    size_t step_count;
    const char *texts;
    size_t texts_size;
    const uint32_t *arguments; // offsets into texts
    size_t argument_count;
    const uint32_t *environment; // offsets into texts
    size_t environment_count;
    uint64_t clone_flags; // CLONE_NEW flags only
    int is_supervised;    // the child is that of a supervisor; see linux_supervise.h
    int stdio[3];
    int terminal; // a socket that takes the other end of the terminal; -1 without one
    int inherited; // a descriptor that the steps hand on; -1 without one
    int control_group; // the directory of a group of version 2 that the child is in from the start; -1 without one
    int user_namespace; // a descriptor of a user namespace to be entered; -1 without one
    int has_init; // whether the command runs below the init program
    const char *process_namespace; // the path of the PID namespace that the child is made in; NULL for this one's
};

// The descriptors of a process that becomes the init program: where it reports that the command cannot be executed, and
// the program itself.
enum { LINUX_INIT_ERRORS = 3, LINUX_INIT_PROGRAM = 4 };

// What MAKE_POINT did to the root file system: a file or directory it made, with the times of the directory it is in; or
// a directory further up, which an overlay copied to its upper directory on the way, with its own times.
enum linux_spawn_made_kind { LINUX_SPAWN_MADE_FILE, LINUX_SPAWN_MADE_DIRECTORY, LINUX_SPAWN_MADE_ANCESTOR };

struct linux_spawn_made {
    uint32_t kind;
    struct timespec modified_before, modified_after, changed_after;
    const char *path; // absolute, in the new root, without symbolic links
};

enum { LINUX_SPAWN_SLOTS = 512, LINUX_SPAWN_MADE_MAX = 512, LINUX_SPAWN_PATHS_MAX = 256 * 1024 };

struct linux_supervision;

struct linux_spawn_result {
    pid_t pid; // with a supervisor, of that
    int pidfd;
    int64_t failed_step; // -1: making the child itself failed
    int error;           // 0: the child runs (or ended well, when the program has no EXECUTE)
    int interpreter_missing; // EXECUTE found its file; what the file names as its interpreter is not there
    size_t made_count;
    struct linux_spawn_made *made; // belongs to `memory`, as the paths do
    size_t paths_used;
    char *paths;
    void *memory;
    size_t memory_size;
    struct linux_supervision *supervision; // stays after linux_spawn_release
};

// The name of an operation, NULL for a code that is none.
const char *linux_spawn_operation_name(uint32_t operation);
// Whether the interpreter can perform a step: its code is known, its texts are there and inside the `texts_size` bytes of
// all texts, its slot exists, and nothing is set that the operation does not read. Returns 0, or -1 with EINVAL.
int linux_spawn_check(const struct linux_spawn_step *step, size_t texts_size);

// Makes the child and sleeps until it has executed its program or failed; a child that failed is reaped. Returns 0 or -1.
// No child is made for a list with a step that `linux_spawn_check` refuses. `linux_spawn_release` must always follow.
int linux_spawn(const struct linux_spawn_program *program, struct linux_spawn_result *result);
void linux_spawn_release(struct linux_spawn_result *result);

// pipe2(2) with O_CLOEXEC, and pidfd_send_signal(2).
int linux_pipe(int ends[2]);
int linux_pidfd_signal(int pidfd, int signal);

// The init program as a file in memory, made once: a descriptor that stays open, or -1.
int linux_init_program(void);
// Puts the program and the pipe for errors where the init program expects them.
int linux_place_init(int program, int errors);
// Puts the path of the file that the name of a command means into `path`, which has room for PATH_MAX bytes.
int linux_find_command(const char *name, const char *search_path, char *path);
// Executes it. The first two arguments are free; then come those of the command. Returns only if it fails.
int linux_execute_init(char **arguments, char **environment, const char *search_path);

// Opens a terminal of the mounted /dev/pts as the standard streams and sends its other end through the socket.
int linux_open_terminal(int socket, uid_t owner, int controls, uint32_t size);
// socketpair(2) of stream sockets, and a descriptor that goes or came through one. Return -1 with errno set.
int linux_socket_pair(int ends[2]);
int linux_send_descriptor(int socket, int descriptor);
int linux_receive_descriptor(int socket);
