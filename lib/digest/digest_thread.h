/* A thread that feeds a piece list, so that its caller can go on with the next chunk meanwhile.
 * Bytes reach it by copy, through a ring of at most 8 slots of 1 MiB. Within lib/digest only. */
#ifndef FK_DIGEST_DIGEST_THREAD_H
#define FK_DIGEST_DIGEST_THREAD_H

#include <stddef.h>

#include "base/error.h"
#include "digest/piece_list.h"

typedef struct fk_digest_thread fk_digest_thread;

/* Starts the thread; nobody else touches `list` until it is finished or destroyed. NULL when
 * threads or memory are short: the caller then works by itself. */
fk_digest_thread *fk_digest_thread_create(fk_piece_list *list);
/* Gives up and joins. NULL is fine. */
void fk_digest_thread_destroy(fk_digest_thread *thread);
/* Hands bytes over; waits while the ring is full. A failure of the thread comes back here or with
 * finish. */
fk_code fk_digest_thread_update(fk_digest_thread *thread, const void *from, size_t bytes,
                                fk_error *err);
/* Waits until all is digested, and joins; then only destroy it. */
fk_code fk_digest_thread_finish(fk_digest_thread *thread, fk_error *err);

#endif
