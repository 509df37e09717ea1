/* Nested data: what a checkpoint, a manifest or a feedback file holds.
 *
 * Values live in an fk_values, an arena that owns them all and frees them at once. So values may be
 * shared and may contain themselves, and no value is ever freed alone. A constructor returns NULL
 * when memory is short; every function that takes a value to add accepts NULL and returns
 * FK_E_NO_MEMORY, so a caller may check once. What an accessor returns is borrowed and lives as
 * long as the fk_values. Accessors want the right kind: asking a list for its string is the
 * caller's mistake and aborts.
 */
#ifndef FONTKEEP_VALUE_H
#define FONTKEEP_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fontkeep/dtype.h"
#include "fontkeep/error.h"

FK_BEGIN_DECLS

typedef struct fk_values fk_values;
typedef struct fk_value fk_value;

typedef enum fk_kind {
    FK_KIND_NONE = 0,
    FK_KIND_BOOL,
    FK_KIND_INT,     /* fits 64 bits, signed */
    FK_KIND_BIG_INT, /* two's complement, little endian, at most 255 bytes */
    FK_KIND_FLOAT,
    FK_KIND_COMPLEX,
    FK_KIND_STRING, /* UTF-8; lone surrogates may stand as three bytes each, as Python's
                       surrogatepass writes them */
    FK_KIND_BYTES,
    FK_KIND_BYTEARRAY,
    FK_KIND_LIST,
    FK_KIND_TUPLE,
    FK_KIND_SIZE, /* torch.Size: a tuple of ints */
    FK_KIND_SET,
    FK_KIND_DICT,
    FK_KIND_ORDERED_DICT,
    FK_KIND_COUNTER,
    FK_KIND_DTYPE,   /* torch.float32 as a value: its name */
    FK_KIND_DEVICE,  /* torch.device: its text, "cpu", "cuda:0" */
    FK_KIND_LAYOUT,  /* torch.strided, ...: its name */
    FK_KIND_QSCHEME, /* torch.per_tensor_affine, ...: its name */
    FK_KIND_TENSOR,
} fk_kind;

/* Memory that tensors look at. Two tensors share memory exactly when they name the same fk_storage.
 * The bytes are borrowed: they must outlive the fk_values. */
typedef struct fk_storage {
    void *data;     /* aligned to the element size of every dtype that looks at it; may be NULL when
                       bytes is 0 */
    uint64_t bytes; /* size of the memory */
} fk_storage;

enum {
    FK_TENSOR_REQUIRES_GRAD = 1 << 0,
    FK_TENSOR_PARAMETER = 1 << 1, /* torch.nn.Parameter */
    FK_TENSOR_CONJ = 1 << 2,      /* lazily conjugated: the storage holds the unresolved values */
    FK_TENSOR_NEG = 1 << 3,       /* lazily negated: likewise */
};

/* A strided view of a storage. Elements are in native byte order. */
typedef struct fk_tensor {
    fk_dtype dtype;
    uint32_t flags;         /* FK_TENSOR_* */
    uint32_t rank;          /* dimensions, 0 for a scalar, at most 64 */
    const int64_t *shape;   /* [rank], in elements */
    const int64_t *strides; /* [rank], in elements, not negative; NULL on input means C order, never
                               NULL on output */
    uint64_t offset;        /* of the first element, in elements from the storage's start */
    fk_storage *storage;    /* borrowed from the same fk_values */
} fk_tensor;

/* An empty arena, or NULL when memory is short. The caller destroys it; NULL is fine. */
FK_PUBLIC fk_values *fk_values_create(void);
FK_PUBLIC void fk_values_destroy(fk_values *values);

/* Constructors. Texts and bytes are copied. */
FK_PUBLIC fk_value *fk_value_none(fk_values *values);
FK_PUBLIC fk_value *fk_value_bool(fk_values *values, bool truth);
FK_PUBLIC fk_value *fk_value_int(fk_values *values, int64_t number);
/* `bytes`: two's complement, little endian. FK_KIND_INT where it fits 64 bits. NULL also for more
 * than 255 bytes. */
FK_PUBLIC fk_value *fk_value_big_int(fk_values *values, const void *bytes, size_t length);
FK_PUBLIC fk_value *fk_value_float(fk_values *values, double number);
FK_PUBLIC fk_value *fk_value_complex(fk_values *values, double real, double imaginary);
FK_PUBLIC fk_value *fk_value_string(fk_values *values, const char *text);
/* STRING, BYTES, BYTEARRAY, DTYPE, DEVICE, LAYOUT and QSCHEME: `length` bytes, NULs included. */
FK_PUBLIC fk_value *fk_value_text(fk_values *values, fk_kind kind, const void *bytes,
                                  size_t length);
/* LIST, TUPLE, SIZE, SET, DICT, ORDERED_DICT or COUNTER, empty; items are appended, entries are
 * put. */
FK_PUBLIC fk_value *fk_value_container(fk_values *values, fk_kind kind);
/* A storage over borrowed memory. */
FK_PUBLIC fk_storage *fk_storage_create(fk_values *values, void *data, uint64_t bytes);
/* A tensor. Shape and strides are copied; `storage` must come from the same fk_values. NULL also
 * when the view does not fit its storage, or a size is negative. */
FK_PUBLIC fk_value *fk_value_tensor(fk_values *values, const fk_tensor *tensor);

/* Adds to a LIST, TUPLE, SIZE or SET (a set is not checked for duplicates). FK_E_NO_MEMORY,
 * FK_E_LIMIT. */
FK_PUBLIC fk_code fk_value_append(fk_value *sequence, fk_value *item);
/* Adds an entry at the end of a DICT, ORDERED_DICT or COUNTER; keys are not compared.
 * FK_E_NO_MEMORY, FK_E_LIMIT. */
FK_PUBLIC fk_code fk_value_put(fk_value *dict, fk_value *key, fk_value *item);
/* As fk_value_put with a string key; replaces the entry of that key if there is one. */
FK_PUBLIC fk_code fk_value_set(fk_value *dict, const char *key, fk_value *item);
/* Hangs attributes (a DICT or ORDERED_DICT such as {"_metadata": ...}) on an ORDERED_DICT or
 * TENSOR. */
FK_PUBLIC fk_code fk_value_set_attributes(fk_value *value, fk_value *attributes);

/* A deep copy in another arena, or NULL when memory is short or the nesting is too deep. The bytes
 * of tensors are not copied: storages look at the same memory, and stay shared as they were. */
FK_PUBLIC fk_value *fk_value_copy(fk_values *into, const fk_value *value);

/* Accessors. */
FK_PUBLIC fk_kind fk_value_kind(const fk_value *value);
FK_PUBLIC const char *
fk_kind_name(fk_kind kind); /* "dict", "OrderedDict", "tensor", ...; static text */
FK_PUBLIC bool fk_value_as_bool(const fk_value *value);
FK_PUBLIC int64_t fk_value_as_int(const fk_value *value);
FK_PUBLIC double fk_value_as_float(const fk_value *value); /* FLOAT, or INT converted */
FK_PUBLIC void fk_value_as_complex(const fk_value *value, double *ret_real, double *ret_imaginary);
/* The bytes of a STRING, BYTES, BYTEARRAY, BIG_INT, DTYPE, DEVICE, LAYOUT or QSCHEME, with a NUL
 * behind them. `ret_length` may be NULL. */
FK_PUBLIC const char *fk_value_as_text(const fk_value *value, size_t *ret_length);
FK_PUBLIC const fk_tensor *fk_value_as_tensor(const fk_value *value);
/* Items of a sequence or entries of a dict; 0 for every other kind. */
FK_PUBLIC size_t fk_value_count(const fk_value *value);
FK_PUBLIC fk_value *fk_value_item(const fk_value *container,
                                  size_t index); /* item, or value of entry `index` */
FK_PUBLIC fk_value *fk_value_key(const fk_value *dict, size_t index);
/* The item of a string key, or NULL; also NULL when `dict` is NULL or no dict. */
FK_PUBLIC fk_value *fk_value_get(const fk_value *dict, const char *key);
FK_PUBLIC fk_value *fk_value_attributes(const fk_value *value); /* or NULL */

/* Elements of a tensor (1 for rank 0). */
FK_PUBLIC uint64_t fk_tensor_elements(const fk_tensor *tensor);
/* Address of the first element, or NULL when there are none. */
FK_PUBLIC void *fk_tensor_data(const fk_tensor *tensor);
/* Whether the elements stand in C order without gaps. */
FK_PUBLIC bool fk_tensor_is_contiguous(const fk_tensor *tensor);

FK_END_DECLS

#endif
