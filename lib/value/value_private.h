/* What a value looks like in memory; for the files of lib/value alone. */
#ifndef FK_VALUE_VALUE_PRIVATE_H
#define FK_VALUE_VALUE_PRIVATE_H

#include "value/values.h"

/* Items of a sequence, or keys and items of a dict in turn: key 0, item 0, key 1, item 1, ... */
typedef struct fk_items {
    fk_value **slots; /* [capacity], in the arena; grown by moving to a run twice as long */
    size_t used;
    size_t capacity;
    fk_value *attributes;
} fk_items;

typedef struct fk_tensor_view {
    fk_tensor tensor;
    fk_value *attributes;
} fk_tensor_view;

struct fk_value {
    fk_values *values;
    fk_kind kind;
    union {
        bool truth;
        int64_t number;
        double real;
        double complex[2]; /* real, imaginary */
        struct {
            char *bytes; /* a NUL stands behind them */
            size_t length;
        } text;
        fk_items *items;
        fk_tensor_view *view;
    };
};

bool fk_kind_is_text(fk_kind kind);
bool fk_kind_is_sequence(fk_kind kind);
bool fk_kind_is_dict(fk_kind kind);

/* A value of a kind, its content not filled in; NULL when memory is short. */
fk_value *fk_value_allocate(fk_values *values, fk_kind kind);

#endif
