#include "checkpoint/npy_header.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint/little_endian.h"

/* "\x93NUMPY" | u8 major | u8 minor | header length, u16 (version 1) or u32 (2 and 3) | header
 * {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } spaces newline | array */
#define MAGIC "\x93NUMPY"
enum {
    MAGIC_BYTES = 6,
    FRONT_BYTES_V1 = 10,
    FRONT_BYTES_V2 = 12,
    ALIGNMENT = 64,
    GROWTH_DIGITS = 21, /* NumPy leaves room for the first dimension to grow to so many digits */
    DESCR_BYTES = 16,
};

/* descr without its byte order */
static const struct {
    const char *descr;
    fk_dtype dtype;
} dtypes[] = {
    {"f4", FK_FLOAT32},   {"f8", FK_FLOAT64},     {"f2", FK_FLOAT16}, {"b1", FK_BOOL},
    {"i1", FK_INT8},      {"i2", FK_INT16},       {"i4", FK_INT32},   {"i8", FK_INT64},
    {"u1", FK_UINT8},     {"u2", FK_UINT16},      {"u4", FK_UINT32},  {"u8", FK_UINT64},
    {"c8", FK_COMPLEX64}, {"c16", FK_COMPLEX128},
};
enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

/* The header's text being parsed. */
typedef struct parser {
    const char *text;
    size_t at;
    size_t length;
    size_t base; /* offset of the text in the file */
    fk_error *err;
} parser;

static fk_code wrong(parser *p, const char *expected) {
    fk_error_set(p->err, FK_E_CORRUPT, "npy header: %s expected", expected);
    fk_error_offset(p->err, p->base + p->at);
    fk_error_hint(p->err, "write the array again with numpy.save");
    return FK_E_CORRUPT;
}

static void skip_space(parser *p) {
    while (p->at < p->length && strchr(" \t\r\n", p->text[p->at]) != NULL && p->text[p->at] != 0) {
        p->at++;
    }
}

/* Takes a token when it is next. */
static bool take(parser *p, const char *token) {
    skip_space(p);
    size_t bytes = strlen(token);
    if (p->length - p->at < bytes || memcmp(p->text + p->at, token, bytes) != 0) {
        return false;
    }
    p->at += bytes;
    return true;
}

/* A string of printable characters without escapes. */
static fk_code parse_string(parser *p, char into[DESCR_BYTES]) {
    const char *quote = take(p, "'") ? "'" : take(p, "\"") ? "\"" : NULL;
    if (quote == NULL) {
        return wrong(p, "string");
    }
    size_t used = 0;
    while (p->at < p->length && p->text[p->at] != *quote) {
        if (p->text[p->at] < 0x20 || p->text[p->at] > 0x7E || p->text[p->at] == '\\' ||
            used + 1 >= DESCR_BYTES) {
            return wrong(p, "short plain string");
        }
        into[used++] = p->text[p->at++];
    }
    into[used] = '\0';
    return take(p, quote) ? FK_OK : wrong(p, "closing quote");
}

static fk_code parse_descr(parser *p, fk_npy_header *header) {
    char descr[DESCR_BYTES];
    skip_space(p);
    if (p->at < p->length && p->text[p->at] == '[') {
        fk_error_set(p->err, FK_E_UNSUPPORTED, "npy array of structures");
        fk_error_subject(p->err, FK_SUBJECT_DATA);
        fk_error_hint(p->err, "save one field of it as an array of numbers");
        return FK_E_UNSUPPORTED;
    }
    fk_code code = parse_string(p, descr);
    if (code != FK_OK) {
        return code;
    }
    const char *type = descr + (*descr != '\0' && strchr("<>|=", *descr) != NULL);
    for (size_t i = 0; i < DTYPES; i++) {
        if (strcmp(type, dtypes[i].descr) == 0) {
            header->dtype = dtypes[i].dtype;
            header->big_endian = *descr == '>';
            return FK_OK;
        }
    }
    fk_error_set(p->err, FK_E_UNSUPPORTED, "npy dtype '%s' has no counterpart in PyTorch", descr);
    fk_error_subject(p->err, FK_SUBJECT_DATA);
    fk_error_offset(p->err, p->base + p->at);
    fk_error_hint(p->err, "convert the array with array.astype('float32') and save it again");
    return FK_E_UNSUPPORTED;
}

static fk_code parse_order(parser *p, fk_npy_header *header) {
    header->fortran_order = take(p, "True");
    return header->fortran_order || take(p, "False") ? FK_OK : wrong(p, "True or False");
}

static fk_code parse_extent(parser *p, int64_t *ret_extent) {
    int64_t extent = 0;
    size_t from = p->at;
    while (p->at < p->length && isdigit((unsigned char)p->text[p->at])) {
        if (__builtin_mul_overflow(extent, 10, &extent) ||
            __builtin_add_overflow(extent, p->text[p->at] - '0', &extent)) {
            return wrong(p, "dimension below 2^63");
        }
        p->at++;
    }
    if (p->at == from) {
        return wrong(p, "dimension");
    }
    /* Python 2 wrote long integers as 3L */
    if (p->at < p->length && p->text[p->at] == 'L') {
        p->at++;
    }
    *ret_extent = extent;
    return FK_OK;
}

/* (), (3,), (3, 4), (3, 4,) */
static fk_code parse_shape(parser *p, fk_npy_header *header) {
    if (!take(p, "(")) {
        return wrong(p, "tuple");
    }
    bool comma = true;
    header->rank = 0;
    while (!take(p, ")")) {
        if (!comma) {
            return wrong(p, "comma");
        }
        if (header->rank == FK_LIMIT_RANK) {
            return fk_error_set(p->err, FK_E_LIMIT, "npy array of more than %u dimensions",
                                FK_LIMIT_RANK);
        }
        skip_space(p);
        fk_code code = parse_extent(p, &header->shape[header->rank]);
        if (code != FK_OK) {
            return code;
        }
        header->rank++;
        comma = take(p, ",");
    }
    return header->rank == 1 && !comma ? wrong(p, "comma in a tuple of one") : FK_OK;
}

static fk_code parse_member(parser *p, fk_npy_header *header, unsigned *seen) {
    static const struct {
        const char *key;
        fk_code (*parse)(parser *p, fk_npy_header *header);
    } members[] = {{"descr", parse_descr}, {"fortran_order", parse_order}, {"shape", parse_shape}};
    char key[DESCR_BYTES];
    fk_code code = parse_string(p, key);
    if (code != FK_OK) {
        return code;
    }
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(key, members[i].key) == 0 && (*seen & 1u << i) == 0) {
            *seen |= 1u << i;
            return take(p, ":") ? members[i].parse(p, header) : wrong(p, "colon");
        }
    }
    return wrong(p, "'descr', 'fortran_order' and 'shape', each once,");
}

static fk_code parse_dict(parser *p, fk_npy_header *header) {
    unsigned seen = 0;
    bool comma = true;
    if (!take(p, "{")) {
        return wrong(p, "dict");
    }
    while (!take(p, "}")) {
        if (!comma) {
            return wrong(p, "comma");
        }
        fk_code code = parse_member(p, header, &seen);
        if (code != FK_OK) {
            return code;
        }
        comma = take(p, ",");
    }
    skip_space(p);
    if (seen != 7) {
        return wrong(p, "'descr', 'fortran_order' and 'shape'");
    }
    return p->at == p->length ? FK_OK : wrong(p, "end of the header");
}

static fk_code truncated(size_t length, fk_error *err) {
    fk_error_set(err, FK_E_CORRUPT, "npy file ends within its header");
    fk_error_offset(err, length);
    fk_error_hint(err, "copy the file again from where it came from");
    return FK_E_CORRUPT;
}

fk_code fk_npy_header_read(const uint8_t *bytes, size_t length, fk_npy_header *ret_header,
                           fk_error *err) {
    if (length < MAGIC_BYTES || memcmp(bytes, MAGIC, MAGIC_BYTES) != 0) {
        fk_error_set(err, FK_E_UNSUPPORTED, "no npy file: it does not start with \\x93NUMPY");
        fk_error_subject(err, FK_SUBJECT_DATA);
        fk_error_hint(err, "write the array with numpy.save");
        return FK_E_UNSUPPORTED;
    }
    if (length < FRONT_BYTES_V2) {
        return truncated(length, err);
    }
    uint8_t major = bytes[6];
    if (major < 1 || major > 3 || bytes[7] != 0) {
        fk_error_set(err, FK_E_UNSUPPORTED, "npy format version %u.%u; 1.0 to 3.0 are known", major,
                     bytes[7]);
        fk_error_subject(err, FK_SUBJECT_DATA);
        fk_error_hint(err, "write the array again with numpy.save");
        return FK_E_UNSUPPORTED;
    }
    size_t front = major == 1 ? FRONT_BYTES_V1 : FRONT_BYTES_V2;
    size_t header_bytes = major == 1 ? fk_little_u16(bytes + 8) : fk_little_u32(bytes + 8);
    if (header_bytes > length - front) {
        return truncated(length, err);
    }
    fk_npy_header header = {.data = front + header_bytes};
    parser p = {
        .text = (const char *)bytes + front, .length = header_bytes, .base = front, .err = err};
    fk_code code = parse_dict(&p, &header);
    if (code == FK_OK) {
        *ret_header = header;
    }
    return code;
}

static void append_shape(fk_buffer *header, uint32_t rank, const int64_t *shape) {
    for (uint32_t i = 0; i < rank; i++) {
        fk_buffer_append_format(header, i == 0 ? "%" PRId64 : ", %" PRId64, shape[i]);
    }
    if (rank == 1) {
        fk_buffer_append_byte(header, ',');
    }
}

static void append_padding(fk_buffer *header, uint32_t rank, const int64_t *shape) {
    int spare = rank == 0 ? 0 : GROWTH_DIGITS - snprintf(NULL, 0, "%" PRId64, shape[0]);
    size_t spaces = spare > 0 ? (size_t)spare : 0;
    /* at least one, even where none is needed: so does NumPy */
    spaces += ALIGNMENT - (FRONT_BYTES_V1 + header->length + spaces + 1) % ALIGNMENT;
    for (size_t i = 0; i < spaces; i++) {
        fk_buffer_append_byte(header, ' ');
    }
    fk_buffer_append_byte(header, '\n');
}

fk_code fk_npy_header_write(fk_buffer *buffer, fk_dtype dtype, uint32_t rank, const int64_t *shape,
                            fk_error *err) {
    const char *descr = NULL;
    for (size_t i = 0; i < DTYPES; i++) {
        descr = dtypes[i].dtype == dtype ? dtypes[i].descr : descr;
    }
    if (descr == NULL) {
        fk_error_set(err, FK_E_UNSUPPORTED, "NumPy has no dtype %s", fk_dtype_name(dtype));
        fk_error_subject(err, FK_SUBJECT_DATA);
        fk_error_hint(err, "use another format, or convert the tensor to float32");
        return FK_E_UNSUPPORTED;
    }
    FK_SCOPED(fk_buffer_finish) fk_buffer header = {0};
    fk_buffer_append_format(&header, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                            fk_dtype_bytes(dtype) == 1 ? '|' : '<', descr);
    append_shape(&header, rank, shape);
    fk_buffer_append_text(&header, "), }");
    append_padding(&header, rank, shape);
    fk_buffer_append(buffer, MAGIC "\x01\x00", MAGIC_BYTES + 2);
    fk_buffer_append_u16(buffer, (uint16_t)header.length);
    fk_buffer_append(buffer, header.bytes, header.length);
    return header.failed || buffer->failed ? fk_error_no_memory(err) : FK_OK;
}
