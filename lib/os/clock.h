/* Time and identity from the system. */
#ifndef FK_OS_CLOCK_H
#define FK_OS_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

int64_t fk_clock_now_us(void); /* microseconds since 1970 UTC */
void fk_clock_sleep_ms(uint32_t time_ms);

/* `bytes` random bytes as 2 * bytes hex digits and a NUL. */
fk_code fk_clock_random_hex(char *into, size_t bytes, fk_error *err);

/* Who we are, for a lock file: host name, boot id, pid. */
typedef struct fk_identity {
    char host[65];
    char boot_id[37];
    int pid;
} fk_identity;

void fk_identity_current(fk_identity *ret_identity);
int fk_identity_pid(void);

#endif
