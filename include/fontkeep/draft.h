/* Saving: a run is built as a draft and appears, whole, when the draft is committed. */
#ifndef FONTKEEP_DRAFT_H
#define FONTKEEP_DRAFT_H

#include "fontkeep/font.h"
#include "fontkeep/run.h"
#include "fontkeep/store.h"

FK_BEGIN_DECLS

/* An image: a PNG file in memory (kept as it is), or pixels. */
typedef struct fk_image {
    const void *bytes;
    size_t length;     /* bytes */
    uint32_t width;    /* pixels; 0: `bytes` is a PNG file */
    uint32_t height;   /* pixels */
    uint32_t channels; /* 1 grey, 3 RGB, 4 RGBA; 8 bits each, rows from the top without padding */
} fk_image;

typedef struct fk_glyph {
    const char *label; /* "A", "ampersand", "\u00e9": any non-empty UTF-8 text */
    fk_image image;
} fk_glyph;

/* What a run says about itself. Zero means default. Set `size` to sizeof(fk_run_metadata). */
typedef struct fk_run_metadata {
    size_t size;
    fk_run_status status;
    int64_t started_at_us;     /* microseconds since 1970 UTC; 0: when the draft was made */
    int64_t ended_at_us;       /* 0: when the draft is committed */
    const fk_value *training;  /* a dict of training parameters, or NULL */
    const char *parent_run_id; /* the run this one resumed from, or NULL */
    bool no_create_font;       /* a font that does not exist is an error instead of being made */
    fk_progress progress;      /* called while weights are written, and once before a run appears */
    void *progress_user;
} fk_run_metadata;

/* A run that is being written. Destroying it uncommitted removes everything, but only in the
 * process that made it. */
typedef struct fk_draft fk_draft;

/* A weights file that is ready to be written: from values, or the bytes of a file kept as it is. */
typedef struct fk_weights_plan fk_weights_plan;

/* Checks all that can be checked before there is a draft and without writing; the arguments, as
 * for fk_draft_set_weights, must outlive the plan. FK_E_LIMIT, FK_E_UNSUPPORTED, FK_E_NO_SPACE.
 * The caller destroys the plan; NULL is fine. */
FK_PUBLIC fk_code fk_weights_plan_create(fk_store *store, const fk_value *weights,
                                         const fk_value *personality_vector,
                                         const fk_value *architecture, fk_weights_plan **ret_plan,
                                         fk_error *err);
/* The same for a checkpoint file, as for fk_draft_set_weights_file. */
FK_PUBLIC fk_code fk_weights_plan_create_from_file(fk_store *store, const char *path,
                                                   const fk_value *personality_vector,
                                                   const fk_value *architecture,
                                                   fk_weights_plan **ret_plan, fk_error *err);
FK_PUBLIC void fk_weights_plan_destroy(fk_weights_plan *plan);

/* Starts a run of a font; nothing of it is visible yet. The caller destroys the draft; NULL is
 * fine. FK_E_FONT_NOT_FOUND only with `no_create_font`. FK_E_INVALID, FK_E_STORE_NOT_FOUND,
 * FK_E_ACCESS. */
FK_PUBLIC fk_code fk_draft_create(fk_store *store, const char *font_id,
                                  const fk_run_metadata *metadata, fk_draft **ret_draft,
                                  fk_error *err);
FK_PUBLIC void fk_draft_destroy(fk_draft *draft);

/* Writes the weights file. `weights` is any value; `personality_vector` a tensor value or NULL;
 * `architecture` a dict or NULL (then the names, dtypes and shapes of the tensors are recorded).
 * FK_E_LIMIT before a byte is written, FK_E_UNSUPPORTED (subject data) with the dotted path,
 * FK_E_NO_SPACE. */
FK_PUBLIC fk_code fk_draft_set_weights(fk_draft *draft, const fk_value *weights,
                                       const fk_value *personality_vector,
                                       const fk_value *architecture, fk_error *err);
/* Takes the weights from a checkpoint file: one in version v1 is kept byte for byte (then the other
 * two must be NULL), any other is wrapped as v1 and needs `personality_vector`. */
FK_PUBLIC fk_code fk_draft_set_weights_file(fk_draft *draft, const char *path,
                                            const fk_value *personality_vector,
                                            const fk_value *architecture, fk_error *err);
/* Writes the weights file of a plan, which can be destroyed then. */
FK_PUBLIC fk_code fk_draft_set_planned_weights(fk_draft *draft, fk_weights_plan *plan,
                                               fk_error *err);
FK_PUBLIC fk_code fk_draft_set_sample(fk_draft *draft, const fk_image *image, fk_error *err);
FK_PUBLIC fk_code fk_draft_add_glyph(fk_draft *draft, const char *label, const fk_image *image,
                                     fk_error *err);
/* Adds every .png file of a directory; a file's stem, unescaped, is the label. */
FK_PUBLIC fk_code fk_draft_add_glyph_directory(fk_draft *draft, const char *path, fk_error *err);
/* A dict; FK_E_INVALID names a known member of the wrong type. */
FK_PUBLIC fk_code fk_draft_set_feedback(fk_draft *draft, const fk_value *feedback, fk_error *err);

/* Publishes the run. A completed run needs weights, a sample and feedback (glyphs may be none):
 * else FK_E_INVALID. FK_E_NOT_DURABLE sets `*ret_run_id` too: the run is there, but its last sync
 * failed. After any answer the draft can only be destroyed. */
FK_PUBLIC fk_code fk_draft_commit(fk_draft *draft, fk_run_id *ret_run_id, fk_error *err);

/* Everything of one run, for fk_save_model. Zero means default. Set `size` to sizeof(fk_model). */
typedef struct fk_model {
    size_t size;
    const fk_value *weights;
    const fk_value *personality_vector; /* a tensor value */
    const fk_value *architecture;
    const fk_image *sample_image;
    const fk_glyph *eval_glyphs;
    size_t eval_glyph_count;
    const fk_value *feedback;
    const fk_run_metadata *metadata; /* or NULL */
} fk_model;

/* Saves a run: create, set, commit in one call. FK_E_USAGE when a completed run lacks weights,
 * sample or feedback. */
FK_PUBLIC fk_code fk_save_model(fk_store *store, const char *font_id, const fk_model *model,
                                fk_run_id *ret_run_id, fk_error *err);

FK_END_DECLS

#endif
