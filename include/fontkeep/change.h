/* Changes of runs that are there: each publishes a whole new generation in the run's place, and
 * keeps the one before in the trash. */
#ifndef FONTKEEP_CHANGE_H
#define FONTKEEP_CHANGE_H

#include "fontkeep/draft.h"
#include "fontkeep/store.h"
#include "fontkeep/value.h"

FK_BEGIN_DECLS

/* What became of one run. Borrowed from its list. */
typedef struct fk_change {
    const char *font_id;
    const char *run_id;
    const char *const *changed; /* files of the new generation that are new or others than before,
                                   run.json among them, sorted; none when the run was refused */
    size_t changed_count;
    fk_code code;        /* FK_OK, or why the run was left as it was */
    const char *message; /* of that failure, or "" */
    const char *hint;
    const char *path;       /* of the file that is to blame, or "" */
    const fk_problem *left; /* what is missing or damaged, and stays so: fk_regenerate only */
    size_t left_count;
} fk_change;

typedef struct fk_change_list fk_change_list;

FK_PUBLIC void fk_change_list_destroy(fk_change_list *changes); /* NULL is fine */
FK_PUBLIC size_t fk_change_list_count(const fk_change_list *changes);
FK_PUBLIC const fk_change *fk_change_list_at(const fk_change_list *changes, size_t index);

/* Gives every run of a font that has no manifest one: its files are checked (weights by their CRCs,
 * images and feedback by their format) and digested; weights.pt and weights.pth become `weights`. A
 * run with a damaged file, or with nothing in it, is refused by name, and the others go on. Such a
 * run ended at the instant of its id, and when it started is not known; it is completed when all
 * four of its files are there, else interrupted. FK_E_NOT_DURABLE sets `*ret_changes`, too; the
 * caller destroys it. */
FK_PUBLIC fk_code fk_adopt(fk_store *store, const char *font_id, fk_progress progress,
                           void *progress_user, fk_change_list **ret_changes, fk_error *err);

/* Writes weights of version v0 anew as v1, of one run, or with `run_id` NULL of all runs of the
 * font: the whole top object becomes `model`, `personality_vector` (a tensor value, or NULL) the
 * vector. What was written is read back and compared with the old weights, tensor by tensor, before
 * the generation is published. Runs that are v1 already, or have no weights, are not listed. */
FK_PUBLIC fk_code fk_migrate(fk_store *store, const char *font_id, const char *run_id,
                             const fk_value *personality_vector, fk_progress progress,
                             void *progress_user, fk_change_list **ret_changes, fk_error *err);

/* An image that a renderer is to draw. */
typedef struct fk_rendering {
    const char *label; /* of the glyph; NULL: the sample */
    const char *path;  /* of the image in the run: "eval-glyphs/A.png" */
    fk_run *run;       /* the run that lacks it; fk_run_load_weights gives its weights, verified */
} fk_rendering;

/* Draws an image, and lends it until it is called again or fk_regenerate returns. Every other code
 * than FK_OK ends the call with that error. */
typedef fk_code (*fk_renderer)(const fk_rendering *wanted, fk_image *ret_image, void *user,
                               fk_error *err);

/* Zero means default. Set `size` to sizeof(fk_regenerate_options). */
typedef struct fk_regenerate_options {
    size_t size;
    fk_renderer renderer; /* or NULL: glyphs stay as they are */
    void *renderer_user;
    bool render_sample;   /* the sample is the renderer's, too, instead of a contact sheet */
    fk_progress progress; /* also called between two images */
    void *progress_user;
} fk_regenerate_options;

/* Makes the images of one run anew that are missing or damaged: glyphs by the renderer, sample.png
 * as a contact sheet of the glyphs. Every other file is verified, and stays; damaged weights are
 * FK_E_CORRUPT. What nobody can make anew (feedback.json; glyphs without a renderer) is left as it
 * is, and told in `left`. A run without a manifest that lacks its sample is adopted on the way. The
 * run is always listed; with nothing to make, `changed` is empty and there is no new generation.
 * While a renderer works, other changes of the run are FK_E_BUSY; loads and saves go on.
 * FK_E_NOT_DURABLE sets `*ret_changes`, too. */
FK_PUBLIC fk_code fk_regenerate(fk_store *store, const char *font_id, const char *run_id,
                                const fk_regenerate_options *options, fk_change_list **ret_changes,
                                fk_error *err);

FK_END_DECLS

#endif
