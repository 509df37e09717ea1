/* Runs: finding them, their metadata and health, loading and verifying them.
 *
 * Run ids are UTC instants, `2026-01-11T08:30:00.000000` with `-NNNN` behind it where an instant is
 * taken, so plain string order is chronological. Wherever a run id is taken, its `:`-free twin
 * (`2026-01-11T08-30-00.000000`) and "latest" are too; NULL means "latest".
 */
#ifndef FONTKEEP_RUN_H
#define FONTKEEP_RUN_H

#include "fontkeep/error.h"
#include "fontkeep/value.h"

FK_BEGIN_DECLS

struct fk_store;

typedef struct fk_run_id {
    char text[40];
} fk_run_id;

/* How training ended. */
typedef enum fk_run_status {
    FK_COMPLETED = 0,
    FK_FAILED,
    FK_INTERRUPTED,
    FK_STATUS_UNKNOWN, /* on output only: no readable manifest says it */
} fk_run_status;

/* Computed, never stored; the first that matches, in this order. */
typedef enum fk_health {
    FK_CORRUPT = 0, /* the manifest or a digest fails, a file has another size */
    FK_UNSUPPORTED, /* written by a newer version */
    FK_INCOMPLETE,  /* a file that should be there is missing; while weights are there the run is
                       usable */
    FK_UNVERIFIED,  /* no manifest: made by hand or by an older program */
    FK_COMPLETE,
    FK_HEALTH_COUNT,
} fk_health;

FK_PUBLIC const char *fk_run_status_name(fk_run_status status); /* "completed", ...; static text */
FK_PUBLIC const char *fk_health_name(fk_health health);         /* "corrupt", ...; static text */

/* Something wrong, or worth knowing, about one run. */
typedef struct fk_problem {
    const char
        *code; /* "manifest", "missing", "size", "digest", "version", "unverified", "stranger" */
    const char *path;   /* file concerned, relative to the run's directory, or NULL */
    const char *tensor; /* dotted path of the tensor concerned, or NULL */
    uint64_t offset;    /* first byte concerned in `path`, or FK_NO_OFFSET */
    uint64_t length;    /* bytes concerned from there, or 0 */
    const char *message;
} fk_problem;

/* One file that a manifest lists. */
typedef struct fk_run_file {
    const char *path;  /* relative to the run's directory */
    const char *label; /* of a glyph, else NULL */
    uint64_t bytes;
    size_t pieces;             /* 16 MiB each, the last may be shorter; at least 1 */
    const char *const *sha256; /* [pieces], 64 hex digits each */
    const char *const *xxh3;   /* [pieces], 32 hex digits each, or NULL */
} fk_run_file;

#define FK_NO_TIME INT64_MIN

/* The metadata of a run: the members of its manifest, and what was found on disk. Everything is
 * borrowed from the handle it was asked of. Times are microseconds since 1970-01-01 UTC, or
 * FK_NO_TIME. */
typedef struct fk_run_info {
    const char *font_id;
    const char *run_id;
    const char *path; /* of the run's directory */
    fk_run_status status;
    fk_health health;
    const fk_problem *problems;
    size_t problem_count;
    int64_t started_at_us;
    int64_t ended_at_us;
    const fk_value *training;    /* a dict, maybe empty, or NULL without a manifest */
    const fk_value *metrics;     /* likewise */
    const char *weights_version; /* or NULL: unknown */
    const char *feedback_schema; /* or NULL */
    const char *parent_run_id;   /* or NULL */
    const char *written_by;      /* or NULL */
    bool has_personality;
    fk_dtype personality_dtype;
    size_t personality_rank;
    const int64_t *personality_shape;
    size_t glyphs;
    uint64_t weights_bytes;
    bool has_weights;
    uint64_t size_bytes;      /* of all files together */
    uint64_t generation;      /* 1, or more after a regenerate, migrate or adopt */
    const fk_value *manifest; /* all members but `files` and `self`, unknown ones included; NULL
                                 without a manifest */
    /* the files the manifest lists, sorted by path; filled by fk_get_run_info, fk_run_open and
     * loads, not by lists */
    const fk_run_file *files;
    size_t file_count;
} fk_run_info;

/* ---- listing
 * -------------------------------------------------------------------------------------------------
 */

/* Zero means default. Set `size` to sizeof(fk_run_query). */
typedef struct fk_run_query {
    size_t size;
    size_t limit;      /* at most so many runs; 0: all */
    const char *after; /* only runs behind this run id (with `reverse`: before it), or NULL */
    bool reverse;      /* newest first */
} fk_run_query;

typedef struct fk_run_list fk_run_list;

/* The runs of a font in chronological order, each with shallow health: one damaged run is one
 * marked row. FK_E_FONT_NOT_FOUND offers the nearest name. The caller destroys the list. */
FK_PUBLIC fk_code fk_list_runs(struct fk_store *store, const char *font_id,
                               const fk_run_query *query, fk_run_list **ret_runs, fk_error *err);
FK_PUBLIC void fk_run_list_destroy(fk_run_list *runs);
FK_PUBLIC size_t fk_run_list_count(const fk_run_list *runs);
FK_PUBLIC const fk_run_info *fk_run_list_at(const fk_run_list *runs, size_t index);
/* One line to tell the user about the listing as a whole (a runs/ that is missing and cannot be
 * made), or NULL. */
FK_PUBLIC const char *fk_run_list_warning(const fk_run_list *runs);

/* The full id of what a user typed: a run id, its twin, an unambiguous prefix of either, or
 * "latest". FK_E_RUN_NOT_FOUND (with the nearest id) or, for a prefix of several runs, FK_E_INVALID
 * that names some of them. */
FK_PUBLIC fk_code fk_resolve_run(struct fk_store *store, const char *font_id, const char *text,
                                 fk_run_id *ret_run_id, fk_error *err);

/* ---- one run
 * -------------------------------------------------------------------------------------------------
 */

/* A run opened: its directory is held, so that every file comes from the same generation. */
typedef struct fk_run fk_run;

/* Opens a run and reads its manifest. A damaged manifest is no error here: the info says so.
 * FK_E_FONT_NOT_FOUND, FK_E_RUN_NOT_FOUND. The caller closes it; NULL is fine. */
FK_PUBLIC fk_code fk_run_open(struct fk_store *store, const char *font_id, const char *run_id,
                              fk_run **ret_run, fk_error *err);
FK_PUBLIC void fk_run_close(fk_run *run);
/* Metadata with shallow health. Borrowed from `run`. */
FK_PUBLIC const fk_run_info *fk_run_get_info(const fk_run *run);
/* Reads one file whole ("feedback.json", "eval-glyphs/A.png") and checks it against the manifest.
 * FK_E_INCOMPLETE names a missing file, FK_E_CORRUPT a damaged one. The caller frees `*ret_bytes`
 * with free(). */
FK_PUBLIC fk_code fk_run_read_file(fk_run *run, const char *path, void **ret_bytes,
                                   size_t *ret_length, fk_error *err);

/* The five-call form: metadata of one run, with the files of its manifest. The caller destroys it.
 */
FK_PUBLIC fk_code fk_get_run_info(struct fk_store *store, const char *font_id, const char *run_id,
                                  fk_run_info **ret_info, fk_error *err);
FK_PUBLIC void fk_run_info_destroy(fk_run_info *info);

/* ---- loading
 * -------------------------------------------------------------------------------------------------
 */

/* Zero means default. Set `size` to sizeof(fk_load_options). */
typedef struct fk_load_options {
    size_t size;
    bool no_verify; /* skip the digests, and load past a damaged manifest */
    bool strict;    /* a missing or damaged asset is an error, too */
    bool fallback;  /* run id NULL or "latest": when it cannot be loaded, take the newest run that
                       verifies */
    bool
        mmap; /* map the weights (checked first) instead of reading them into memory of their own */
    bool salvage; /* of damaged weights, give what is intact; not with `no_verify` */
    fk_progress progress;
    void *progress_user;
} fk_load_options;

/* What was loaded. Its values, and every storage of theirs, live until it is destroyed. The memory
 * of the storages may be written to; that never reaches the store. */
typedef struct fk_loaded fk_loaded;

/* Loads a run: checks every file the manifest lists, then reads the weights (invariant I3).
 * Errors: FK_E_CORRUPT (naming run.json, or the damaged tensor and byte range, and the newest run
 * that verifies), FK_E_INCOMPLETE (no weights), FK_E_UNSUPPORTED (newer version), not found.
 * Missing or damaged assets are problems of the info, unless `strict`. The caller destroys the
 * result; NULL is fine.
 *
 * With `salvage`, damaged weights give what is intact of them, in memory of their own. Each lost
 * tensor is a problem (code "digest", its dotted path, bytes of the file) and left out: the entry
 * of a dict goes, in a list or tuple None stands for it, a lost personality vector is NULL. A
 * tensor is intact when the CRC-32 of its record in the file is right, or the manifest's digests of
 * all pieces that hold the record are; bytes are never made up. Of a file that was cut, what is
 * whole is left. A damaged manifest is a problem, too; the CRCs alone tell then. FK_E_CORRUPT when
 * nothing is left: the pickle of the archive or every tensor is damaged. */
FK_PUBLIC fk_code fk_load_model(struct fk_store *store, const char *font_id, const char *run_id,
                                const fk_load_options *options, fk_loaded **ret_loaded,
                                fk_error *err);
/* The same for a run that is open already; only the weights file is checked. */
FK_PUBLIC fk_code fk_run_load_weights(fk_run *run, const fk_load_options *options,
                                      fk_loaded **ret_loaded, fk_error *err);
FK_PUBLIC void fk_loaded_destroy(fk_loaded *loaded);

/* What was given to be saved; of version v0 the whole top object. These four are borrowed. */
FK_PUBLIC const fk_value *fk_loaded_weights(const fk_loaded *loaded);
/* The personality vector: contiguous memory of its own, in its dtype and shape; NULL where there is
 * none (v0). */
FK_PUBLIC const fk_tensor *fk_loaded_personality_vector(const fk_loaded *loaded);
/* NULL for version v0. */
FK_PUBLIC const fk_value *fk_loaded_architecture(const fk_loaded *loaded);
/* Metadata with deep health; its problems are the warnings of this load. */
FK_PUBLIC const fk_run_info *fk_loaded_info(const fk_loaded *loaded);

/* ---- verifying and copying
 * ----------------------------------------------------------------------------------- */

/* Checks every byte of every file, SHA-256 included, of one run, of one font (`run_id` NULL) or of
 * all fonts (`font_id` NULL too), and gives every run checked with deep health. Damage is no error
 * of the call; when all fonts are checked, nor is a font whose runs cannot be looked at: it is one
 * row whose `run_id` is "", corrupt (incomplete: `runs/` is missing), the reason in its problem. */
FK_PUBLIC fk_code fk_verify(struct fk_store *store, const char *font_id, const char *run_id,
                            fk_progress progress, void *progress_user, fk_run_list **ret_runs,
                            fk_error *err);

/* Copies a run's files, each verified, into `directory`, which must be new or empty. FK_E_CORRUPT
 * or FK_E_INCOMPLETE with nothing written when the manifest or the weights are damaged or missing.
 * A damaged or missing asset is left out and named in the problems of `*ret_info` (may be NULL; the
 * caller destroys it). FK_E_CANCELLED, as any other failure, leaves nothing behind. */
FK_PUBLIC fk_code fk_copy_run(struct fk_store *store, const char *font_id, const char *run_id,
                              const char *directory, fk_progress progress, void *progress_user,
                              fk_run_info **ret_info, fk_error *err);

/* fk_copy_run, but where the weights or the manifest are damaged, what is intact is written: the
 * weights without their lost tensors, as fk_load_model with `salvage` gives them, are a new
 * checkpoint of the same version; damaged assets are left out; no manifest is written, for it is of
 * other files. What is missing is told in the problems of `*ret_info`. */
FK_PUBLIC fk_code fk_salvage_run(struct fk_store *store, const char *font_id, const char *run_id,
                                 const char *directory, fk_progress progress, void *progress_user,
                                 fk_run_info **ret_info, fk_error *err);

/* The personality vector of a run, exactly, as the bytes of a file of `format`: "json"
 * ({"dtype", "shape", "values"}), "csv", "npy" or "pt". FK_E_USAGE for another format;
 * FK_E_INCOMPLETE when the run has no vector. The caller frees `*ret_bytes` with free(). */
FK_PUBLIC fk_code fk_read_personality(struct fk_store *store, const char *font_id,
                                      const char *run_id, const char *format, void **ret_bytes,
                                      size_t *ret_length, fk_error *err);

/* Writes those bytes to a new or replaced file, atomically. `format` NULL: by the suffix of `path`.
 */
FK_PUBLIC fk_code fk_export_personality(struct fk_store *store, const char *font_id,
                                        const char *run_id, const char *path, const char *format,
                                        fk_error *err);

FK_END_DECLS

#endif
