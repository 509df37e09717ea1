#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "checkpoint/npy.h"
#include "checkpoint/torch_read.h"
#include "fontkeep/checkpoint.h"
#include "fontkeep/json.h"
#include "os/file.h"
#include "os/map.h"
#include "store/load/element.h"
#include "store/run/pieces.h"
#include "value/values.h"

/* ---- JSON: nested lists of numbers */

typedef struct nested_list {
    fk_dtype dtype;
    uint32_t rank;
    int64_t shape[FK_LIMIT_RANK];
    uint8_t *next; /* where the next element goes */
} nested_list;

/* The shape as the first items of each level tell it. */
static fk_code measure(const fk_value *value, nested_list *list, fk_error *err) {
    list->rank = 0;
    while (fk_value_kind(value) == FK_KIND_LIST) {
        if (list->rank == FK_LIMIT_RANK) {
            return fk_error_set(err, FK_E_LIMIT, "lists are nested more than %u deep",
                                FK_LIMIT_RANK);
        }
        list->shape[list->rank++] = (int64_t)fk_value_count(value);
        if (fk_value_count(value) == 0) {
            return FK_OK;
        }
        value = fk_value_item(value, 0);
    }
    return FK_OK;
}

static fk_code store_items(const fk_value *value, uint32_t level, nested_list *list,
                           fk_error *err) {
    if (level == list->rank) {
        if (!fk_element_store(list->dtype, value, list->next)) {
            fk_error_set(err, FK_E_INVALID, "an element is no %s", fk_dtype_name(list->dtype));
            fk_error_hint(err, "give numbers, nested in lists of equal length");
            return FK_E_INVALID;
        }
        list->next += fk_dtype_bytes(list->dtype);
        return FK_OK;
    }
    if (fk_value_kind(value) != FK_KIND_LIST ||
        (int64_t)fk_value_count(value) != list->shape[level]) {
        fk_error_set(err, FK_E_INVALID, "the lists are not of equal length and depth");
        fk_error_hint(err, "give numbers, nested in lists of equal length");
        return FK_E_INVALID;
    }
    for (size_t i = 0; i < fk_value_count(value); i++) {
        fk_code code = store_items(fk_value_item(value, i), level + 1, list, err);
        if (code != FK_OK) {
            return code;
        }
    }
    return FK_OK;
}

static fk_code make_tensor(nested_list *list, const fk_value *items, fk_values *values,
                           fk_value **ret_tensor, fk_error *err) {
    uint64_t bytes = fk_dtype_bytes(list->dtype);
    for (uint32_t d = 0; d < list->rank; d++) {
        if (!fk_checked_multiply(bytes, (uint64_t)list->shape[d], &bytes) ||
            bytes > FK_LIMIT_JSON_BYTES * 16) {
            return fk_error_set(err, FK_E_LIMIT, "the shape is too large for a JSON file");
        }
    }
    uint8_t *data = fk_values_allocate(values, (size_t)bytes);
    fk_storage *storage = data == NULL ? NULL : fk_storage_create(values, data, bytes);
    if (storage == NULL) {
        return fk_error_no_memory(err);
    }
    list->next = data;
    fk_code code = store_items(items, 0, list, err);
    if (code != FK_OK) {
        return code;
    }
    fk_tensor tensor = {
        .dtype = list->dtype, .rank = list->rank, .shape = list->shape, .storage = storage};
    fk_value *made = fk_value_tensor(values, &tensor);
    if (made == NULL) {
        return fk_error_no_memory(err);
    }
    *ret_tensor = made;
    return FK_OK;
}

/* What fk_export_personality writes says its dtype and shape: an empty list cannot tell them. */
static fk_code read_header(const fk_value *object, nested_list *list, fk_error *err) {
    const fk_value *dtype = fk_value_get(object, "dtype");
    const fk_value *shape = fk_value_get(object, "shape");
    bool good = dtype != NULL && fk_value_kind(dtype) == FK_KIND_STRING && shape != NULL &&
                fk_value_kind(shape) == FK_KIND_LIST && fk_value_count(shape) <= FK_LIMIT_RANK &&
                fk_value_get(object, "values") != NULL;
    list->dtype = good ? fk_dtype_from_name(fk_value_as_text(dtype, NULL)) : FK_DTYPE_NONE;
    list->rank = good ? (uint32_t)fk_value_count(shape) : 0;
    for (uint32_t d = 0; d < list->rank; d++) {
        const fk_value *size = fk_value_item(shape, d);
        good = good && fk_value_kind(size) == FK_KIND_INT && fk_value_as_int(size) >= 0;
        list->shape[d] = good ? fk_value_as_int(size) : 0;
    }
    if (!good || list->dtype == FK_DTYPE_NONE) {
        fk_error_set(err, FK_E_INVALID, "the object has no valid dtype, shape and values");
        fk_error_hint(err, "give a list of numbers, or what an export to JSON wrote");
        return FK_E_INVALID;
    }
    return FK_OK;
}

static fk_code read_json(const fk_map *map, fk_values *values, fk_value **ret_tensor,
                         fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *scratch = fk_values_create();
    fk_value *top = NULL;
    nested_list list = {.dtype = FK_FLOAT32};
    if (scratch == NULL) {
        return fk_error_no_memory(err);
    }
    const char *text = map->bytes == 0 ? "" : map->data;
    fk_code code = fk_json_read(text, map->bytes, scratch, &top, err);
    if (code != FK_OK) {
        return code;
    }
    const fk_value *items = top;
    if (fk_value_kind(top) == FK_KIND_DICT) {
        code = read_header(top, &list, err);
        items = fk_value_get(top, "values");
    } else if (fk_value_kind(top) == FK_KIND_LIST) {
        code = measure(top, &list, err);
    } else {
        code = fk_error_set(err, FK_E_INVALID, "the JSON holds no list of numbers");
        fk_error_hint(err, "give a list of numbers, or what an export to JSON wrote");
    }
    return code == FK_OK ? make_tensor(&list, items, values, ret_tensor, err) : code;
}

/* ---- checkpoints */

static void release_map(void *map) {
    fk_map_finish(map);
    free(map);
}

/* Hands a mapping to an arena, which unmaps it when it is destroyed. */
static fk_code give_map(fk_map *map, fk_values *values, fk_error *err) {
    fk_map *given = malloc(sizeof *given);
    if (given == NULL) {
        return fk_error_no_memory(err);
    }
    *given = *map;
    if (fk_values_on_destroy(values, release_map, given) != FK_OK) {
        free(given);
        return fk_error_no_memory(err);
    }
    *map = (fk_map){0};
    return FK_OK;
}

static fk_code read_checkpoint(fk_map *map, fk_values *values, fk_value **ret_tensor,
                               fk_error *err) {
    uint8_t *bytes = map->data;
    size_t length = map->bytes;
    fk_value *top = NULL;
    fk_code code = give_map(map, values, err);
    if (code == FK_OK) {
        code = fk_torch_read(bytes, length, FK_READ_CHECK_CRC, values, &top, err);
    }
    if (code != FK_OK) {
        return code;
    }
    if (fk_value_kind(top) != FK_KIND_TENSOR) {
        fk_error_set(err, FK_E_INVALID, "the checkpoint holds a %s, not a tensor",
                     fk_kind_name(fk_value_kind(top)));
        fk_error_hint(err, "save the tensor alone: torch.save(tensor, path)");
        return FK_E_INVALID;
    }
    *ret_tensor = top;
    return FK_OK;
}

static bool starts_like_json(const fk_map *map) {
    const char *bytes = map->data;
    for (size_t i = 0; i < map->bytes; i++) {
        if (strchr(" \t\r\n", bytes[i]) == NULL || bytes[i] == '\0') {
            return bytes[i] == '[' || bytes[i] == '{';
        }
    }
    return false;
}

static fk_code no_tensor(fk_error *err) {
    fk_error_set(err, FK_E_UNSUPPORTED, "the file is no .pt, .npy or .json file of a tensor");
    fk_error_subject(err, FK_SUBJECT_DATA);
    fk_error_hint(err, "save it with torch.save or numpy.save, or as a JSON list of numbers");
    return FK_E_UNSUPPORTED;
}

static fk_code read_any(fk_map *map, fk_values *values, fk_value **ret_tensor, fk_error *err) {
    if (map->bytes > 0 && fk_npy_recognise(map->data, map->bytes)) {
        return fk_npy_read(map->data, map->bytes, values, ret_tensor, err);
    }
    if (map->bytes > 0 && fk_torch_recognise(map->data, map->bytes)) {
        return read_checkpoint(map, values, ret_tensor, err);
    }
    return starts_like_json(map) ? read_json(map, values, ret_tensor, err) : no_tensor(err);
}

fk_code fk_read_tensor_file(const char *path, fk_values *values, fk_value **ret_tensor,
                            fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    FK_SCOPED(fk_map_finish) fk_map map = {0};
    struct stat status;
    fk_code code = fk_file_open_path(path, &fd, &status, err);
    if (code == FK_OK) {
        code = fk_map_allocate((size_t)status.st_size, &map, err);
    }
    if (code == FK_OK && map.bytes > 0) {
        fk_pieces_job job = {.fd = fd, .path = path, .bytes = map.bytes, .into = map.data};
        code = fk_pieces_check(&job, NULL, err);
    }
    if (code != FK_OK) {
        return code;
    }
    code = read_any(&map, values, ret_tensor, err);
    if (code != FK_OK) {
        fk_error_path(err, path);
    }
    return code;
}
