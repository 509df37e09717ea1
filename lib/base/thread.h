/* Threads the library starts inside a call and joins before it returns. Signals are blocked in
 * them: the program's handlers run on its own threads. */
#ifndef FK_BASE_THREAD_H
#define FK_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* False when the system has no thread to give: the caller then does the work by himself. */
bool fk_thread_start(pthread_t *ret_thread, void *(*run)(void *user), void *user);

#endif
