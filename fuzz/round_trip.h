/* What is read can be written, or is refused by name; what was written reads back, and is then
 * written the same. */
#ifndef FK_FUZZ_ROUND_TRIP_H
#define FK_FUZZ_ROUND_TRIP_H

#include "checkpoint/torch_read.h"
#include "checkpoint/torch_write.h"
#include "fuzz.h"
#include "memory_sink.h"
#include "value/values.h"

/* False when the writer refuses the value. */
static inline bool fuzz_write(const fk_value *top, memory_sink *sink) {
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = NULL;
    fk_error err = {.code = FK_OK};
    fk_sink into = {memory_sink_write, sink};
    fk_code code = fk_torch_writer_create(top, &writer, &err);
    if (code != FK_OK) {
        fuzz_require(code == FK_E_UNSUPPORTED || code == FK_E_LIMIT);
        return false;
    }
    fuzz_require(fk_torch_writer_write(writer, &into, NULL, NULL, &err) == FK_OK);
    fuzz_require(sink->total == fk_torch_writer_bytes(writer));
    return true;
}

static inline void fuzz_round_trip(const fk_value *top) {
    FK_SCOPED(memory_sink_finish) memory_sink first = {0};
    FK_SCOPED(memory_sink_finish) memory_sink second = {0};
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_value *again = NULL;
    fk_error err;
    fuzz_require(values != NULL);
    if (!fuzz_write(top, &first)) {
        return;
    }
    /* the tensors look into the bytes, so `first` outlives `values`: scopes end in reverse order */
    fk_code code = fk_torch_read(first.bytes.bytes, first.bytes.length, FK_READ_CHECK_CRC, values,
                                 &again, &err);
    if (code != FK_OK) {
        fprintf(stderr, "%s\n", err.message);
    }
    fuzz_require(code == FK_OK);
    fuzz_require(fuzz_write(again, &second));
    fuzz_require(first.bytes.length == second.bytes.length);
    fuzz_require(memcmp(first.bytes.bytes, second.bytes.bytes, first.bytes.length) == 0);
}

#endif
