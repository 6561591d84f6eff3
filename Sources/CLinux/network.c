// A network namespace of its own, without a process in it.

#define _GNU_SOURCE
#include "linux_shims.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

struct outcome {
    int descriptor, error;
};

// Runs in a thread of its own, whose namespace ends with it: so this program's other threads stay where they are, and
// there is no way back that could fail.
static void *make_network(void *argument) {
    struct outcome *outcome = argument;
    if (unshare(CLONE_NEWNET) == 0) outcome->descriptor = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (outcome->descriptor < 0) outcome->error = errno;
    return NULL;
}

int linux_new_network(void) {
    struct outcome outcome = {.descriptor = -1};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, make_network, &outcome);
    if (error) return errno = error, -1;
    pthread_join(thread, NULL);
    if (outcome.descriptor < 0) errno = outcome.error;
    return outcome.descriptor;
}
