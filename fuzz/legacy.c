/* A checkpoint of the format before PyTorch 1.6: what is read can be written as a zip checkpoint
 * and read again; what is read can be inspected, too. */
#include "checkpoint/legacy_read.h"
#include "checkpoint_read.h"

enum { INPUT_BYTES_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    if (length > INPUT_BYTES_MAX) {
        return 0;
    }
    fk_code read = fuzz_read(fk_legacy_read, bytes, length);
    fk_code inspected = fuzz_inspect(fk_legacy_inspect, bytes, length);
    fuzz_require(read != FK_OK || inspected == FK_OK);
    return 0;
}
