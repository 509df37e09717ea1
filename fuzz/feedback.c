/* feedback.json: what is read is written so that it reads back the same. */
#include "store/manifest/feedback.h"
#include "fuzz.h"
#include "value/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    FK_SCOPED(fk_freep) uint8_t *copy = fuzz_copy(bytes, length);
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_buffer_finish) fk_buffer first = {0};
    FK_SCOPED(fk_buffer_finish) fk_buffer second = {0};
    fk_value *feedback = NULL;
    fk_value *again = NULL;
    fk_error err;
    bool newer = false;
    if (fk_feedback_read((const char *)copy, length, values, &feedback, &err) != FK_OK ||
        fk_feedback_check(feedback, &newer, &err) != FK_OK) {
        return 0;
    }
    fuzz_require(fk_feedback_metrics(feedback, values) != NULL);
    fuzz_require(fk_feedback_write(feedback, &first, &err) == FK_OK);
    fuzz_require(fk_feedback_read((const char *)first.bytes, first.length, values, &again, &err) ==
                 FK_OK);
    fuzz_require(fk_feedback_write(again, &second, &err) == FK_OK);
    fuzz_require(first.length == second.length);
    fuzz_require(memcmp(first.bytes, second.bytes, first.length) == 0);
    return 0;
}
