#include "store/save/staged_file.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "os/direct_file.h"
#include "os/file.h"
#include "os/map.h"

struct fk_staged_file {
    int fd;
    char *path;  /* for messages */
    fk_map ring; /* of a large file; a small one has `memory` */
    void *memory;
    fk_digest_stream *stream;
    uint8_t *chunk; /* the stream's, of `room` bytes */
    size_t room;
    size_t filled;
    uint64_t bytes;
    uint64_t left; /* bytes that are still to come */
    bool past_cache;
    fk_direct_file direct; /* where past_cache */
    /* the only writer's, from the first push on, where it is not past_cache */
    uint64_t kicked; /* bytes whose write-back was started */
};

void fk_staged_file_destroy(fk_staged_file *file) {
    if (file == NULL) {
        return;
    }
    fk_digest_stream_destroy(file->stream); /* before what it works with */
    fk_file_closep(&file->fd);
    fk_map_finish(&file->ring);
    free(file->memory);
    free(file->path);
    free(file);
}

/* Of a small file: a thread for that would cost more than it saves. */
static bool caller_writes(const fk_staged_file *file) {
    return file->bytes < FK_STAGED_DIRECT_BYTES_MIN;
}

static fk_code write_past_cache(void *user, uint64_t offset, const void *chunk, size_t bytes,
                                fk_error *err) {
    fk_staged_file *file = user;
    return fk_direct_file_write_at(&file->direct, chunk, bytes, offset, err);
}

static fk_code write_next(void *user, uint64_t offset, const void *chunk, size_t bytes,
                          fk_error *err) {
    fk_staged_file *file = user;
    fk_code code = fk_file_write(file->fd, chunk, bytes, file->path, err);
    if (code != FK_OK) {
        return code;
    }
    uint64_t written = offset + bytes;
    uint64_t waiting = written - file->kicked;
    bool ends = written == file->bytes && waiting >= FK_STAGED_KICK_BYTES_MIN;
    if (waiting >= FK_STAGED_KICK_BYTES || ends) {
        fk_file_kick(file->fd, file->kicked, waiting);
        file->kicked = written;
    }
    return FK_OK;
}

/* Huge pages: the disk takes a chunk of them in one go. */
static fk_code allocate(fk_staged_file *file, fk_error *err) {
    size_t bytes = fk_digest_stream_memory(file->left);
    if (bytes > FK_STREAM_CHUNK_BYTES) {
        return fk_map_allocate(bytes, &file->ring, err);
    }
    file->memory = malloc(bytes);
    return file->memory == NULL ? fk_error_no_memory(err) : FK_OK;
}

static fk_code create_file(fk_staged_file *file, int stage, bool durable, fk_error *err) {
    fk_code code = fk_file_create(stage, file->path, &file->fd, err);
    /* A small file finds out about a full disk when it is written. */
    if (code == FK_OK && file->left > FK_STREAM_CHUNK_BYTES) {
        code = fk_file_reserve(file->fd, file->left, file->path, err);
    }
    if (code == FK_OK && durable && file->left >= FK_STAGED_DIRECT_BYTES_MIN) {
        file->past_cache = fk_direct_file_begin(&file->direct, file->fd, file->path);
    }
    return code;
}

static fk_code start(fk_staged_file *file, fk_error *err) {
    fk_chunk_writer writer = {0};
    if (file->past_cache) {
        writer = (fk_chunk_writer){write_past_cache, file, FK_STREAM_WRITERS_MAX};
    } else if (!caller_writes(file)) {
        writer = (fk_chunk_writer){write_next, file, 1}; /* the cache takes one at a time */
    }
    void *memory = file->memory != NULL ? file->memory : file->ring.data;
    fk_code code = fk_digest_stream_create(file->left, memory, &writer, &file->stream, err);
    return code == FK_OK ? fk_digest_stream_next(file->stream, &file->chunk, &file->room, err)
                         : code;
}

fk_code fk_staged_file_create(int stage, const char *path, uint64_t bytes, bool durable,
                              fk_staged_file **ret_file, fk_error *err) {
    FK_SCOPED(fk_staged_file_destroyp) fk_staged_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        return fk_error_no_memory(err);
    }
    file->fd = -1;
    file->bytes = bytes;
    file->left = bytes;
    file->path = strdup(path);
    if (file->path == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = allocate(file, err);
    if (code == FK_OK) {
        code = create_file(file, stage, durable, err);
    }
    if (code == FK_OK) {
        code = start(file, err);
    }
    if (code == FK_OK) {
        *ret_file = fk_take(file);
    }
    return code;
}

/* ---- the content -------------------------------------------------------------------------- */

/* It stays as it is until the next chunk is asked for. */
static fk_code push(fk_staged_file *file, fk_error *err) {
    uint64_t end = file->bytes - file->left;
    fk_digest_stream_push(file->stream);
    return caller_writes(file)
               ? write_next(file, end - file->filled, file->chunk, file->filled, err)
               : FK_OK;
}

static fk_code hand_over(fk_staged_file *file, fk_error *err) {
    fk_code code = push(file, err);
    if (code != FK_OK) {
        return code;
    }
    file->filled = 0;
    return fk_digest_stream_next(file->stream, &file->chunk, &file->room, err);
}

static fk_code write_bytes(void *user, const void *from, size_t bytes, uint32_t *crc32,
                           fk_error *err) {
    fk_staged_file *file = user;
    const uint8_t *rest = from;
    assert(bytes <= file->left);
    while (bytes > 0) {
        if (file->filled == file->room) {
            fk_code code = hand_over(file, err);
            if (code != FK_OK) {
                return code;
            }
        }
        size_t room = file->room - file->filled;
        size_t now = bytes < room ? bytes : room;
        uint8_t *copy = file->chunk + file->filled;
        memcpy(copy, rest, now);
        if (crc32 != NULL) {
            *crc32 = fk_crc32_update(*crc32, copy, now);
        }
        file->filled += now;
        file->left -= now;
        rest += now;
        bytes -= now;
        if (file->left == 0) { /* the last chunk, full or not */
            return push(file, err);
        }
    }
    return FK_OK;
}

fk_sink fk_staged_file_sink(fk_staged_file *file) {
    return (fk_sink){.write = write_bytes, .user = file};
}

fk_code fk_staged_file_finish(fk_staged_file *file, int *ret_fd, fk_file_digests *ret_digests,
                              fk_error *err) {
    assert(file->fd >= 0 && file->left == 0);
    if (file->bytes == 0) { /* an empty file has a chunk, too, and nothing to write */
        fk_digest_stream_push(file->stream);
    }
    fk_code code = fk_digest_stream_finish(file->stream, ret_digests, err);
    if (code == FK_OK) {
        *ret_fd = fk_file_take(&file->fd);
    }
    return code;
}
