#include "digest/digest_stream.h"

#include <stdbool.h>
#include <stdlib.h>

#include "digest/digest_thread.h"
#include "digest/piece_list.h"

#define THREAD_BYTES_MIN (UINT64_C(1) << 20) /* smaller files are not worth a thread */

struct fk_digest_stream {
    uint64_t bytes;
    fk_piece_list *sha256; /* the thread's, while there is one */
    fk_piece_list *xxh3;
    fk_digest_thread *thread;
    bool alone; /* a thread could not be had */
};

fk_code fk_digest_stream_create(fk_digest_stream **ret_stream, fk_error *err) {
    FK_SCOPED(fk_digest_stream_destroyp) fk_digest_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_piece_list_create(FK_PIECE_SHA256, &stream->sha256, err);
    if (code == FK_OK) {
        code = fk_piece_list_create(FK_PIECE_XXH3, &stream->xxh3, err);
    }
    if (code == FK_OK) {
        *ret_stream = fk_take(stream);
    }
    return code;
}

void fk_digest_stream_destroy(fk_digest_stream *stream) {
    if (stream != NULL) {
        fk_digest_thread_destroy(stream->thread); /* before what it works on */
        fk_piece_list_destroy(stream->sha256);
        fk_piece_list_destroy(stream->xxh3);
        free(stream);
    }
}

fk_code fk_digest_stream_update(fk_digest_stream *stream, const void *from, size_t bytes,
                                fk_error *err) {
    stream->bytes += bytes;
    if (stream->bytes > THREAD_BYTES_MIN && stream->thread == NULL && !stream->alone) {
        stream->thread = fk_digest_thread_create(stream->sha256);
        stream->alone = stream->thread == NULL;
    }
    fk_code code = stream->thread == NULL
                       ? fk_piece_list_update(stream->sha256, from, bytes, err)
                       : fk_digest_thread_update(stream->thread, from, bytes, err);
    return code == FK_OK ? fk_piece_list_update(stream->xxh3, from, bytes, err) : code;
}

fk_code fk_digest_stream_finish(fk_digest_stream *stream, fk_file_digests *ret_digests,
                                fk_error *err) {
    FK_SCOPED(fk_file_digests_finish) fk_file_digests digests = {.bytes = stream->bytes};
    fk_code code = FK_OK;
    if (stream->thread != NULL) {
        code = fk_digest_thread_finish(stream->thread, err);
    }
    void *texts = NULL;
    if (code == FK_OK) {
        code = fk_piece_list_finish(stream->sha256, &texts, &digests.pieces, err);
        digests.sha256 = texts;
    }
    if (code == FK_OK && stream->bytes >= FK_XXH3_BYTES_MIN) {
        texts = NULL;
        code = fk_piece_list_finish(stream->xxh3, &texts, &digests.pieces, err);
        digests.xxh3 = texts;
    }
    if (code == FK_OK) {
        *ret_digests = digests;
        digests = (fk_file_digests){0};
    }
    return code;
}
