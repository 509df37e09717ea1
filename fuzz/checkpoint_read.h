/* What holds of every reader of checkpoints: a value or an error, never both; the error has a
 * message and lies in the file; what is read can be written and read again. */
#ifndef FK_FUZZ_CHECKPOINT_READ_H
#define FK_FUZZ_CHECKPOINT_READ_H

#include "checkpoint/inspection.h"
#include "fuzz.h"
#include "round_trip.h"

typedef fk_code (*fuzz_reader)(uint8_t *bytes, size_t length, fk_values *values, fk_value **ret_top,
                               fk_error *err);
typedef fk_code (*fuzz_inspector)(const uint8_t *bytes, size_t length,
                                  fk_inspection **ret_inspection, fk_error *err);

static inline fk_code fuzz_read(fuzz_reader read, const uint8_t *bytes, size_t length) {
    FK_SCOPED(fk_freep) uint8_t *copy = fuzz_copy(bytes, length);
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_value *top = NULL;
    fk_error err = {.code = FK_OK};
    fk_code code = read(copy, length, values, &top, &err);
    fuzz_require((code == FK_OK) == (top != NULL));
    fuzz_require(code == FK_OK || (err.code == code && err.message[0] != '\0'));
    fuzz_require(code == FK_OK || err.offset == FK_NO_OFFSET || err.offset <= length);
    if (code == FK_OK) {
        fuzz_round_trip(top);
    }
    return code;
}

/* An inspection changes nothing. */
static inline fk_code fuzz_inspect(fuzz_inspector inspect, const uint8_t *bytes, size_t length) {
    FK_SCOPED(fk_freep) uint8_t *copy = fuzz_copy(bytes, length);
    FK_SCOPED(fk_inspection_destroyp) fk_inspection *inspection = NULL;
    fk_error err = {.code = FK_OK};
    fk_code code = inspect(copy, length, &inspection, &err);
    fuzz_require((code == FK_OK) == (inspection != NULL));
    fuzz_require(code == FK_OK || err.message[0] != '\0');
    fuzz_require(length == 0 || memcmp(copy, bytes, length) == 0);
    return code;
}

#endif
