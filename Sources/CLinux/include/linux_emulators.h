#pragma once

// A binfmt_misc of one user namespace, mounted nowhere: programs of processors that the machine does not have are run by
// what is registered there. From Linux 6.7 on each user namespace may have its own, in which nothing is registered.
struct linux_emulators {
    int user_namespace; // -1 for the one of this process
    int registry;       // the mount
    const char *failed; // the step that failed, with `errno` set
};

// Makes a user namespace with these maps, three numbers a line, and the registry in it. Returns 0 or -1.
int linux_new_emulators(const char *user_map, const char *group_map, struct linux_emulators *result);

// Makes the registry of this process's own user namespace. Returns 0 or -1.
int linux_own_emulators(struct linux_emulators *result);
