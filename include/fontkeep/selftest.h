/* A test of the disk that a store is on, or is to be on: what its file system can do, and whether
 * fontkeep keeps its promises there when its process is killed. */
#ifndef FONTKEEP_SELFTEST_H
#define FONTKEEP_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>

#include "fontkeep/error.h"

FK_BEGIN_DECLS

/* Something that fontkeep likes to use. */
typedef struct fk_primitive {
    const char *name; /* "rename_noreplace", "directory_sync", ... */
    bool works;
    const char *instead; /* what fontkeep does where it does not work; NULL where it does */
} fk_primitive;

typedef enum fk_fitness {
    FK_FIT = 0,
    FK_FIT_WITH_LIMITS,
    FK_NOT_FIT,
} fk_fitness;

/* Zero means default. Set `size` to sizeof(fk_selftest_options). */
typedef struct fk_selftest_options {
    size_t size;
    fk_progress progress; /* counts kills, not bytes */
    void *progress_user;
} fk_selftest_options;

typedef struct fk_selftest_report {
    const char *dir;         /* the directory that was tested */
    const char *file_system; /* "ext2/ext3/ext4", "tmpfs", ...; "unknown" */
    const fk_primitive *primitives;
    size_t primitive_count;
    size_t kills;      /* processes killed on the way, each at another call */
    size_t flips;      /* bytes of saved files that were damaged, to see whether that is noticed */
    size_t violations; /* kills after which a promise did not hold, flips that went unnoticed, and
                          work that failed */
    const char *first_violation; /* or NULL */
    fk_fitness fitness;
    const char *const *limits; /* or, where the disk is not fit, the reasons: one line each */
    size_t limit_count;
    const char *verdict; /* all of that for people: "This disk is fit for fontkeep" */
} fk_selftest_report;

/* Tests the disk of a directory; NULL: of the default store where that is there, else the working
 * directory. Works in a hidden directory within it, which is gone when the call returns, whatever
 * it returns. Tries each primitive; kills (SIGKILL) a save, a removal, a restoring, an adoption, a
 * regeneration and a migration at every call to the kernel that concerns files, and looks whether
 * old runs are whole, the new one is whole or absent, fk_recover cleans up, and the next save
 * works; damages each file of a run and looks whether that is noticed. Takes some seconds. It
 * cannot show what a power cut does, nor whether the disk keeps what it says it has written.
 *
 * Processes: what is killed are forks of the calling process, and they run library code. Call it
 * where no other thread is at work, and SIGCHLD is not ignored. FK_E_ACCESS, FK_E_NO_SPACE,
 * FK_E_IO, FK_E_CANCELLED. The caller destroys the report. */
FK_PUBLIC fk_code fk_selftest(const char *directory, const fk_selftest_options *options,
                              fk_selftest_report **ret_report, fk_error *err);
FK_PUBLIC void fk_selftest_report_destroy(fk_selftest_report *report); /* NULL is fine */

FK_END_DECLS

#endif
