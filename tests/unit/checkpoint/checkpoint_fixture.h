/* A checkpoint of two tensors, {"a": float32[4], "b": int64[2]}, as PyTorch writes it, in aligned
 * memory; any of its records can be given another content. */
#ifndef CHECKPOINT_FIXTURE_H
#define CHECKPOINT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "archive_fixture.h"
#include "checkpoint/torch_read.h"
#include "value/values.h"

#define SIZED(text) text, sizeof text - 1
#define REBUILT(class, key, location, numel)                                                       \
    "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n" class "\nX\1\0\0\0" key        \
                                                                          "X\3\0\0\0" location     \
                                                                          "K" numel "tQK\0K" numel \
                                                                          "\x85K\1\x85\x89NtR"
#define PICKLE_OF_TWO                                                                              \
    "\x80\2}(X\1\0\0\0a" REBUILT("FloatStorage", "0", "cpu",                                       \
                                 "\4") "X\1\0\0\0b" REBUILT("LongStorage", "1", "cpu", "\2") "u."

enum {
    PICKLE,
    FORMAT,
    ALIGNMENT,
    BYTEORDER,
    STORAGE_0,
    STORAGE_1,
    VERSION,
    SERIALIZATION,
    RECORDS
};

static const archive_record two_tensors[RECORDS] = {
    {"archive/data.pkl", SIZED(PICKLE_OF_TWO)},
    {"archive/.format_version", SIZED("1")},
    {"archive/.storage_alignment", SIZED("64")},
    {"archive/byteorder", SIZED("little")},
    {"archive/data/0", SIZED("\0\0\x80\x3F\0\0\0\x40\0\0\x40\x40\0\0\x80\x40")},
    {"archive/data/1", SIZED("\1\2\3\4\5\6\7\x08\x11\x12\x13\x14\x15\x16\x17\x18")},
    {"archive/version", SIZED("3\n")},
    {"archive/.data/serialization_id", SIZED("0000000000000000000000000000000000000000")},
};

typedef struct checkpoint {
    archive built;
    fk_values *values;
    fk_value *top;
    fk_error err;
} checkpoint;

static inline void checkpoint_finish(checkpoint *one) {
    fk_values_destroy(one->values);
    archive_finish(&one->built);
}

/* With `index` below RECORDS, that record gets another name and content (name NULL: it is left
 * out). */
static inline void checkpoint_make(checkpoint *one, size_t index, const char *name,
                                   const void *bytes, size_t length, bool pytorch) {
    archive_record records[RECORDS];
    size_t count = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        records[count] = i == index ? (archive_record){name, bytes, length} : two_tensors[i];
        count += records[count].name != NULL;
    }
    memset(one, 0, sizeof *one);
    archive_build(&one->built, records, count, pytorch);
    one->values = fk_values_create();
}

static inline fk_code checkpoint_read(checkpoint *one, unsigned flags) {
    return fk_torch_read(one->built.file.bytes, one->built.file.length, flags, one->values,
                         &one->top, &one->err);
}

static inline const fk_tensor *tensor_of(const checkpoint *one, const char *key) {
    return fk_value_as_tensor(fk_value_get(one->top, key));
}

#endif
