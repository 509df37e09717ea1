/* run.json: heads and whole manifests. The mutator makes `self` right again. */
#include "store/manifest/manifest.h"
#include "digest/digest.h"
#include "fuzz.h"
#include "value/values.h"

static const char ending_start[] = ",\n  \"self\": \"";
enum { ENDING_BYTES = sizeof ending_start - 1 + 64 + 4 };

static fk_manifest_state read_manifest(const char *text, size_t length, bool with_files) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_manifest_state state = FK_MANIFEST_DAMAGED;
    fk_run_info info = {0};
    fk_error err = {.code = FK_OK};
    fuzz_require(fk_manifest_read(text, length, with_files, values, &state, &info, &err) == FK_OK);
    fuzz_require(state == FK_MANIFEST_GOOD || err.message[0] != '\0');
    for (size_t i = 0; state == FK_MANIFEST_GOOD && i < info.file_count; i++) {
        const char *path = info.files[i].path;
        /* no path leads out of the run's directory (I4) */
        fuzz_require(path[0] != '/' && path[0] != '\0' && strstr(path, "..") != path);
        fuzz_require(strstr(path, "/../") == NULL);
        fuzz_require(info.files[i].pieces > 0);
    }
    return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    FK_SCOPED(fk_freep) uint8_t *copy = fuzz_copy(bytes, length);
    fk_manifest_state head = read_manifest((const char *)copy, length, false);
    fk_manifest_state whole = read_manifest((const char *)copy, length, true);
    fuzz_require(whole != FK_MANIFEST_GOOD || head == FK_MANIFEST_GOOD);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t length_max, unsigned seed) {
    char digest[FK_SHA256_HEX_BYTES];
    size_t body = length < ENDING_BYTES ? 0 : length - ENDING_BYTES;
    if (seed % 8 == 0 || length < ENDING_BYTES || length_max < length + ENDING_BYTES) {
        return LLVMFuzzerMutate(bytes, length, length_max);
    }
    body = LLVMFuzzerMutate(bytes, body, length_max - ENDING_BYTES);
    fuzz_require(fk_sha256_hex(bytes, body, digest, NULL) == FK_OK);
    memcpy(bytes + body, ending_start, sizeof ending_start - 1);
    memcpy(bytes + body + sizeof ending_start - 1, digest, 64);
    memcpy(bytes + body + ENDING_BYTES - 4, "\"\n}\n", 4);
    return body + ENDING_BYTES;
}
