#include "checkpoint/torch_format.h"

#include <stdbool.h>
#include <string.h>

#include "checkpoint/little_endian.h"

#define HINT_RESAVE                                                                                \
    "load it with torch.load and save it again with torch.save of PyTorch 1.6 or newer"
#define HINT_WRONG "give a file that torch.save wrote"

static const struct {
    size_t offset; /* where the magic stands */
    const char *magic;
    size_t magic_bytes;
    const char *name;
    const char *hint;
} formats[] = {
    {0, "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19\x2E", 15,
     "a PyTorch checkpoint of the time before 1.6 (legacy format)", HINT_RESAVE},
    {257, "ustar", 5, "a PyTorch checkpoint of the time before 0.1.10 (tar format)", HINT_RESAVE},
    {0, "PYTORCH1", 8, "a preview of PyTorch's archive format", HINT_RESAVE},
    {0, "\x93NUMPY", 6, "a NumPy array", HINT_WRONG},
    {0, "7z\xBC\xAF\x27\x1C", 6, "a 7z archive", HINT_WRONG},
    {0, "\x1F\x8B", 2, "a gzip file", "unpack it with gunzip"},
    {0, "version https://git-lfs", 23, "a Git LFS pointer, not the file itself",
     "run git lfs pull"},
    {0, "<!DOCTYPE", 9, "a web page", "download the file itself"},
    {0, "<html", 5, "a web page", "download the file itself"},
    {0, "\x80\x02", 2, "a bare pickle, no PyTorch checkpoint", HINT_WRONG},
    {0, "\x80\x03", 2, "a bare pickle, no PyTorch checkpoint", HINT_WRONG},
    {0, "\x80\x04", 2, "a bare pickle, no PyTorch checkpoint", HINT_WRONG},
    {0, "\x80\x05", 2, "a bare pickle, no PyTorch checkpoint", HINT_WRONG},
};

static fk_code refuse(fk_error *err, const char *name, const char *hint) {
    fk_error_set(err, FK_E_UNSUPPORTED, "the file is %s", name);
    fk_error_subject(err, FK_SUBJECT_DATA);
    fk_error_offset(err, 0);
    fk_error_hint(err, "%s", hint);
    return FK_E_UNSUPPORTED;
}

static fk_code damaged(fk_error *err, uint64_t offset, const char *what) {
    fk_error_set(err, FK_E_CORRUPT, "%s", what);
    fk_error_offset(err, offset);
    fk_error_hint(err, "restore the file from a copy");
    return FK_E_CORRUPT;
}

/* Header length u64, then JSON. */
static bool is_safetensors(const uint8_t *bytes, size_t length) {
    return length > 10 && fk_little_u64(bytes) <= length - 8 && bytes[8] == '{';
}

/* The start is damaged, but the last bytes are a zip archive's. */
static bool ends_as_zip(const uint8_t *bytes, size_t length) {
    return length >= 22 && memcmp(bytes + length - 22, "PK\5\6", 4) == 0;
}

fk_code fk_torch_format_refuse(const uint8_t *bytes, size_t length, fk_error *err) {
    if (length == 0) {
        return damaged(err, 0, "the file is empty");
    }
    if (memcmp(bytes, "PK\3\4", length < 4 ? length : 4) == 0) {
        return damaged(err, length, "the file was cut off within its first bytes");
    }
    if (ends_as_zip(bytes, length)) {
        return damaged(err, 0, "the first bytes of the zip archive are damaged");
    }
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        size_t end = formats[i].offset + formats[i].magic_bytes;
        if (length >= end &&
            memcmp(bytes + formats[i].offset, formats[i].magic, formats[i].magic_bytes) == 0) {
            return refuse(err, formats[i].name, formats[i].hint);
        }
    }
    if (is_safetensors(bytes, length)) {
        return refuse(err, "a safetensors file", "convert it to a PyTorch checkpoint");
    }
    return refuse(err, "no PyTorch checkpoint", HINT_WRONG);
}
