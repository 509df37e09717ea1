/* A checkpoint of the format before PyTorch 1.6: what is read can be written as a zip checkpoint
 * and read again; what is read can be inspected, too. */
#include "checkpoint/inspection.h"
#include "checkpoint/legacy_read.h"
#include "fuzz.h"
#include "round_trip.h"

enum { INPUT_BYTES_MAX = 1 << 16 };

static fk_code read_file(const uint8_t *bytes, size_t length) {
    FK_SCOPED(fk_freep) uint8_t *copy = fuzz_copy(bytes, length);
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_value *top = NULL;
    fk_error err = {.code = FK_OK};
    fk_code code = fk_legacy_read(copy, length, values, &top, &err);
    fuzz_require((code == FK_OK) == (top != NULL));
    fuzz_require(code == FK_OK || (err.code == code && err.message[0] != '\0'));
    fuzz_require(code == FK_OK || err.offset == FK_NO_OFFSET || err.offset <= length);
    if (code == FK_OK) {
        fuzz_round_trip(top);
    }
    return code;
}

static fk_code inspect_file(const uint8_t *bytes, size_t length) {
    FK_SCOPED(fk_freep) uint8_t *copy = fuzz_copy(bytes, length);
    FK_SCOPED(fk_inspection_destroyp) fk_inspection *inspection = NULL;
    fk_error err = {.code = FK_OK};
    fk_code code = fk_legacy_inspect(copy, length, &inspection, &err);
    fuzz_require((code == FK_OK) == (inspection != NULL));
    fuzz_require(code == FK_OK || err.message[0] != '\0');
    fuzz_require(length == 0 || memcmp(copy, bytes, length) == 0);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    if (length > INPUT_BYTES_MAX) {
        return 0;
    }
    fk_code read = read_file(bytes, length);
    fk_code inspected = inspect_file(bytes, length);
    fuzz_require(read != FK_OK || inspected == FK_OK);
    return 0;
}
