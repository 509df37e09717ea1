/* The pickle of a checkpoint alone, strict and lenient, what the strict reader
 * makes of it written again. Every key has a storage, of the size that is first
 * asked for. */
#include "checkpoint/pickle_read.h"
#include "fuzz.h"
#include "round_trip.h"

enum { INPUT_BYTES_MAX = 1 << 14, KEYS = 10, STORAGE_BYTES_MAX = 4096 };

typedef struct storages {
    fk_values *values;
    fk_storage *of[KEYS]; /* by key, a digit */
    bool lenient;
    double memory[KEYS][STORAGE_BYTES_MAX / sizeof(double)];
} storages;

static fk_code give_storage(void *user, const char *key, fk_dtype dtype, const char *location,
                            uint64_t elements, fk_storage **ret_storage, fk_error *err) {
    storages *all = user;
    (void)location;
    unsigned index = (unsigned)key[0] - '0';
    uint64_t bytes = elements * (dtype == FK_DTYPE_NONE ? 1 : fk_dtype_bytes(dtype));
    if (index >= KEYS || elements > STORAGE_BYTES_MAX || bytes > STORAGE_BYTES_MAX ||
        (all->of[index] != NULL && all->of[index]->bytes != bytes)) {
        return fk_error_set(err, FK_E_CORRUPT, "no such storage");
    }
    if (all->of[index] == NULL) {
        all->of[index] = fk_storage_create(all->values, all->memory[index], bytes);
    }
    *ret_storage = all->of[index];
    return FK_OK;
}

static fk_code pass_global(void *user, const char *module, const char *name, bool call,
                           uint64_t offset, fk_error *err) {
    (void)user, (void)call, (void)offset, (void)err;
    fuzz_require(strlen(module) <= INPUT_BYTES_MAX && strlen(name) <= INPUT_BYTES_MAX);
    return FK_OK;
}

static fk_code pass_opcode(void *user, const char *opcode, uint64_t offset, fk_error *err) {
    (void)user, (void)offset, (void)err;
    fuzz_require(opcode[0] != '\0');
    return FK_OK;
}

static fk_code ignore(void *user, const char *path, const fk_value *value, fk_error *err) {
    (void)user, (void)value, (void)err;
    fuzz_require(path != NULL);
    return FK_OK;
}

static fk_code read_pickle(const uint8_t *bytes, size_t length, bool lenient) {
    static storages all;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_pickle_host host = {.storage = give_storage, .user = &all};
    fk_value *top = NULL;
    fk_error err = {.code = FK_OK};
    size_t used = 0;
    memset(all.of, 0, sizeof all.of);
    all.values = values;
    if (lenient) {
        host.unknown = pass_global;
        host.foreign = pass_opcode;
    }
    fk_code code =
        fk_pickle_read(bytes, length, 0, &host, values, &top, lenient ? &used : NULL, &err);
    fuzz_require(code == FK_OK ||
                 (err.message[0] != '\0' && (err.offset <= length || err.offset == FK_NO_OFFSET)));
    if (code == FK_OK) {
        fk_code walked = fk_value_walk(top, "", ignore, NULL, &err);
        fuzz_require(walked == FK_OK || walked == FK_E_LIMIT);
    }
    if (code == FK_OK && !lenient) {
        fuzz_round_trip(top);
    }
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    if (length == 0 || length > INPUT_BYTES_MAX) {
        return 0;
    }
    FK_SCOPED(fk_freep) uint8_t *copy = fuzz_copy(bytes, length);
    fk_code strict = read_pickle(copy, length, false);
    fk_code lenient = read_pickle(copy, length, true);
    fuzz_require(strict != FK_OK || lenient == FK_OK);
    return 0;
}
