#include "base/thread.h"

#include <signal.h>

bool fk_thread_start(pthread_t *ret_thread, void *(*run)(void *user), void *user) {
    pthread_attr_t attributes;
    sigset_t all;
    sigfillset(&all);
    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    bool started = pthread_attr_setsigmask_np(&attributes, &all) == 0 &&
                   pthread_create(ret_thread, &attributes, run, user) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}
