// What the steps of linux_spawn.h look like, so that a list of them can be judged before any is performed.

#include "spawn_parts.h"

#include <errno.h>

struct shape {
    const char *name;
    unsigned texts;    // how many texts there are
    unsigned optional; // a bit for each that may be missing
    unsigned numbers;  // how many numbers there are
    unsigned slots;    // 1: the first number is a slot
};

static const struct shape shapes[] = {
    [LINUX_SPAWN_MOUNT] = {"mount", 4, 1 << 0 | 1 << 2 | 1 << 3, 1, 0},
    [LINUX_SPAWN_TEMPORARY] = {"mount temporary", 2, 1 << 1, 1, 0},
    [LINUX_SPAWN_REMOUNT] = {"remount", 1, 0, 1, 0},
    [LINUX_SPAWN_RESTRICT_TREE] = {"restrict tree", 1, 0, 1, 0},
    [LINUX_SPAWN_MAKE_DIRECTORY] = {"make directory", 1, 0, 1, 0},
    [LINUX_SPAWN_MAKE_FILE] = {"make file", 2, 0, 3, 0},
    [LINUX_SPAWN_MAKE_POINT] = {"make point", 1, 0, 3, 0},
    [LINUX_SPAWN_WRITE] = {"write", 2, 0, 1, 0},
    [LINUX_SPAWN_SYMLINK] = {"symlink", 2, 0, 0, 0},
    [LINUX_SPAWN_OPEN_TREE] = {"open tree", 2, 1 << 0, 2, 1},
    [LINUX_SPAWN_MOVE_MOUNT] = {"move mount", 1, 0, 1, 1},
    [LINUX_SPAWN_FS_OPEN] = {"open file system", 1, 0, 1, 1},
    [LINUX_SPAWN_FS_STRING] = {"set option", 2, 1 << 1, 1, 1},
    [LINUX_SPAWN_FS_MOUNT] = {"make mount", 0, 0, 2, 1},
    [LINUX_SPAWN_TAKE_INHERITED] = {"take inherited", 0, 0, 1, 1},
    [LINUX_SPAWN_PLACE_INHERITED] = {"place inherited", 0, 0, 1, 0},
    [LINUX_SPAWN_PIVOT] = {"pivot", 1, 0, 0, 0},
    [LINUX_SPAWN_CHDIR] = {"chdir", 1, 0, 0, 0},
    [LINUX_SPAWN_CHROOT] = {"chroot", 1, 0, 0, 0},
    [LINUX_SPAWN_MASK] = {"mask", 1, 0, 0, 0},
    [LINUX_SPAWN_READ_ONLY] = {"read-only", 1, 0, 0, 0},
    [LINUX_SPAWN_SETNS] = {"setns", 1, 0, 1, 0},
    [LINUX_SPAWN_JOIN_USER] = {"join user namespace", 0, 0, 0, 0},
    [LINUX_SPAWN_UNSHARE] = {"unshare", 0, 0, 1, 0},
    [LINUX_SPAWN_HOSTNAME] = {"hostname", 1, 0, 0, 0},
    [LINUX_SPAWN_LOOPBACK] = {"loopback", 0, 0, 0, 0},
    [LINUX_SPAWN_RLIMIT] = {"rlimit", 0, 0, 3, 0},
    [LINUX_SPAWN_LOWER_LIMIT] = {"lower limit", 0, 0, 3, 0},
    [LINUX_SPAWN_PRCTL] = {"prctl", 0, 0, 2, 0},
    [LINUX_SPAWN_PARENT_DEATH] = {"parent death", 0, 0, 1, 0},
    [LINUX_SPAWN_KEYRING] = {"keyring", 0, 0, 0, 0},
    [LINUX_SPAWN_BOUNDING] = {"bounding set", 0, 0, 1, 0},
    [LINUX_SPAWN_CAPABILITIES] = {"capabilities", 0, 0, 2, 0},
    [LINUX_SPAWN_GROUPS] = {"groups", 1, 0, 1, 0},
    [LINUX_SPAWN_IDENTITY] = {"identity", 0, 0, 2, 0},
    [LINUX_SPAWN_STDIO] = {"stdio", 0, 0, 1, 0},
    [LINUX_SPAWN_CLOSE_FROM] = {"close from", 0, 0, 1, 0},
    [LINUX_SPAWN_SETSID] = {"setsid", 0, 0, 0, 0},
    [LINUX_SPAWN_TERMINAL] = {"terminal", 0, 0, 3, 0},
    [LINUX_SPAWN_INIT] = {"init", 0, 0, 0, 0},
    [LINUX_SPAWN_UMASK] = {"umask", 0, 0, 1, 0},
    [LINUX_SPAWN_LANDLOCK] = {"landlock", 1, 0, 2, 0},
    [LINUX_SPAWN_SECCOMP] = {"seccomp", 1, 0, 2, 0},
    [LINUX_SPAWN_EXECUTE] = {"execute", 0, 0, 0, 0},
};

_Static_assert(sizeof shapes / sizeof shapes[0] == LINUX_SPAWN_OPERATIONS, "each operation has a shape");

const char *linux_spawn_operation_name(uint32_t operation) {
    return operation < LINUX_SPAWN_OPERATIONS ? shapes[operation].name : NULL;
}

static int has_shape(const struct linux_spawn_step *step, const struct shape *shape, size_t texts_size) {
    for (unsigned i = 0; i < sizeof step->text / sizeof step->text[0]; i++) {
        if (step->text[i] >= texts_size && step->text[i]) return 0;
        int may_be_missing = i >= shape->texts || shape->optional >> i & 1;
        if ((step->text[i] == 0 && !may_be_missing) || (step->text[i] != 0 && i >= shape->texts)) return 0;
    }
    for (unsigned i = shape->numbers; i < sizeof step->number / sizeof step->number[0]; i++)
        if (step->number[i]) return 0;
    return !shape->slots || step->number[0] < LINUX_SPAWN_SLOTS;
}

int linux_spawn_check(const struct linux_spawn_step *step, size_t texts_size) {
    if (!linux_spawn_operation_name(step->operation) || step->tolerance > LINUX_SPAWN_MAY_FAIL
        || !has_shape(step, &shapes[step->operation], texts_size))
        return errno = EINVAL, -1;
    int is_point = step->operation == LINUX_SPAWN_MAKE_POINT;
    if (is_point && step->number[0] >= LINUX_SPAWN_POINT_LIKE_SLOT + LINUX_SPAWN_SLOTS) return errno = EINVAL, -1;
    return 0;
}

// Checks all steps before the first is performed: a program that is not understood is not begun.
int linux_check_steps(const struct linux_spawn_program *program, struct linux_spawn_result *result) {
    for (size_t i = 0; i < program->step_count; i++) {
        const struct linux_spawn_step *step = &program->steps[i];
        int is_early = step->operation == LINUX_SPAWN_EXECUTE && i + 1 < program->step_count;
        if (linux_spawn_check(step, program->texts_size) == 0 && !is_early) continue;
        result->error = EINVAL;
        result->failed_step = (int64_t)i;
        return -1;
    }
    return 0;
}
