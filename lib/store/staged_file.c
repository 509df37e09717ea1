#include "store/staged_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"

struct fk_staged_file {
    int fd;
    char *path; /* for messages */
    uint8_t *chunk;
    size_t chunk_bytes; /* capacity */
    size_t filled;      /* bytes of the chunk that are not written yet */
    uint64_t written;
    uint64_t kicked; /* bytes whose write-back was started */
    fk_digest_stream *digest;
};

void fk_staged_file_destroy(fk_staged_file *file) {
    if (file == NULL) {
        return;
    }
    fk_file_closep(&file->fd);
    fk_digest_stream_destroy(file->digest);
    free(file->chunk);
    free(file->path);
    free(file);
}

fk_code fk_staged_file_create(int stage, const char *path, uint64_t bytes,
                              fk_staged_file **ret_file, fk_error *err) {
    FK_SCOPED(fk_staged_file_destroyp) fk_staged_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return fk_error_no_memory(err);
    }
    file->fd = -1;
    file->chunk_bytes =
        bytes < FK_STAGED_CHUNK_BYTES ? (size_t)bytes + 1 : (size_t)FK_STAGED_CHUNK_BYTES;
    file->chunk = malloc(file->chunk_bytes);
    file->path = strdup(path);
    if (file->chunk == NULL || file->path == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_digest_stream_create(&file->digest, err);
    if (code == FK_OK) {
        code = fk_file_create(stage, path, &file->fd, err);
    }
    /* A file that one write takes finds out about a full disk there. */
    if (code == FK_OK && bytes > FK_STAGED_CHUNK_BYTES) {
        code = fk_file_reserve(file->fd, bytes, path, err);
    }
    if (code == FK_OK) {
        *ret_file = fk_take(file);
    }
    return code;
}

static fk_code write_chunk(fk_staged_file *file, fk_error *err) {
    if (file->filled == 0) {
        return FK_OK;
    }
    fk_code code = fk_digest_stream_update(file->digest, file->chunk, file->filled, err);
    if (code == FK_OK) {
        code = fk_file_write(file->fd, file->chunk, file->filled, file->path, err);
    }
    if (code != FK_OK) {
        return code;
    }
    file->written += file->filled;
    file->filled = 0;
    if (file->written - file->kicked >= FK_STAGED_KICK_BYTES) {
        fk_file_kick(file->fd, file->kicked, file->written - file->kicked);
        file->kicked = file->written;
    }
    return FK_OK;
}

static fk_code write_bytes(void *user, const void *from, size_t bytes, uint32_t *crc32,
                           fk_error *err) {
    fk_staged_file *file = user;
    const uint8_t *rest = from;
    while (bytes > 0) {
        size_t room = file->chunk_bytes - file->filled;
        size_t now = bytes < room ? bytes : room;
        uint8_t *copy = file->chunk + file->filled;
        memcpy(copy, rest, now);
        if (crc32 != NULL) {
            *crc32 = fk_crc32_update(*crc32, copy, now);
        }
        file->filled += now;
        rest += now;
        bytes -= now;
        if (file->filled == file->chunk_bytes) {
            fk_code code = write_chunk(file, err);
            if (code != FK_OK) {
                return code;
            }
        }
    }
    return FK_OK;
}

fk_sink fk_staged_file_sink(fk_staged_file *file) {
    return (fk_sink){.write = write_bytes, .user = file};
}

fk_code fk_staged_file_finish(fk_staged_file *file, int *ret_fd, fk_file_digests *ret_digests,
                              fk_error *err) {
    assert(file->fd >= 0);
    fk_code code = write_chunk(file, err);
    if (code == FK_OK) {
        code = fk_digest_stream_finish(file->digest, ret_digests, err);
    }
    if (code == FK_OK) {
        *ret_fd = fk_file_take(&file->fd);
    }
    return code;
}
