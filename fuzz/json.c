/* JSON text: what the strict scan lets pass is read; what is read is written so that it reads back
 * the same. */
#include "fontkeep/json.h"
#include "fuzz.h"
#include "value/values.h"
#include "json/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    FK_SCOPED(fk_freep) uint8_t *copy = fuzz_copy(bytes, length);
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_freep) char *first = NULL;
    FK_SCOPED(fk_freep) char *second = NULL;
    size_t first_length = 0;
    size_t second_length = 0;
    fk_value *value = NULL;
    fk_value *again = NULL;
    fk_error err = {.code = FK_OK};
    fk_code scanned = fk_json_scan((const char *)copy, length, &err);
    fuzz_require(scanned == FK_OK || err.offset <= length);
    fk_code code = fk_json_read((const char *)copy, length, values, &value, &err);
    fuzz_require(scanned == FK_OK || code != FK_OK);
    if (code != FK_OK) {
        fuzz_require(err.message[0] != '\0');
        return 0;
    }
    fuzz_require(fk_json_write(value, &first, &first_length, &err) == FK_OK);
    fuzz_require(fk_json_read(first, first_length, values, &again, &err) == FK_OK);
    fuzz_require(fk_json_write(again, &second, &second_length, &err) == FK_OK);
    fuzz_require(first_length == second_length && memcmp(first, second, first_length) == 0);
    return 0;
}
