/* Checkpoint files outside a store: what is in them, without executing anything. */
#ifndef FONTKEEP_CHECKPOINT_H
#define FONTKEEP_CHECKPOINT_H

#include "fontkeep/run.h"
#include "fontkeep/value.h"

FK_BEGIN_DECLS

typedef struct fk_tensor_info {
    const char *name;  /* dotted path in the stored object: "model.0.weight" */
    const char *dtype; /* "float32" */
    size_t rank;
    const int64_t *shape; /* [rank] */
    uint64_t bytes;       /* logical size: elements x bytes per element */
} fk_tensor_info;

/* What a file holds. Findings use fk_problem: `code` is a word such as "global" (a pickle would
 * import or call something), "crc", "trailing"; `offset` is a byte of the file. */
typedef struct fk_inspection {
    const char *format; /* "pytorch-zip", "pytorch-legacy", "npy" */
    const fk_tensor_info *tensors;
    size_t tensor_count;
    const fk_problem *findings;
    size_t finding_count;
} fk_inspection;

/* Lists the tensors of a checkpoint file, and anything suspicious. FK_E_UNSUPPORTED: no checkpoint;
 * FK_E_CORRUPT: a damaged one; FK_E_LIMIT. The caller destroys the result. */
FK_PUBLIC fk_code fk_inspect_file(const char *path, fk_inspection **ret_inspection, fk_error *err);
/* The same for the weights of a run. */
FK_PUBLIC fk_code fk_inspect_run(struct fk_store *store, const char *font_id, const char *run_id,
                                 fk_inspection **ret_inspection, fk_error *err);
FK_PUBLIC void fk_inspection_destroy(fk_inspection *inspection);

/* Reads a tensor from a .pt, .npy or .json file (a list of numbers, nested for more dimensions:
 * float32; or what fk_export_personality writes). The values, and the bytes they look at, belong to
 * `values`. */
FK_PUBLIC fk_code fk_read_tensor_file(const char *path, fk_values *values, fk_value **ret_tensor,
                                      fk_error *err);

FK_END_DECLS

#endif
