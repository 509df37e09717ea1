/* A whole checkpoint file: the strict reader, with and without CRCs, what it reads written again;
 * the lenient reader; the search for damage; and what can be salvaged. */
#include "checkpoint/torch_damage.h"
#include "checkpoint_mend.h"
#include "checkpoint_read.h"

enum { INPUT_BYTES_MAX = 1 << 16 };

static fk_code read_plainly(uint8_t *bytes, size_t length, fk_values *values, fk_value **ret_top,
                            fk_error *err) {
    return fk_torch_read(bytes, length, 0, values, ret_top, err);
}

static fk_code read_checked(uint8_t *bytes, size_t length, fk_values *values, fk_value **ret_top,
                            fk_error *err) {
    return fk_torch_read(bytes, length, FK_READ_CHECK_CRC, values, ret_top, err);
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
    fk_code plain = fuzz_read(read_plainly, copy, length);
    fk_code checked = fuzz_read(read_checked, copy, length);
    fuzz_require(checked != FK_OK || plain == FK_OK);
    fk_code seen = fuzz_inspect(fk_torch_inspect, copy, length);
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
