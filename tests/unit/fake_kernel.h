/* A kernel for tests: does the real calls, and counts, records, fails or delays them on request.
 *
 *     fake_kernel_install();                              everything afresh, nothing fails
 *     fake_kernel_fail("fsync", 2, EIO, FAKE_ONCE);       the second fsync from now on fails
 *     fake_kernel_fail("renameat2", 1, EINVAL, FAKE_EVER_AFTER);
 *     ... call the library ...
 *     assert_string_equal(fake_kernel_record(), "mkdirat runs\nfsync runs\n");
 *     fake_kernel_remove();                               the real kernel again
 *
 * A call goes by the name of its member in fk_kernel; "*" stands for any call that can fail
 * (clock_gettime, getpid and nanosleep cannot). Install and remove
 * while no other thread is about; in between, threads may call what they like. Suits setup and
 * teardown functions of cmocka, too (fake_kernel_setup, fake_kernel_teardown).
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum fake_duration { FAKE_ONCE, FAKE_EVER_AFTER } fake_duration;

void fake_kernel_install(void);
void fake_kernel_remove(void);
int fake_kernel_setup(void **state);
int fake_kernel_teardown(void **state);

/* How often a call was made since install (failed ones included). */
size_t fake_kernel_count(const char *call);

/* The `nth` such call from now on (1 is the next) fails with `system_errno`, without having been
 * done; with FAKE_EVER_AFTER all that follow, too. Up to 16 such orders at a time. */
void fake_kernel_fail(const char *call, size_t nth, int system_errno, fake_duration duration);
/* As above, but the call is done, and only its answer is lost: what a network can do to a rename.
 */
void fake_kernel_fail_after(const char *call, size_t nth, int system_errno);
/* Before the `nth` such call from now on, `action(user)` runs: for what another process does just
 * then, or _exit() for a crash. It may make real system calls, none of the library's. */
void fake_kernel_before(const char *call, size_t nth, void (*action)(void *user), void *user);
/* Before each call from now on, on the thread that makes it; it may wait for another thread. */
void fake_kernel_before_each(void (*action)(void));
/* Forgets the orders of the four functions above. */
void fake_kernel_relent(void);
/* The first call since install that failed on order, or NULL. */
const char *fake_kernel_failed(void);

/* O_DIRECT is granted on every file system, and not passed on: writes then fail with EINVAL unless
 * memory, length and position are whole blocks of 4096 bytes. Here the nth such write and all
 * behind it fail with EINVAL, too; 0: none does. */
void fake_kernel_refuse_direct_writes(size_t nth);

/* One pread, write or pwrite moves at most so many bytes. 0: no such limit. */
void fake_kernel_move_at_most(size_t bytes);

/* The changing calls since install or the last clear, in their order, one a line:
 * "openat_beneath weights" (opens that create), "write weights", "pwrite weights", "fsync weights",
 * "fsync .", "sync_file_range weights", "fallocate weights", "close weights", "mkdirat runs",
 * "unlinkat runs", "linkat a -> b", "renameat2 .stage-1 -> 2026", "set_lock x",
 * "set_status_flags weights O_DIRECT".
 * Failed ones end in " (EIO)". Descriptors go by the path they were opened with ("?" when that was
 * before install); writes that follow each other on one file are one line. What only looks is not
 * recorded, nor is the close of a file that was opened for reading. */
const char *fake_kernel_record(void);
void fake_kernel_record_clear(void);

/* The clock stands at `time_us` from now on, and sleep does nothing but add up. */
void fake_kernel_set_time(int64_t time_us);
uint64_t fake_kernel_slept_ms(void);

/* fstatfs tells this type of file system (see linux/magic.h); 0: the real one. */
void fake_kernel_set_file_system(long type);
/* fstatvfs tells so many bytes free (blocks of 1); UINT64_MAX: the real number. */
void fake_kernel_set_free_bytes(uint64_t bytes);
/* Every name with a ':' in it fails with this errno, as on some file systems; 0: none does. */
void fake_kernel_refuse_colons(int system_errno);
/* renameat2 knows no flags (EINVAL), as on NFS and FUSE. */
void fake_kernel_refuse_flags(void);
/* Whether the entries of a directory come with their types; on some file systems they do not. */
void fake_kernel_tell_types(bool told);
/* getpid gives this; 0: the real one. */
void fake_kernel_set_pid(int pid);

/* Lets start_thread start threads. Until then it refuses, and the caller works alone: so the calls
 * of a test come in the same order each time. */
void fake_kernel_allow_threads(void);

#endif
