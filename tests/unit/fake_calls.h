/* Between the fake kernel's calls (fake_calls.c) and what tests order (fake_kernel.c). */
#ifndef FAKE_CALLS_H
#define FAKE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/kernel.h"

enum { FAKE_NAME_BYTES = 256 };

/* What an open descriptor goes by. */
typedef struct fake_file {
    char name[FAKE_NAME_BYTES];
    bool changing; /* was created, or opened for writing */
    bool direct;   /* was set to O_DIRECT */
} fake_file;

/* How a call goes: fails at once, is done and fails all the same, or is just done (0). */
typedef struct fake_verdict {
    int system_errno;
    bool done_first;
} fake_verdict;

/* The table. */
extern const fk_kernel fake_kernel;

/* Every call begins with this: it is counted, and gets its orders. */
fake_verdict fake_call_begin(const char *call);
/* So does a call with a name in it, which the file system may refuse. */
fake_verdict fake_call_begin_at(const char *call, const char *path);
/* Whether the real call is to be made. */
bool fake_call_is_done(fake_verdict verdict);
/* The answer of a call: -1 and errno when it was ordered to fail. */
long fake_call_end(fake_verdict verdict, long result);
/* Appends a line to the record; errno is kept. */
void fake_call_record(long result, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What descriptors go by. */
void fake_call_remember(int fd, const char *path, bool changing);
void fake_call_remember_direct(int fd, bool direct);
fake_file fake_call_known(int fd);

/* What tests have set. */
size_t fake_call_moved_at_once(size_t bytes);
/* Counts a write past the cache. */
bool fake_call_may_be_direct(void);
int64_t fake_call_time_us(void); /* INT64_MIN: the real one */
void fake_call_sleep(uint64_t time_ms);
long fake_call_file_system(void);
uint64_t fake_call_free_bytes(void);
bool fake_call_flags_refused(void);
bool fake_call_tells_types(void);
int fake_call_pid(void);
bool fake_call_threads(void);

#endif
