/* A whole checkpoint file: the strict reader, with and without CRCs, what it reads written again;
 * the lenient reader; the search for damage; and what can be salvaged. */
#include "checkpoint/inspection.h"
#include "checkpoint/torch_damage.h"
#include "checkpoint/torch_read.h"
#include "checkpoint_mend.h"
#include "fuzz.h"
#include "round_trip.h"

enum { INPUT_BYTES_MAX = 1 << 16 };

static fk_code read_strictly(const uint8_t *bytes, size_t length, unsigned flags) {
    FK_SCOPED(fk_freep) uint8_t *copy = fuzz_copy(bytes, length);
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_value *top = NULL;
    fk_error err = {.code = FK_OK};
    fk_code code = fk_torch_read(copy, length, flags, values, &top, &err);
    fuzz_require((code == FK_OK) == (top != NULL));
    fuzz_require(code == FK_OK || (err.code == code && err.message[0] != '\0'));
    fuzz_require(code == FK_OK || err.offset == FK_NO_OFFSET || err.offset <= length);
    if (code == FK_OK) {
        fuzz_round_trip(top);
    }
    return code;
}

static fk_code look(const uint8_t *bytes, size_t length) {
    FK_SCOPED(fk_inspection_destroyp) fk_inspection *inspection = NULL;
    fk_error err = {.code = FK_OK};
    fk_code code = fk_torch_inspect(bytes, length, &inspection, &err);
    fuzz_require((code == FK_OK) == (inspection != NULL));
    fuzz_require(code == FK_OK || err.message[0] != '\0');
    return code;
}

static void check_losses(const fk_torch_losses *losses, size_t length) {
    for (size_t i = 0; i < losses->count; i++) {
        const fk_torch_loss *row = &losses->rows[i];
        fuzz_require(row->offset == FK_NO_OFFSET ||
                     (row->offset <= length && row->bytes <= length - row->offset));
    }
}

static void locate_damage(const uint8_t *bytes, size_t length) {
    FK_SCOPED(fk_torch_losses_finish) fk_torch_losses losses = {0};
    fuzz_require(fk_torch_locate_damage(bytes, length, NULL, &losses, NULL) == FK_OK);
    check_losses(&losses, length);
}

static bool is_even(void *user, uint64_t offset, uint64_t bytes) {
    (void)user;
    return (offset + bytes) % 2 == 0;
}

/* What is left has no tensor without bytes, and is an object like any other. */
static void salvage(const uint8_t *bytes, size_t length, bool good) {
    FK_SCOPED(fk_freep) uint8_t *copy = fuzz_copy(bytes, length);
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_torch_losses_finish) fk_torch_losses losses = {0};
    const fk_torch_proof proof = {is_even, NULL};
    fk_value *top = NULL;
    fk_error err = {.code = FK_OK};
    fk_code code = fk_torch_salvage(copy, length, &proof, values, &top, &losses, &err);
    fuzz_require((code == FK_OK) == (top != NULL));
    fuzz_require(code == FK_OK || (err.code == code && err.message[0] != '\0'));
    fuzz_require(!good || code == FK_OK || code == FK_E_UNSUPPORTED || code == FK_E_CORRUPT);
    if (code == FK_OK) {
        check_losses(&losses, length);
        fuzz_round_trip(top);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    if (length > INPUT_BYTES_MAX) {
        return 0;
    }
    FK_SCOPED(fk_freep) uint8_t *copy = fuzz_copy(bytes, length);
    fk_code plain = read_strictly(copy, length, 0);
    fk_code checked = read_strictly(copy, length, FK_READ_CHECK_CRC);
    fuzz_require(checked != FK_OK || plain == FK_OK);
    fk_code seen = look(copy, length);
    fuzz_require(plain != FK_OK || seen == FK_OK);
    locate_damage(copy, length);
    salvage(copy, length, checked == FK_OK);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t length_max, unsigned seed) {
    length = LLVMFuzzerMutate(bytes, length, length_max);
    if (seed % 4 != 0) {
        checkpoint_mend(bytes, length);
    }
    return length;
}
