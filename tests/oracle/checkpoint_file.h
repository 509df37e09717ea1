/* What the programs of this folder share: files whole in memory, and a sink that writes a file. */
#ifndef FK_ORACLE_CHECKPOINT_FILE_H
#define FK_ORACLE_CHECKPOINT_FILE_H

#include <stdio.h>
#include <stdlib.h>

#include "checkpoint/torch_write.h"
#include "digest/digest.h"

/* The whole file, in memory from malloc, which is 16-byte aligned. Ends the program on failure. */
static inline uint8_t *read_file(const char *path, size_t *ret_length) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    size_t length = (size_t)ftell(file);
    uint8_t *bytes = malloc(length + 1);
    rewind(file);
    if (bytes == NULL || fread(bytes, 1, length, file) != length) {
        perror(path);
        exit(2);
    }
    fclose(file);
    *ret_length = length;
    return bytes;
}

static inline fk_code write_to_file(void *user, const void *from, size_t bytes, uint32_t *crc32,
                                    fk_error *err) {
    if (crc32 != NULL) {
        *crc32 = fk_crc32_update(*crc32, from, bytes);
    }
    if (fwrite(from, 1, bytes, user) != bytes) {
        return fk_error_set(err, FK_E_IO, "file cannot be written");
    }
    return FK_OK;
}

/* Writes a checkpoint; the size planned must be the size of the file. */
static inline fk_code write_checkpoint(const char *path, const fk_value *top, fk_error *err) {
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = NULL;
    fk_code code = fk_torch_writer_create(top, &writer, err);
    if (code != FK_OK) {
        return code;
    }
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    fk_sink sink = {write_to_file, file};
    code = fk_torch_writer_write(writer, &sink, NULL, NULL, err);
    if (code == FK_OK && (uint64_t)ftell(file) != fk_torch_writer_bytes(writer)) {
        code = fk_error_set(err, FK_E_INVALID, "%s has another size than planned", path);
    }
    if (fclose(file) != 0 && code == FK_OK) {
        code = fk_error_set(err, FK_E_IO, "file cannot be written");
    }
    return code;
}

#endif
