/* One look at a font's runs/: which runs there are, which ids were ever given. */
#ifndef FK_STORE_SCAN_H
#define FK_STORE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "fontkeep/run.h"

/* The name of a run's directory: the id, its twin, or the name of an entry of the trash. */
typedef struct fk_run_directory_name {
    char text[64];
} fk_run_directory_name;

typedef struct fk_scan_run {
    fk_run_id id; /* in `:` form */
    fk_run_directory_name directory;
} fk_scan_run;

/* Runs in chronological order. */
typedef struct fk_scan {
    fk_scan_run *runs; /* [count], from malloc */
    size_t count;
    bool has_newest;
    fk_run_id newest; /* the highest id ever given, trashed runs counted */
} fk_scan;

fk_code fk_scan_runs(int runs, const char *path, fk_scan *ret_scan, fk_error *err);
void fk_scan_finish(fk_scan *scan); /* also the scope attribute's function */
/* The run of an id in `:` form, or NULL. */
const fk_scan_run *fk_scan_find(const fk_scan *scan, const char *run_id);

#endif
