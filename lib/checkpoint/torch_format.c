#include "checkpoint/torch_format.h"

#include <stdbool.h>
#include <string.h>

#include "checkpoint/little_endian.h"

#define HINT_RESAVE                                                                                \
    "load it with torch.load and save it again with torch.save of PyTorch 1.6 or newer"
#define HINT_TRUST                                                                                 \
    "if you trust it, load it with torch.load(weights_only=False) and save it again with torch.save"
#define HINT_WRONG "give a file that torch.save wrote"

static const struct {
    size_t offset; /* where the magic stands */
    const char *magic;
    size_t magic_bytes;
    const char *name;
    const char *hint;
} formats[] = {
    {0, "PYTORCH1", 8, "a preview of PyTorch's archive format", HINT_RESAVE},
    {0, "\x93NUMPY", 6, "a NumPy array", HINT_WRONG},
    {0, "\x89HDF\r\n\x1A\n", 8, "an HDF5 file", "load it where it was written, and torch.save it"},
    {0, "GGUF", 4, "a GGUF file", "use the checkpoint that it was made from"},
    {0, "7z\xBC\xAF\x27\x1C", 6, "a 7z archive", "unpack it with 7z, if you trust it"},
    {0, "\x1F\x8B", 2, "a gzip file", "unpack it with gunzip"},
    {0, "BZh", 3, "a bzip2 file", "unpack it with bunzip2"},
    {0,
     "\xFD"
     "7zXZ",
     6, "an xz file", "unpack it with unxz"},
    {0, "\x28\xB5\x2F\xFD", 4, "a Zstandard file", "unpack it with unzstd"},
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

/* Any tar archive has this word; a checkpoint starts with one of four members. */
static bool is_tar(const uint8_t *bytes, size_t length, bool *ret_checkpoint) {
    static const char *const members[] = {"sys_info", "pickle", "storages", "tensors"};
    *ret_checkpoint = false;
    if (length < 512 || memcmp(bytes + 257, "ustar", 5) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const char *name = (const char *)bytes + (memcmp(bytes, "./", 2) == 0 ? 2 : 0);
        *ret_checkpoint = *ret_checkpoint || strncmp(name, members[i], 98) == 0;
    }
    return true;
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
        return refuse(err, "a safetensors file",
                      "load it with safetensors.torch.load_file and save it with torch.save");
    }
    bool checkpoint;
    if (is_tar(bytes, length, &checkpoint)) {
        return checkpoint
                   ? refuse(err, "a PyTorch checkpoint of the time before 0.1.10 (tar format)",
                            HINT_TRUST)
                   : refuse(err, "a tar archive", "unpack it with tar");
    }
    return refuse(err, "no PyTorch checkpoint", HINT_WRONG);
}
