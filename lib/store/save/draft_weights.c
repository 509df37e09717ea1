#include "store/save/draft_weights.h"

#include <stdlib.h>
#include <string.h>

#include "checkpoint/torch_read.h"
#include "checkpoint/torch_write.h"
#include "os/directory.h"
#include "os/file.h"
#include "os/map.h"
#include "store/handle/handle.h"
#include "store/manifest/weights.h"
#include "store/names/layout.h"
#include "store/save/staged_file.h"
#include "value/values.h"

struct fk_weights_plan {
    fk_values *values;
    fk_map file;             /* of a checkpoint file, whose tensors are in `values`; or empty */
    fk_torch_writer *writer; /* or NULL: the bytes of `file` are kept as they are */
    const fk_tensor *personality_vector; /* or NULL */
    uint64_t bytes;
};

void fk_weights_plan_destroy(fk_weights_plan *plan) {
    if (plan == NULL) {
        return;
    }
    fk_torch_writer_destroy(plan->writer);
    fk_values_destroy(plan->values);
    fk_map_finish(&plan->file);
    free(plan);
}

/* ---- planning ----------------------------------------------------------------------------- */

static fk_code create_plan(fk_weights_plan **ret_plan, fk_error *err) {
    fk_weights_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        return fk_error_no_memory(err);
    }
    plan->values = fk_values_create();
    if (plan->values == NULL) {
        free(plan);
        return fk_error_no_memory(err);
    }
    *ret_plan = plan;
    return FK_OK;
}

/* Constructors take values to refer to, not to change. */
static fk_value *refer_to(const fk_value *value) {
    return (fk_value *)(uintptr_t)value;
}

static bool is_dict(const fk_value *value) {
    fk_kind kind = fk_value_kind(value);
    return kind == FK_KIND_DICT || kind == FK_KIND_ORDERED_DICT;
}

static fk_code check_companions(const fk_value *personality_vector, const fk_value *architecture,
                                fk_error *err) {
    if (personality_vector != NULL && fk_value_kind(personality_vector) != FK_KIND_TENSOR) {
        fk_error_set(err, FK_E_INVALID, "the personality vector is of kind %s, not a tensor",
                     fk_kind_name(fk_value_kind(personality_vector)));
        fk_error_hint(err, "give a tensor of any shape");
        return FK_E_INVALID;
    }
    if (architecture != NULL && !is_dict(architecture)) {
        fk_error_set(err, FK_E_INVALID, "the architecture is of kind %s, not a dict",
                     fk_kind_name(fk_value_kind(architecture)));
        fk_error_hint(err, "give a dict, or leave it out to have names and shapes recorded");
        return FK_E_INVALID;
    }
    return FK_OK;
}

static fk_code check_limit(fk_store *store, uint64_t bytes, fk_error *err) {
    if (bytes <= store->max_weights_bytes) {
        return FK_OK;
    }
    fk_error_set(err, FK_E_LIMIT, "the weights file would be %llu bytes, the limit is %llu",
                 (unsigned long long)bytes, (unsigned long long)store->max_weights_bytes);
    fk_error_hint(err, "save fewer or smaller tensors, or open the store with a higher "
                       "max_weights_bytes");
    fk_error_path(err, FK_WEIGHTS_FILE);
    return FK_E_LIMIT;
}

static fk_code check_space(fk_store *store, uint64_t bytes, fk_error *err) {
    FK_SCOPED(fk_file_closep) int root = -1;
    fk_code code = fk_store_open_root(store, &root, err);
    if (code != FK_OK) {
        return code;
    }
    uint64_t free_bytes = fk_directory_free_bytes(root);
    if (bytes <= free_bytes) {
        return FK_OK;
    }
    fk_error_set(err, FK_E_NO_SPACE, "the weights take %llu bytes, only %llu are free",
                 (unsigned long long)bytes, (unsigned long long)free_bytes);
    fk_error_hint(err, "free space on the disk of the store; nothing was written");
    fk_error_path(err, fk_store_path(store));
    return FK_E_NO_SPACE;
}

static fk_code check_size(fk_store *store, uint64_t bytes, fk_error *err) {
    fk_code code = check_limit(store, bytes, err);
    return code == FK_OK ? check_space(store, bytes, err) : code;
}

/* Wraps the model as version v1 and lays out the file. */
static fk_code plan_values(fk_store *store, fk_weights_plan *plan, const fk_value *model,
                           const fk_value *personality_vector, const fk_value *architecture,
                           fk_error *err) {
    fk_value *top = NULL;
    fk_code code = fk_weights_wrap(plan->values, refer_to(model), refer_to(personality_vector),
                                   refer_to(architecture), &top, err);
    if (code == FK_OK) {
        code = fk_torch_writer_create(top, &plan->writer, err);
    }
    if (code != FK_OK) {
        return code;
    }
    if (personality_vector != NULL) {
        plan->personality_vector = fk_value_as_tensor(personality_vector);
    }
    plan->bytes = fk_torch_writer_bytes(plan->writer);
    return check_size(store, plan->bytes, err);
}

fk_code fk_weights_plan_create(fk_store *store, const fk_value *weights,
                               const fk_value *personality_vector, const fk_value *architecture,
                               fk_weights_plan **ret_plan, fk_error *err) {
    FK_SCOPED(fk_weights_plan_destroyp) fk_weights_plan *plan = NULL;
    if (weights == NULL) {
        return fk_error_set(err, FK_E_USAGE, "there are no weights");
    }
    fk_code code = check_companions(personality_vector, architecture, err);
    if (code == FK_OK) {
        code = create_plan(&plan, err);
    }
    if (code == FK_OK) {
        code = plan_values(store, plan, weights, personality_vector, architecture, err);
    }
    if (code == FK_OK) {
        *ret_plan = fk_take(plan);
    }
    return code;
}

/* ---- from a file -------------------------------------------------------------------------- */

/* Reads the whole file into memory of our own: what was checked is what will be written. */
static fk_code read_file(fk_store *store, const char *path, fk_weights_plan *plan, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    struct stat status;
    fk_code code = fk_file_open_path(path, &fd, &status, err);
    if (code == FK_OK) {
        code = check_limit(store, (uint64_t)status.st_size, err);
    }
    if (code == FK_OK) {
        code = fk_map_allocate((size_t)status.st_size, &plan->file, err);
    }
    if (code == FK_OK) {
        code = fk_file_read_at(fd, plan->file.data, plan->file.bytes, 0, path, err);
    }
    return code;
}

/* A file of version v1 has its vector and architecture already. */
static fk_code keep_file(fk_weights_plan *plan, const fk_weights *found,
                         const fk_value *personality_vector, const fk_value *architecture,
                         fk_error *err) {
    if (personality_vector != NULL || architecture != NULL) {
        fk_error_set(err, FK_E_USAGE, "the file is of version %s and has its own %s",
                     FK_WEIGHTS_VERSION,
                     personality_vector != NULL ? "personality vector" : "architecture");
        fk_error_hint(err, "leave it out");
        return FK_E_USAGE;
    }
    if (found->personality_vector != NULL &&
        fk_value_kind(found->personality_vector) == FK_KIND_TENSOR) {
        plan->personality_vector = fk_value_as_tensor(found->personality_vector);
    }
    plan->bytes = plan->file.bytes;
    return FK_OK;
}

static fk_code wrap_file(fk_store *store, fk_weights_plan *plan, const fk_weights *found,
                         const fk_value *personality_vector, const fk_value *architecture,
                         fk_error *err) {
    if (personality_vector == NULL) {
        fk_error_set(err, FK_E_USAGE, "the file has no personality vector");
        fk_error_hint(err, "give one with --personality (.pt, .npy or .json)");
        return FK_E_USAGE;
    }
    return plan_values(store, plan, found->model, personality_vector, architecture, err);
}

static fk_code plan_file(fk_store *store, fk_weights_plan *plan, const fk_value *personality_vector,
                         const fk_value *architecture, fk_error *err) {
    fk_value *top = NULL;
    fk_weights found = {0};
    fk_code code = fk_torch_read(plan->file.data, plan->file.bytes, FK_READ_CHECK_CRC, plan->values,
                                 &top, err);
    if (code == FK_OK) {
        code = fk_weights_unwrap(top, &found, err);
    }
    if (code != FK_OK) {
        return code;
    }
    return strcmp(found.version, FK_WEIGHTS_VERSION) == 0
               ? keep_file(plan, &found, personality_vector, architecture, err)
               : wrap_file(store, plan, &found, personality_vector, architecture, err);
}

fk_code fk_weights_plan_create_from_file(fk_store *store, const char *path,
                                         const fk_value *personality_vector,
                                         const fk_value *architecture, fk_weights_plan **ret_plan,
                                         fk_error *err) {
    FK_SCOPED(fk_weights_plan_destroyp) fk_weights_plan *plan = NULL;
    fk_code code = check_companions(personality_vector, architecture, err);
    if (code == FK_OK) {
        code = create_plan(&plan, err);
    }
    if (code == FK_OK) {
        code = read_file(store, path, plan, err);
    }
    if (code == FK_OK) {
        code = plan_file(store, plan, personality_vector, architecture, err);
    }
    if (code != FK_OK) {
        fk_error_path(err, path);
        return code;
    }
    *ret_plan = fk_take(plan);
    return FK_OK;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* The bytes of a file that is kept, with progress. */
static fk_code write_kept(fk_draft *draft, const fk_weights_plan *plan, const fk_sink *sink,
                          fk_error *err) {
    const uint8_t *bytes = plan->file.data;
    for (uint64_t done = 0; done < plan->bytes;) {
        uint64_t rest = plan->bytes - done;
        uint64_t now = rest < FK_STREAM_CHUNK_BYTES ? rest : FK_STREAM_CHUNK_BYTES;
        fk_code code = fk_sink_write(sink, bytes + done, (size_t)now, NULL, err);
        done += now;
        if (code != FK_OK) {
            return code;
        }
        if (draft->progress != NULL &&
            draft->progress(done, plan->bytes, draft->progress_user) != 0) {
            return fk_error_set(err, FK_E_CANCELLED, "cancelled while weights were written");
        }
    }
    return FK_OK;
}

static fk_code write_content(fk_draft *draft, fk_weights_plan *plan, fk_staged_file *file,
                             fk_error *err) {
    fk_sink sink = fk_staged_file_sink(file);
    return plan->writer != NULL ? fk_torch_writer_write(plan->writer, &sink, draft->progress,
                                                        draft->progress_user, err)
                                : write_kept(draft, plan, &sink, err);
}

static fk_code begin_file(fk_draft *draft, fk_weights_plan *plan, fk_staged_file **ret_file,
                          fk_error *err) {
    FK_SCOPED(fk_staged_file_destroyp) fk_staged_file *file = NULL;
    fk_code code = fk_staged_file_create(draft->stage.directory, FK_WEIGHTS_FILE, plan->bytes,
                                         draft->stage.durable, &file, err);
    if (code == FK_OK) {
        code = write_content(draft, plan, file, err);
    }
    if (code == FK_OK) {
        *ret_file = fk_take(file);
    } else {
        fk_error_path_join(err, draft->where.path);
    }
    return code;
}

static fk_code finish_file(fk_draft *draft, fk_staged_file *file, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_file_digests digests = {0};
    fk_code code = fk_staged_file_finish(file, &fd, &digests, err);
    if (code != FK_OK) {
        fk_error_path_join(err, draft->where.path);
        return code;
    }
    code = fk_stage_keep(&draft->stage, FK_WEIGHTS_FILE, &fd, err);
    if (code == FK_OK) {
        return fk_manifest_files_add(&draft->files, FK_WEIGHTS_FILE, NULL, &digests, err);
    }
    fk_file_digests_finish(&digests);
    return code;
}

fk_code fk_draft_note_personality(fk_draft *draft, const fk_tensor *tensor, fk_error *err) {
    if (tensor == NULL) {
        return FK_OK;
    }
    fk_tensor *copy = fk_values_allocate(draft->values, sizeof *copy);
    int64_t *shape = fk_values_allocate(draft->values, tensor->rank * sizeof *shape);
    if (copy == NULL || shape == NULL) {
        return fk_error_no_memory(err);
    }
    if (tensor->rank > 0) {
        memcpy(shape, tensor->shape, tensor->rank * sizeof *shape);
    }
    *copy = (fk_tensor){.dtype = tensor->dtype, .rank = tensor->rank, .shape = shape};
    draft->personality_vector = copy;
    return FK_OK;
}

static fk_code check_open(const fk_draft *draft, fk_error *err) {
    return fk_draft_check_open(draft, draft->has_weights, "weights", err);
}

fk_code fk_draft_begin_weights(fk_draft *draft, fk_weights_plan *plan, fk_staged_file **ret_file,
                               fk_error *err) {
    fk_code code = check_open(draft, err);
    if (code != FK_OK) {
        return code;
    }
    return fk_draft_written(draft, begin_file(draft, plan, ret_file, err));
}

fk_code fk_draft_finish_weights(fk_draft *draft, const fk_weights_plan *plan, fk_staged_file *file,
                                fk_error *err) {
    fk_code code = finish_file(draft, file, err);
    if (code == FK_OK) {
        code = fk_draft_note_personality(draft, plan->personality_vector, err);
    }
    if (code == FK_OK) {
        draft->has_weights = true;
        draft->weights_bytes = plan->bytes;
        draft->weights_version = FK_WEIGHTS_VERSION;
    }
    return fk_draft_written(draft, code);
}

fk_code fk_draft_set_planned_weights(fk_draft *draft, fk_weights_plan *plan, fk_error *err) {
    FK_SCOPED(fk_staged_file_destroyp) fk_staged_file *file = NULL;
    fk_code code = fk_draft_begin_weights(draft, plan, &file, err);
    return code == FK_OK ? fk_draft_finish_weights(draft, plan, file, err) : code;
}

fk_code fk_draft_set_weights(fk_draft *draft, const fk_value *weights,
                             const fk_value *personality_vector, const fk_value *architecture,
                             fk_error *err) {
    FK_SCOPED(fk_weights_plan_destroyp) fk_weights_plan *plan = NULL;
    fk_code code = check_open(draft, err);
    if (code == FK_OK) {
        code = fk_weights_plan_create(draft->store, weights, personality_vector, architecture,
                                      &plan, err);
    }
    return code == FK_OK ? fk_draft_set_planned_weights(draft, plan, err) : code;
}

fk_code fk_draft_set_weights_file(fk_draft *draft, const char *path,
                                  const fk_value *personality_vector, const fk_value *architecture,
                                  fk_error *err) {
    FK_SCOPED(fk_weights_plan_destroyp) fk_weights_plan *plan = NULL;
    fk_code code = check_open(draft, err);
    if (code == FK_OK) {
        code = fk_weights_plan_create_from_file(draft->store, path, personality_vector,
                                                architecture, &plan, err);
    }
    return code == FK_OK ? fk_draft_set_planned_weights(draft, plan, err) : code;
}
