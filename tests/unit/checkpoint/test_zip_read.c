#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "archive_fixture.h"
#include "base/limits.h"
#include "checkpoint/zip_read.h"

static const archive_record records[] = {
    {"a/data.pkl", "pickle", 6},
    {"a/data/0", "", 0},
    {"a/version", "3\n", 2},
};
enum { COUNT = 3 };

static fk_code open_archive(const archive *built, fk_zip **ret_zip, fk_error *err) {
    const fk_zip_source source = {.bytes = built->file.bytes, .length = built->file.length};
    return fk_zip_open(&source, ret_zip, err);
}

static void check_records(const archive *built) {
    FK_SCOPED(fk_zip_closep) fk_zip *zip = NULL;
    fk_error err;
    assert_int_equal(open_archive(built, &zip, &err), FK_OK);
    assert_int_equal(fk_zip_count(zip), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const fk_zip_entry *entry = fk_zip_at(zip, i);
        bool computed = false;
        assert_string_equal(entry->name, records[i].name + 2);
        assert_int_equal(entry->header, built->local[i]);
        assert_int_equal(entry->offset, built->payload[i]);
        assert_int_equal(entry->bytes, records[i].length);
        assert_ptr_equal(fk_zip_find(zip, records[i].name + 2), entry);
        assert_int_equal(fk_zip_index(zip, entry), i);
        assert_true(fk_zip_check(zip, entry, &computed));
        assert_true(computed);
    }
    assert_null(fk_zip_find(zip, "DATA.PKL"));
    assert_null(fk_zip_find(zip, "zz"));
    assert_null(fk_zip_find(zip, ""));
}

static void test_a_plain_archive_gives_its_records(void **state) {
    (void)state;
    FK_SCOPED(archive_finish) archive built = {0};
    archive_build(&built, records, COUNT, false);
    assert_true(fk_zip_recognise(built.file.bytes, built.file.length));
    assert_false(fk_zip_recognise(built.file.bytes, 3));
    check_records(&built);
}

static void test_an_archive_of_pytorch_gives_its_records(void **state) {
    (void)state;
    FK_SCOPED(archive_finish) archive built = {0};
    archive_build(&built, records, COUNT, true);
    check_records(&built);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(built.payload[i] % 64, 0);
    }
}

static void note_announced(void *user, uint64_t offset, uint64_t bytes) {
    bool *announced = user;
    memset(announced + offset, true, bytes);
}

static void test_what_is_looked_at_among_the_payloads_is_announced(void **state) {
    (void)state;
    FK_SCOPED(archive_finish) archive built = {0};
    archive_build(&built, records, COUNT, true);
    static bool announced[4096];
    const fk_zip_peek peek = {.announce = note_announced, .user = announced};
    const fk_zip_source source = {
        .bytes = built.file.bytes, .length = built.file.length, .peek = &peek};
    FK_SCOPED(fk_zip_closep) fk_zip *zip = NULL;
    fk_error err;
    assert_true(built.file.length <= sizeof announced);
    assert_int_equal(fk_zip_open(&source, &zip, &err), FK_OK);
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t at = built.local[i]; at < built.payload[i]; at++) {
            assert_true(announced[at]);
        }
        assert_true(records[i].length == 0 ||
                    (announced[built.descriptor[i]] && announced[built.descriptor[i] + 15]));
    }
    for (size_t at = built.entry[0]; at < sizeof announced; at++) {
        assert_false(announced[at]);
    }
}

static void test_wide_numbers_beside_full_32_bit_fields_are_read(void **state) {
    (void)state;
    FK_SCOPED(archive_finish) archive built = {0};
    archive_build(&built, records, COUNT, true);
    memset(built.file.bytes + built.end + 8, 0xFF, 12); /* counts, size and offset */
    check_records(&built);
}

static void test_a_truncated_archive_is_refused_at_its_end(void **state) {
    (void)state;
    FK_SCOPED(archive_finish) archive built = {0};
    archive_build(&built, records, COUNT, true);
    for (size_t length = 0; length < built.file.length; length++) {
        fk_zip *zip = NULL;
        fk_error err;
        /* memory of its own, so that a read beyond it is seen */
        uint8_t *cut = malloc(length + 1);
        memcpy(cut, built.file.bytes, length);
        const fk_zip_source source = {.bytes = cut, .length = length};
        assert_int_equal(fk_zip_open(&source, &zip, &err), FK_E_CORRUPT);
        assert_int_equal(err.offset, length);
        assert_non_null(strstr(err.message, "cut off"));
        assert_null(zip);
        free(cut);
    }
}

static void test_bytes_behind_the_end_are_refused(void **state) {
    (void)state;
    FK_SCOPED(archive_finish) archive built = {0};
    archive_build(&built, records, COUNT, true);
    size_t length = built.file.length;
    fk_buffer_append_text(&built.file, "tail");
    fk_zip *zip = NULL;
    fk_error err;
    assert_int_equal(open_archive(&built, &zip, &err), FK_E_CORRUPT);
    assert_int_equal(err.offset, length);
    assert_non_null(strstr(err.message, "follow"));
}

static void test_bytes_before_the_first_record_are_refused(void **state) {
    (void)state;
    FK_SCOPED(archive_finish) archive built = {0};
    fk_buffer_append_text(&built.file, "head");
    archive_build(&built, records, COUNT, false);
    fk_zip *zip = NULL;
    fk_error err;
    assert_int_equal(open_archive(&built, &zip, &err), FK_E_CORRUPT);
    assert_int_equal(err.offset, 0);
}

/* A field of the archive, another value, and what must be said of it. */
typedef enum part {
    LOCAL,
    NAME,
    PAYLOAD,
    DESCRIPTOR,
    ENTRY,
    ENTRY_NAME,
    ZIP64_END,
    LOCATOR,
    END
} part;
typedef struct tampering {
    part part;
    size_t record;
    size_t field;
    const char *bytes;
    size_t count;
    fk_code code;
    const char *word;
} tampering;

#define BYTES(text) text, sizeof text - 1

static const tampering tamperings[] = {
    {LOCAL, 0, 0, BYTES("X"), FK_E_CORRUPT, "start where"},
    {LOCAL, 0, 6, BYTES("\0"), FK_E_CORRUPT, "flags"},
    {LOCAL, 0, 8, BYTES("\x08"), FK_E_CORRUPT, "flags"},
    {LOCAL, 0, 14, BYTES("\1"), FK_E_CORRUPT, "CRC"},
    {LOCAL, 0, 18, BYTES("\1"), FK_E_CORRUPT, "size"},
    {LOCAL, 0, 22, BYTES("\xFF\xFF\xFF\xFF"), FK_E_CORRUPT, "size"},
    {LOCAL, 1, 22, BYTES("\1"), FK_E_CORRUPT, "size"},
    {LOCAL, 0, 26, BYTES("\x09"), FK_E_CORRUPT, "name"},
    {LOCAL, 0, 28, BYTES("\xFF\xFF"), FK_E_CORRUPT, "directory"},
    {LOCAL, 0, 42, BYTES("\xFF\xFF"), FK_E_CORRUPT, "extra field"},
    {LOCAL, 0, 40, BYTES("\1\0"), FK_E_CORRUPT, "size or CRC"},
    {NAME, 0, 3, BYTES("X"), FK_E_CORRUPT, "another name"},
    {DESCRIPTOR, 0, 0, BYTES("X"), FK_E_CORRUPT, "descriptor"},
    {DESCRIPTOR, 0, 4, BYTES("XX"), FK_E_CORRUPT, "descriptor"},
    {DESCRIPTOR, 0, 8, BYTES("X"), FK_E_CORRUPT, "another size"},
    {DESCRIPTOR, 0, 12, BYTES("X"), FK_E_CORRUPT, "another size"},
    {ENTRY, 0, 0, BYTES("X"), FK_E_CORRUPT, "damaged"},
    {ENTRY, 0, 8, BYTES("\x09"), FK_E_UNSUPPORTED, "encrypted"},
    {ENTRY, 0, 8, BYTES("\x48"), FK_E_UNSUPPORTED, "encrypted"},
    {ENTRY, 0, 9, BYTES("\x28"), FK_E_UNSUPPORTED, "encrypted"},
    {ENTRY, 0, 8, BYTES("\x28"), FK_E_CORRUPT, "flags"},
    {ENTRY, 0, 9, BYTES("\x88"), FK_E_CORRUPT, "flags"},
    {ENTRY, 0, 10, BYTES("\x08"), FK_E_UNSUPPORTED, "'data.pkl' is compressed (deflate)"},
    {ENTRY, 0, 10, BYTES("\x0C"), FK_E_UNSUPPORTED, "compressed"},
    {ENTRY, 0, 16, BYTES("X"), FK_E_CORRUPT, "descriptor"},
    {ENTRY, 0, 20, BYTES("\7"), FK_E_CORRUPT, "two different sizes"},
    {ENTRY, 0, 20, BYTES("\7\0\0\0\7"), FK_E_CORRUPT, "descriptor"},
    {ENTRY, 0, 20, BYTES("\0\0\0\x70\0\0\0\x70"), FK_E_CORRUPT, "reaches into the directory"},
    {ENTRY, 0, 24, BYTES("\xFF\xFF\xFF\xFF"), FK_E_CORRUPT, "missing"},
    {ENTRY, 0, 28, BYTES("\xFF\xFF"), FK_E_CORRUPT, "exceeds"},
    {ENTRY, 0, 30, BYTES("\x04"), FK_E_CORRUPT, "extra field"},
    {ENTRY, 0, 32, BYTES("\1"), FK_E_CORRUPT, "comment"},
    {ENTRY, 0, 34, BYTES("\1"), FK_E_CORRUPT, "disks"},
    {ENTRY, 1, 42, BYTES("\0\0\0\0"), FK_E_CORRUPT, "another name"},
    {ENTRY, 1, 42, BYTES("\xF0\xFF\xFF\x7F"), FK_E_CORRUPT, "start where"},
    {ENTRY_NAME, 0, 0, BYTES("/"), FK_E_UNSUPPORTED, "folder of its own"},
    {ENTRY_NAME, 1, 0, BYTES("b"), FK_E_UNSUPPORTED, "outside"},
    {ENTRY_NAME, 2, 2, BYTES("\0"), FK_E_CORRUPT, "no plain path"},
    {ENTRY_NAME, 2, 2, BYTES("\\"), FK_E_CORRUPT, "no plain path"},
    {ENTRY_NAME, 2, 2, BYTES("/"), FK_E_CORRUPT, "no plain path"},
    {ENTRY_NAME, 2, 2, BYTES("../"), FK_E_CORRUPT, "no plain path"},
    {ENTRY_NAME, 2, 2, BYTES("./"), FK_E_CORRUPT, "no plain path"},
    {ENTRY_NAME, 2, 8, BYTES("/"), FK_E_CORRUPT, "no plain path"},
    {ENTRY_NAME, 2, 2, BYTES("\xFF"), FK_E_CORRUPT, "no plain path"},
    {ZIP64_END, 0, 0, BYTES("X"), FK_E_CORRUPT, "zip64 end"},
    {ZIP64_END, 0, 4, BYTES("\x2D"), FK_E_CORRUPT, "another size"},
    {ZIP64_END, 0, 16, BYTES("\1"), FK_E_CORRUPT, "disks"},
    {ZIP64_END, 0, 20, BYTES("\1"), FK_E_CORRUPT, "disks"},
    {ZIP64_END, 0, 24, BYTES("\2"), FK_E_CORRUPT, "disks"},
    {ZIP64_END, 0, 40, BYTES("\1"), FK_E_CORRUPT, "disagree"},
    {ZIP64_END, 0, 48, BYTES("\1"), FK_E_CORRUPT, "disagree"},
    {LOCATOR, 0, 4, BYTES("\1"), FK_E_CORRUPT, "disks"},
    {LOCATOR, 0, 8, BYTES("\1"), FK_E_CORRUPT, "locator"},
    {LOCATOR, 0, 16, BYTES("\2"), FK_E_CORRUPT, "disks"},
    {LOCATOR, 0, 0, BYTES("X"), FK_E_CORRUPT, "directory"},
    {END, 0, 4, BYTES("\1"), FK_E_CORRUPT, "disks"},
    {END, 0, 6, BYTES("\1"), FK_E_CORRUPT, "disks"},
    {END, 0, 8, BYTES("\2"), FK_E_CORRUPT, "disks"},
    {END, 0, 8, BYTES("\2\0\2\0"), FK_E_CORRUPT, "disagree"},
    {END, 0, 12, BYTES("\1"), FK_E_CORRUPT, "disagree"},
    {END, 0, 16, BYTES("\1"), FK_E_CORRUPT, "disagree"},
    {END, 0, 20, BYTES("\1"), FK_E_CORRUPT, "comment"},
};

static size_t offset_of(const archive *built, const tampering *tampered) {
    switch (tampered->part) {
    case LOCAL:
        return built->local[tampered->record];
    case NAME:
        return built->local[tampered->record] + 30;
    case PAYLOAD:
        return built->payload[tampered->record];
    case DESCRIPTOR:
        return built->descriptor[tampered->record];
    case ENTRY:
        return built->entry[tampered->record];
    case ENTRY_NAME:
        return built->entry[tampered->record] + 46;
    case ZIP64_END:
        return built->zip64_end;
    case LOCATOR:
        return built->locator;
    default:
        return built->end;
    }
}

static void test_every_tampered_field_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof tamperings / sizeof tamperings[0]; i++) {
        const tampering *tampered = &tamperings[i];
        FK_SCOPED(archive_finish) archive built = {0};
        archive_build(&built, records, COUNT, true);
        memcpy(built.file.bytes + offset_of(&built, tampered) + tampered->field, tampered->bytes,
               tampered->count);
        fk_zip *zip = NULL;
        fk_error err;
        fk_code code = open_archive(&built, &zip, &err);
        if (code != tampered->code || strstr(err.message, tampered->word) == NULL) {
            fail_msg("row %zu: code %d, '%s'", i, code, code == FK_OK ? "opened" : err.message);
        }
        assert_true(err.offset < built.file.length);
        assert_true(err.hint[0] != '\0');
    }
}

static void expect_refusal(const archive_record *some, size_t count, fk_code expected,
                           const char *word) {
    FK_SCOPED(archive_finish) archive built = {0};
    archive_build(&built, some, count, false);
    fk_zip *zip = NULL;
    fk_error err;
    assert_int_equal(open_archive(&built, &zip, &err), expected);
    assert_non_null(strstr(err.message, word));
}

static void test_names_that_are_equal_but_for_case_are_refused(void **state) {
    (void)state;
    const archive_record twins[] = {
        {"a/data.pkl", "x", 1}, {"a/version", "3\n", 2}, {"a/DATA.pkl", "y", 1}};
    expect_refusal(twins, 3, FK_E_CORRUPT, "two records");
}

static void test_an_archive_without_records_is_no_checkpoint(void **state) {
    (void)state;
    expect_refusal(records, 0, FK_E_UNSUPPORTED, "empty");
}

static void test_a_name_beyond_its_limit_is_refused(void **state) {
    (void)state;
    char name[FK_LIMIT_ZIP_NAME_BYTES + 2];
    memset(name, 'n', sizeof name);
    name[1] = '/';
    name[sizeof name - 1] = '\0';
    const archive_record longest = {name, "x", 1};
    expect_refusal(&longest, 1, FK_E_LIMIT, "longer");
    name[sizeof name - 2] = '\0';
    FK_SCOPED(archive_finish) archive built = {0};
    archive_build(&built, &longest, 1, false);
    FK_SCOPED(fk_zip_closep) fk_zip *zip = NULL;
    assert_int_equal(open_archive(&built, &zip, NULL), FK_OK);
}

static void test_counts_beyond_the_directory_and_the_limit_are_refused(void **state) {
    (void)state;
    FK_SCOPED(archive_finish) archive built = {0};
    archive_build(&built, records, COUNT, true);
    uint8_t *file = built.file.bytes;
    fk_zip *zip = NULL;
    fk_error err;
    memset(file + built.end + 8, 0xFF, 4);
    file[built.zip64_end + 24] = file[built.zip64_end + 32] = 200;
    assert_int_equal(open_archive(&built, &zip, &err), FK_E_CORRUPT);
    assert_non_null(strstr(err.message, "more records than it has"));
    file[built.zip64_end + 26] = file[built.zip64_end + 34] = 200;
    assert_int_equal(open_archive(&built, &zip, &err), FK_E_LIMIT);
    file[built.zip64_end + 26] = file[built.zip64_end + 34] = 0;
    file[built.zip64_end + 24] = file[built.zip64_end + 32] = 2; /* one is hidden */
    assert_int_equal(open_archive(&built, &zip, &err), FK_E_CORRUPT);
    assert_non_null(strstr(err.message, "more entries than it counts"));
}

static void test_an_overlap_is_refused(void **state) {
    (void)state;
    /* the second record lies in the payload of the first, whole */
    FK_SCOPED(archive_finish) archive inner = {0};
    const archive_record hidden = {"a/b", "x", 1};
    archive_build(&inner, &hidden, 1, false);
    const archive_record both[] = {{"a/a", inner.file.bytes, inner.entry[0]}, {"a/b", "x", 1}};
    FK_SCOPED(archive_finish) archive built = {0};
    archive_build(&built, both, 2, false);
    uint8_t *file = built.file.bytes;
    file[built.entry[1] + 42] = (uint8_t)built.payload[0];
    fk_zip *zip = NULL;
    fk_error err;
    assert_int_equal(open_archive(&built, &zip, &err), FK_E_CORRUPT);
    assert_non_null(strstr(err.message, "overlaps"));
    assert_int_equal(err.offset, built.payload[0]);
}

static void test_records_may_stand_in_another_order_than_the_directory(void **state) {
    (void)state;
    const archive_record pair[] = {{"a/x", "1", 1}, {"a/y", "2", 1}};
    FK_SCOPED(archive_finish) archive built = {0};
    archive_build(&built, pair, 2, false);
    uint8_t swapped[49];
    uint8_t *entries = built.file.bytes + built.entry[0];
    memcpy(swapped, entries, sizeof swapped);
    memmove(entries, entries + sizeof swapped, sizeof swapped);
    memcpy(entries + sizeof swapped, swapped, sizeof swapped);
    FK_SCOPED(fk_zip_closep) fk_zip *zip = NULL;
    assert_int_equal(open_archive(&built, &zip, NULL), FK_OK);
    assert_string_equal(fk_zip_at(zip, 0)->name, "y");
    assert_int_equal(fk_zip_find(zip, "x")->header, 0);
}

static void test_a_flipped_byte_of_a_payload_fails_its_check(void **state) {
    (void)state;
    FK_SCOPED(archive_finish) archive built = {0};
    archive_build(&built, records, COUNT, true);
    built.file.bytes[built.payload[0]] ^= 1;
    FK_SCOPED(fk_zip_closep) fk_zip *zip = NULL;
    assert_int_equal(open_archive(&built, &zip, NULL), FK_OK);
    bool computed = false;
    assert_false(fk_zip_check(zip, fk_zip_at(zip, 0), &computed));
    assert_true(computed);
    assert_true(fk_zip_check(zip, fk_zip_at(zip, 1), &computed));
}

static void test_a_crc_of_zero_means_not_computed(void **state) {
    (void)state;
    FK_SCOPED(archive_finish) archive built = {0};
    archive_build(&built, records, COUNT, true);
    memset(built.file.bytes + built.entry[0] + 16, 0, 4);
    memset(built.file.bytes + built.descriptor[0] + 4, 0, 4);
    FK_SCOPED(fk_zip_closep) fk_zip *zip = NULL;
    assert_int_equal(open_archive(&built, &zip, NULL), FK_OK);
    bool computed = true;
    assert_true(fk_zip_check(zip, fk_zip_at(zip, 0), &computed));
    assert_false(computed);
    assert_true(fk_zip_check(zip, fk_zip_at(zip, 1), &computed)); /* empty: 0 is its CRC */
    assert_true(computed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plain_archive_gives_its_records),
        cmocka_unit_test(test_an_archive_of_pytorch_gives_its_records),
        cmocka_unit_test(test_what_is_looked_at_among_the_payloads_is_announced),
        cmocka_unit_test(test_wide_numbers_beside_full_32_bit_fields_are_read),
        cmocka_unit_test(test_a_truncated_archive_is_refused_at_its_end),
        cmocka_unit_test(test_bytes_behind_the_end_are_refused),
        cmocka_unit_test(test_bytes_before_the_first_record_are_refused),
        cmocka_unit_test(test_every_tampered_field_is_refused),
        cmocka_unit_test(test_names_that_are_equal_but_for_case_are_refused),
        cmocka_unit_test(test_an_archive_without_records_is_no_checkpoint),
        cmocka_unit_test(test_a_name_beyond_its_limit_is_refused),
        cmocka_unit_test(test_counts_beyond_the_directory_and_the_limit_are_refused),
        cmocka_unit_test(test_an_overlap_is_refused),
        cmocka_unit_test(test_records_may_stand_in_another_order_than_the_directory),
        cmocka_unit_test(test_a_flipped_byte_of_a_payload_fails_its_check),
        cmocka_unit_test(test_a_crc_of_zero_means_not_computed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
