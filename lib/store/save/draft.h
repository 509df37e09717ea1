/* The inside of a draft: a run while it is written.
 *
 * D1 A part is set once. D2 Input is checked before a byte of it is written; a draft whose writing
 * failed is broken and can only be destroyed. D3 Only the process that made a draft touches the
 * disk for it. */
#ifndef FK_STORE_DRAFT_H
#define FK_STORE_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "fontkeep/draft.h"
#include "store/handle/font_memory.h"
#include "store/handle/runs_directory.h"
#include "store/manifest/manifest.h"
#include "store/run/run.h"
#include "store/save/stage.h"

struct fk_draft {
    fk_store *store;
    int pid; /* of the process that made the draft */
    fk_values *values;

    /* what the run says about itself; texts and values live in `values` */
    fk_run_status status;
    int64_t started_at_us;
    int64_t ended_at_us; /* 0: when it is committed */
    const fk_value *training;
    const fk_value *metrics;
    const char *feedback_schema;
    const char *weights_version;
    const fk_tensor *personality_vector; /* dtype and shape only */
    uint64_t generation;
    const fk_value *others; /* members of the generation before this one that we do not know */
    bool has_parent;
    fk_run_id parent_run_id;
    fk_progress progress;
    void *progress_user;

    /* what was written */
    bool has_weights;
    uint64_t weights_bytes; /* of the file */
    bool has_sample;
    bool has_feedback;
    bool broken;   /* writing failed */
    bool finished; /* committed, or committing failed */
    fk_manifest_files files;

    /* where */
    fk_runs_directory where;
    fk_stage stage;
    fk_font_memory *memory;
    bool names_refuse_colon;
    bool newest_known;   /* nobody changed runs/ since the newest id was learnt */
    fk_runs_stamp stamp; /* of runs/ when we last looked */
};

FK_DEFINE_SCOPED(fk_draft, fk_draft_destroy);

/* An empty draft that is to become a generation of the run `source`, and says about itself what
 * that run says; `source` must outlive it. Takes over `where`, also on failure. */
fk_code fk_draft_create_from_run(fk_store *store, fk_runs_directory *where, const fk_run *source,
                                 fk_draft **ret_draft, fk_error *err);

/* Checked metadata, with its defaults. What a draft copies from it is borrowed. FK_E_USAGE,
 * FK_E_INVALID. */
fk_code fk_draft_check_metadata(const fk_run_metadata *given, fk_run_metadata *ret_metadata,
                                fk_error *err);

/* Whether a part may be set now: FK_E_USAGE when the draft is broken, finished, or another
 * process's; `is_set`: the part (named for the message) is there already. */
fk_code fk_draft_check_open(const fk_draft *draft, bool is_set, const char *part, fk_error *err);

/* Writes a small file and lists it in the manifest. The draft is broken when that fails. */
fk_code fk_draft_write_file(fk_draft *draft, const char *path, const char *label, const void *from,
                            size_t bytes, fk_error *err);
/* Marks the draft as broken unless `code` is FK_OK; gives `code`. */
fk_code fk_draft_written(fk_draft *draft, fk_code code);

/* Behind a write: a store without an identity gets one. What cannot be written now is written by
 * the next call. */
void fk_draft_identify_store(fk_draft *draft);

#endif
