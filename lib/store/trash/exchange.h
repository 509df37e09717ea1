/* The publishing step of a new generation: the run and an entry of the trash change places.
 *
 * One renameat2(RENAME_EXCHANGE). Where kernel or file system do not know it, the new generation
 * becomes the stage `.stage-<directory>`, whose lock file is the run's own, the run is renamed to
 * the entry, and the stage to the run. A kill between the last two leaves the font without that
 * run: fk_exchange_finish, called by every sweep, then puts the stage in its place. */
#ifndef FK_STORE_EXCHANGE_H
#define FK_STORE_EXCHANGE_H

#include <stdbool.h>

#include "base/error.h"

typedef struct fk_exchange {
    int runs;              /* descriptor of runs/ */
    const char *path;      /* its path, for messages */
    const char *directory; /* the run's name in runs/ */
    const char *entry;     /* the new generation, synced, by its name in the trash */
    int replaced;          /* descriptor of the generation that is to be replaced */
    bool durable;
} fk_exchange;

/* The lock of the run is held. FK_E_BUSY: something else than `replaced` stands in the run's place;
 * a missing run is FK_E_IO with ENOENT. After these and every other failure but FK_E_NOT_DURABLE
 * all is as it was, as far as it could be put back. */
fk_code fk_exchange_run(const fk_exchange *it, fk_error *err);

/* Ends an exchange that was cut off; the lock of the run is held. Where there is no run, the stage
 * gets its place (`*ret_placed`), else it is removed. A missing stage is fine. */
fk_code fk_exchange_finish(int runs, const char *directory, bool *ret_placed, fk_error *err);

#endif
