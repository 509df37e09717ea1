/* The pickle of a sound checkpoint: the input is data.pkl, around it an archive of two storages, so
 * that every mutation reaches the pickle machine, strict and lenient. */
#include "archive_fixture.h"
#include "checkpoint/inspection.h"
#include "checkpoint/torch_read.h"
#include "fuzz.h"
#include "round_trip.h"

enum { INPUT_BYTES_MAX = 1 << 14 };

static const char floats[16] = "\0\0\x80\x3F\0\0\0\x40\0\0\x40\x40\0\0\x80\x40";
static const char longs[16] = "\1\2\3\4\5\6\7\x08\x11\x12\x13\x14\x15\x16\x17\x18";

static void build(archive *built, const uint8_t *pickle, size_t length, size_t storages) {
    archive_record records[] = {
        {"archive/data.pkl", pickle, length},
        {"archive/version", "3\n", 2},
        {"archive/data/0", floats, 16},
        {"archive/data/1", longs, 16},
        {"archive/data/2", "", 0},
    };
    archive_build(built, records, 2 + storages, true);
}

/* As many storages as the pickle uses are right; so all numbers of them are tried. */
static void read_with(const uint8_t *pickle, size_t length, size_t storages) {
    FK_SCOPED(archive_finish) archive built = {0};
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_inspection_destroyp) fk_inspection *inspection = NULL;
    fk_value *top = NULL;
    fk_error err;
    build(&built, pickle, length, storages);
    fk_code seen = fk_torch_inspect(built.file.bytes, built.file.length, &inspection, &err);
    fk_code code =
        fk_torch_read(built.file.bytes, built.file.length, FK_READ_CHECK_CRC, values, &top, &err);
    fuzz_require(code != FK_OK || seen == FK_OK);
    if (code == FK_OK) {
        fuzz_round_trip(top);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    for (size_t storages = 0; length > 0 && length <= INPUT_BYTES_MAX && storages <= 3;
         storages++) {
        read_with(bytes, length, storages);
    }
    return 0;
}
