/* NumPy's .npy files: what is read is written so that it reads back the same. */
#include "checkpoint/npy.h"
#include "fuzz.h"
#include "value/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    FK_SCOPED(fk_freep) uint8_t *copy = fuzz_copy(bytes, length);
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_buffer_finish) fk_buffer first = {0};
    FK_SCOPED(fk_buffer_finish) fk_buffer second = {0};
    fk_value *tensor = NULL;
    fk_value *again = NULL;
    fk_error err;
    if (fk_npy_read(copy, length, values, &tensor, &err) != FK_OK) {
        return 0;
    }
    fuzz_require(fk_npy_recognise(copy, length));
    if (fk_npy_write(&first, fk_value_as_tensor(tensor), &err) != FK_OK) {
        return 0;
    }
    fuzz_require(fk_npy_read(first.bytes, first.length, values, &again, &err) == FK_OK);
    fuzz_require(fk_npy_write(&second, fk_value_as_tensor(again), &err) == FK_OK);
    fuzz_require(first.length == second.length);
    fuzz_require(memcmp(first.bytes, second.bytes, first.length) == 0);
    return 0;
}
