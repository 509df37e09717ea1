#include "checkpoint/write_atom.h"

#include <string.h>

#include "base/text.h"
#include "checkpoint/pickle_globals.h"

bool fk_write_atom_is(const fk_value *value) {
    switch (fk_value_kind(value)) {
    case FK_KIND_LIST:
    case FK_KIND_TUPLE:
    case FK_KIND_SET:
    case FK_KIND_DICT:
    case FK_KIND_ORDERED_DICT:
    case FK_KIND_COUNTER:
    case FK_KIND_TENSOR:
        return false;
    default:
        return true;
    }
}

bool fk_write_atom_is_plain(const fk_value *value) {
    switch (fk_value_kind(value)) {
    case FK_KIND_COMPLEX:
    case FK_KIND_BYTES:
    case FK_KIND_BYTEARRAY:
    case FK_KIND_SIZE:
    case FK_KIND_DEVICE:
        return false;
    default:
        return true; /* texts, dtypes and their like are memoised by what they say */
    }
}

/* A name that is no layout of PyTorch would fail to load. */
static const char *const layouts[] = {"strided",    "sparse_coo", "sparse_csr", "sparse_csc",
                                      "sparse_bsr", "sparse_bsc", "_mkldnn",    "jagged"};
static bool is_layout(const char *name) {
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        if (strcmp(name, layouts[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A dtype or qscheme: a global of the module torch, in the table that the reader has, too. */
static void write_torch_name(fk_write_emit *emit, fk_global_kind kind, const char *name) {
    const fk_global *global = fk_global_find((const uint8_t *)"torch", strlen("torch"),
                                             (const uint8_t *)name, strlen(name));
    if (global == NULL || global->kind != kind) {
        fk_write_emit_refuse(emit, FK_E_UNSUPPORTED,
                             kind == FK_GLOBAL_DTYPE
                                 ? "dtype of a name that PyTorch does not know"
                                 : "qscheme of a name that PyTorch does not know");
        return;
    }
    fk_write_emit_global(emit, "torch", name);
}

/* torch.serialization._get_layout("torch.strided"); there is one object of each name. */
static void write_layout(fk_write_emit *emit, const char *name) {
    if (!is_layout(name)) {
        fk_write_emit_refuse(emit, FK_E_UNSUPPORTED, "layout of a name that PyTorch does not know");
        return;
    }
    char text[64] = "torch.";
    size_t length = strlen(text) + fk_text_copy(text + strlen(text), sizeof text - 8, name);
    const fk_write_memo_entry *entry =
        fk_write_memo_find_text(&emit->memo, FK_WRITE_LAYOUT, text, length);
    if (entry != NULL) {
        fk_write_emit_get(emit, entry->index);
        return;
    }
    fk_write_emit_global(emit, "torch.serialization", "_get_layout");
    size_t place = emit->buffer->length + 5; /* behind BINUNICODE and its length */
    fk_write_emit_text(emit, 0, text, length);
    fk_write_emit_tuple(emit, 1);
    fk_write_emit_opcode(emit, FK_WRITE_REDUCE);
    uint32_t index = fk_write_emit_put(emit);
    if (emit->code == FK_OK &&
        !fk_write_memo_put_text(&emit->memo, FK_WRITE_LAYOUT, place, length, index)) {
        fk_write_emit_refuse(emit, FK_E_NO_MEMORY, NULL);
    }
}

/* torch.device("cuda", 0), of the text "cuda:0" */
static void write_device(fk_write_emit *emit, const char *text) {
    size_t type = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
    bool indexed = text[type] == ':';
    size_t digits = indexed ? strspn(text + type + 1, "0123456789") : 0;
    const char *end = text + type + (indexed ? 1 + digits : 0);
    if (type == 0 || *end != '\0' || (indexed && (digits == 0 || digits > 3))) {
        fk_write_emit_refuse(emit, FK_E_UNSUPPORTED, "device that is spelled like none");
        return;
    }
    int64_t index = 0;
    for (size_t i = 0; i < digits; i++) {
        index = 10 * index + (text[type + 1 + i] - '0');
    }
    fk_write_emit_global(emit, "torch", "device");
    fk_write_emit_text(emit, 0, text, type);
    if (indexed) {
        fk_write_emit_int(emit, index);
    }
    fk_write_emit_tuple(emit, indexed ? 2 : 1);
    fk_write_emit_opcode(emit, FK_WRITE_REDUCE);
}

/* _codecs.encode(text, "latin1"). Python spells b"" as bytes(), which weights_only refuses; this it
 * loads. */
static void write_bytes(fk_write_emit *emit, const uint8_t *bytes, size_t length) {
    fk_write_emit_global(emit, "_codecs", "encode");
    fk_write_emit_latin1(emit, bytes, length);
    fk_write_emit_text(emit, FK_WRITE_STRING, "latin1", strlen("latin1"));
    fk_write_emit_tuple(emit, 2);
    fk_write_emit_opcode(emit, FK_WRITE_REDUCE);
}

/* bytearray(bytes), bytearray() when empty */
static void write_bytearray(fk_write_emit *emit, const uint8_t *bytes, size_t length) {
    if (length == 0) {
        fk_write_emit_empty_call(emit, "__builtin__", "bytearray");
        return;
    }
    fk_write_emit_global(emit, "__builtin__", "bytearray");
    write_bytes(emit, bytes, length);
    fk_write_emit_put(emit);
    fk_write_emit_tuple(emit, 1);
    fk_write_emit_opcode(emit, FK_WRITE_REDUCE);
}

static void write_complex(fk_write_emit *emit, const fk_value *value) {
    double real = 0;
    double imaginary = 0;
    fk_value_as_complex(value, &real, &imaginary);
    fk_write_emit_global(emit, "__builtin__", "complex");
    fk_write_emit_float(emit, real);
    fk_write_emit_float(emit, imaginary);
    fk_write_emit_tuple(emit, 2);
    fk_write_emit_opcode(emit, FK_WRITE_REDUCE);
}

/* torch.Size(tuple) */
static void write_size(fk_write_emit *emit, const fk_value *value) {
    size_t count = fk_value_count(value);
    fk_write_emit_global(emit, "torch", "Size");
    if (count == 0 || count > 3) {
        fk_write_emit_opcode(emit, count == 0 ? FK_WRITE_EMPTY_TUPLE : FK_WRITE_MARK);
    }
    for (size_t i = 0; i < count; i++) {
        const fk_value *item = fk_value_item(value, i);
        if (fk_value_kind(item) != FK_KIND_INT) {
            fk_write_emit_refuse(emit, FK_E_UNSUPPORTED,
                                 "torch.Size with an item that is no 64-bit integer");
            return;
        }
        fk_write_emit_int(emit, fk_value_as_int(item));
    }
    if (count != 0) {
        fk_write_emit_tuple(emit, count);
    }
    fk_write_emit_tuple(emit, 1);
    fk_write_emit_opcode(emit, FK_WRITE_REDUCE);
}

/* DTYPE, DEVICE, LAYOUT and QSCHEME: names that end up in GLOBALs, so never as they come. */
static void write_name(fk_write_emit *emit, fk_kind kind, const char *name, size_t length) {
    if (strlen(name) != length) {
        fk_write_emit_refuse(emit, FK_E_UNSUPPORTED, "name with a NUL in it");
    } else if (kind == FK_KIND_DTYPE) {
        write_torch_name(emit, FK_GLOBAL_DTYPE, name);
    } else if (kind == FK_KIND_DEVICE) {
        write_device(emit, name);
    } else if (kind == FK_KIND_LAYOUT) {
        write_layout(emit, name);
    } else {
        write_torch_name(emit, FK_GLOBAL_QSCHEME, name);
    }
}

static void write_text(fk_write_emit *emit, const fk_value *value) {
    size_t length = 0;
    fk_kind kind = fk_value_kind(value);
    const char *text = fk_value_as_text(value, &length);
    if (kind == FK_KIND_STRING) {
        fk_write_emit_string(emit, value, text, length);
    } else if (kind == FK_KIND_BIG_INT) {
        fk_write_emit_big_int(emit, (const uint8_t *)text, length);
    } else if (kind == FK_KIND_BYTES) {
        write_bytes(emit, (const uint8_t *)text, length);
    } else if (kind == FK_KIND_BYTEARRAY) {
        write_bytearray(emit, (const uint8_t *)text, length);
    } else {
        write_name(emit, kind, text, length);
    }
}

void fk_write_atom(fk_write_emit *emit, const fk_value *value) {
    switch (fk_value_kind(value)) {
    case FK_KIND_NONE:
        fk_write_emit_opcode(emit, FK_WRITE_NONE);
        break;
    case FK_KIND_BOOL:
        fk_write_emit_bool(emit, fk_value_as_bool(value));
        break;
    case FK_KIND_INT:
        fk_write_emit_int(emit, fk_value_as_int(value));
        break;
    case FK_KIND_FLOAT:
        fk_write_emit_float(emit, fk_value_as_float(value));
        break;
    case FK_KIND_COMPLEX:
        write_complex(emit, value);
        break;
    case FK_KIND_SIZE:
        write_size(emit, value);
        break;
    default:
        write_text(emit, value);
        break;
    }
}
