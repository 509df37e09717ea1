/* The inside of an open run: its directory, its manifest, what was found out about it.
 *
 * R1 every file of a run is opened beneath `directory`, which is opened once: a generation that is
 * swapped in meanwhile cannot mix with this one. */
#ifndef FK_STORE_RUN_H
#define FK_STORE_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "fontkeep/run.h"
#include "fontkeep/store.h"
#include "store/names/scan.h"
#include "store/run/findings.h"

typedef enum fk_run_manifest {
    FK_RUN_MANIFEST_GOOD = 0,
    FK_RUN_MANIFEST_NONE,       /* there is no run.json */
    FK_RUN_MANIFEST_DAMAGED,    /* `manifest_error` says how */
    FK_RUN_MANIFEST_NEWER,      /* likewise */
    FK_RUN_MANIFEST_UNREADABLE, /* the system refuses to read it: likewise */
} fk_run_manifest;

struct fk_run {
    fk_run_info info; /* stays the first member: an info handed out alone is the run itself */
    fk_store *store;
    fk_values *values; /* owns what `info` points to; the run's own when it came from fk_run_open */
    int directory;     /* -1 once closed */
    fk_scan_run place;
    fk_run_manifest manifest;
    fk_error manifest_error;
    const char *written_for_font; /* the names in a manifest that was written for another run, */
    const char *written_for_run;  /* or NULL: the directory was copied or renamed by hand */
    char *manifest_text; /* run.json as it is, from malloc; NULL without files, or unread */
    size_t manifest_length;
    const char *weights_name; /* static: "weights", or of old programs "weights.pt", "weights.pth";
                                 NULL: nothing by such a name is there */
    fk_findings findings;
};

/* Opens a run of the open directory `runs` into memory of the caller; everything `info` points to
 * goes to `values`. `with_files`: the manifest's `files`, too. Damage is no error; a directory that
 * is gone is FK_E_IO with ENOENT. Health and problems are for fk_health_* to fill in. */
fk_code fk_run_init(fk_run *run, fk_store *store, int runs, const char *font_id,
                    const fk_scan_run *place, bool with_files, fk_values *values, fk_error *err);
/* The row of a run whose directory cannot be opened: named, corrupt, with the reason; incomplete
 * where the reason is FK_E_INCOMPLETE. */
fk_code fk_run_init_unopened(fk_run *run, fk_store *store, const char *font_id,
                             const fk_scan_run *place, fk_values *values, const fk_error *why,
                             fk_error *err);
/* Closes the directory and frees what is not in the arena; zeroed memory is fine. Also the scope
 * attribute's function. */
void fk_run_finish(fk_run *run);

/* fk_run_open for a place that is known. */
fk_code fk_run_open_place(fk_store *store, int runs, const char *font_id, const fk_scan_run *place,
                          fk_run **ret_run, fk_error *err);
/* A second handle on the same directory (the same generation), its manifest read anew. */
fk_code fk_run_open_again(const fk_run *run, fk_run **ret_run, fk_error *err);
FK_DEFINE_SCOPED(fk_run, fk_run_close);

/* The `files` of a good manifest, for a run that was opened without; `*ret_info` holds nothing else
 * of use. */
fk_code fk_run_read_files(fk_run *run, fk_run_info *ret_info, fk_error *err);

/* The file of a path in the manifest, or NULL. */
const fk_run_file *fk_run_find_file(const fk_run_info *info, const char *path);

/* Puts the run's directory in front of the path of an error. Returns `code`. */
fk_code fk_run_error_path(const fk_run *run, fk_code code, fk_error *err);

/* FK_OK when the manifest is good or there is none; else the error a reader gets: FK_E_CORRUPT
 * naming run.json, FK_E_UNSUPPORTED (version), or what the system said. */
fk_code fk_run_check_manifest(const fk_run *run, fk_error *err);
/* For changes, which damage does not hinder: an error only when the manifest cannot be read just
 * now. It may be a good one, with the highest number of a generation. */
fk_code fk_run_check_readable(const fk_run *run, fk_error *err);

#endif
