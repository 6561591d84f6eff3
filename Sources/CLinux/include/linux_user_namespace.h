#pragma once
#include <stddef.h>

// A process becomes the root of a user namespace by executing its own program again: only a process with one thread may
// leave its user namespace, and a Swift program has one thread only before it begins. What the new program is to do is
// said in an environment variable, which begins with the number of the process: it means nothing to any other process,
// and is removed before anything else reads the environment.
//
// The value is lines: the process, the program that writes the user map (empty: this process may do it itself), the same
// for the group map, the user map, the group map, and "deny" if the use of setgroups(2) is to be given up. A map is
// numbers separated by single spaces, three for each range, as in /proc/PID/uid_map.
#define LINUX_USER_NAMESPACE_VARIABLE "LAMINA_USER_NAMESPACE"

// Set for a child of such a process, which executes this program too: it says that the namespace was entered before.
#define LINUX_USER_NAMESPACE_INHERITED "LAMINA_USER_NAMESPACE_INHERITED"

enum linux_user_namespace_outcome {
    LINUX_USER_NAMESPACE_NONE,   // nothing was asked of this process
    LINUX_USER_NAMESPACE_ENTERED,
    LINUX_USER_NAMESPACE_FAILED, // the process is of no use any more but to say so
};

struct linux_user_namespace_report {
    enum linux_user_namespace_outcome outcome;
    const char *step; // of a failure: what could not be done, after "cannot"
    int error;        // of a failure: the errno
};

// What became of the request this process was started with.
struct linux_user_namespace_report linux_user_namespace_report(void);

// Executes `path` with the signal mask that this process began with. Returns only if that fails.
int linux_execute_again(const char *path, char *const arguments[], char *const environment[]);
