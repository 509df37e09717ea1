#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "checkpoint/little_endian.h"
#include "checkpoint/zip_write.h"
#include "memory_sink.h"

#define LIMIT32 UINT64_C(0xFFFFFFFF)

typedef struct record {
    const char *name;
    const void *bytes;
    uint64_t length;
} record;

/* Writes the records, and checks that the size was known before. */
static void write_archive(memory_sink *into, const record *records, size_t count) {
    fk_sink sink = {memory_sink_write, into};
    fk_zip_size size = {0};
    fk_error err;
    FK_SCOPED(fk_zip_writer_destroyp) fk_zip_writer *writer = NULL;
    assert_int_equal(fk_zip_writer_create(&sink, &writer, &err), FK_OK);
    for (size_t i = 0; i < count; i++) {
        fk_zip_size_add(&size, records[i].name, records[i].length);
        assert_int_equal(
            fk_zip_writer_add(writer, records[i].name, records[i].bytes, records[i].length, &err),
            FK_OK);
        assert_int_equal(into->total, size.records_bytes);
    }
    assert_int_equal(fk_zip_writer_finish(writer, &err), FK_OK);
    assert_int_equal(into->total, fk_zip_size_finish(&size));
}

/* The end of directory of an archive that was kept whole. */
static const uint8_t *end_of(const memory_sink *sink) {
    return sink->bytes.bytes + sink->bytes.length - 22;
}

static void test_one_record_stands_as_pytorch_writes_it(void **state) {
    (void)state;
    FK_SCOPED(memory_sink_finish) memory_sink sink = {0};
    record version = {"version", "3\n", 2};
    write_archive(&sink, &version, 1);
    const uint8_t *at = sink.bytes.bytes;
    /* 30 + 15 + 4 = 49: 15 bytes of padding */
    static const char local[] =
        "PK\003\004\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0f\0\x13\0"
        "archive/versionFB\x0f\0ZZZZZZZZZZZZZZZ3\n"
        "PK\x07\x08\xd1\x9e\x67\x55\x02\0\0\0\x02\0\0\0";
    assert_memory_equal(at, local, sizeof local - 1);
    const uint8_t *end = end_of(&sink);
    assert_memory_equal(end, "PK\005\006\0\0\0\0\x02\0\x02\0", 12);
    assert_int_equal(fk_little_u16(end + 20), 0);
    uint32_t directory = fk_little_u32(end + 16);
    static const char entry[] =
        "PK\001\002\0\0\0\0\x08\x08\0\0\0\0\0\0\xd1\x9e\x67\x55\x02\0\0\0\x02\0\0\0"
        "\x0f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0archive/version";
    assert_memory_equal(at + directory, entry, sizeof entry - 1);
    /* zip64 end and locator are always there */
    assert_memory_equal(end - 76, "PK\006\006\x2c\0\0\0\0\0\0\0\x1e\x03\x2d\0", 16);
    assert_int_equal(fk_little_u64(end - 76 + 32), 2);
    assert_int_equal(fk_little_u64(end - 76 + 48), directory);
    assert_memory_equal(end - 20, "PK\006\007\0\0\0\0", 8);
    assert_int_equal(fk_little_u64(end - 12), sink.total - 22 - 20 - 56);
}

static void test_every_payload_is_aligned_even_an_empty_one(void **state) {
    (void)state;
    for (size_t name_bytes = 1; name_bytes <= 70; name_bytes++) {
        char name[80];
        memset(name, 'n', sizeof name);
        name[name_bytes] = '\0';
        FK_SCOPED(memory_sink_finish) memory_sink sink = {0};
        record records[] = {{name, "", 0}, {"x", "payload", 7}};
        write_archive(&sink, records, 2);
        const uint8_t *first = sink.bytes.bytes;
        size_t payload = 30u + fk_little_u16(first + 26) + fk_little_u16(first + 28);
        assert_int_equal(payload % 64, 0);
        assert_int_equal(fk_little_u16(first + 6), 0x0800);
        /* no descriptor behind nothing: the next record follows at once */
        assert_memory_equal(first + payload, "PK\003\004", 4);
        const uint8_t *second = first + payload;
        assert_int_equal(fk_little_u16(second + 6), 0x0808);
        payload += 30u + fk_little_u16(second + 26) + fk_little_u16(second + 28);
        assert_int_equal(payload % 64, 0);
        assert_memory_equal(first + payload, "payload", 7);
    }
}

static uint64_t fold(uint64_t hash, uint32_t crc32) {
    return hash ^ (crc32 + UINT64_C(0x9e3779b9) + (hash << 6) + (hash >> 2));
}

static void assert_id(const memory_sink *sink, uint64_t hash) {
    char id[41];
    snprintf(id, sizeof id, "00000000000000000000%020" PRIu64, hash);
    uint32_t directory = fk_little_u32(end_of(sink) + 16);
    assert_memory_equal(sink->bytes.bytes + directory - 16 - 40, id, 40);
}

static void test_serialization_id_folds_the_crcs_of_records_that_are_not_empty(void **state) {
    (void)state;
    FK_SCOPED(memory_sink_finish) memory_sink sink = {0};
    record records[] = {{"a", "first", 5}, {"b", "", 0}, {"c", "second", 6}};
    write_archive(&sink, records, 3);
    uint64_t hash = fold(0, plain_crc32(0, (const uint8_t *)"first", 5));
    assert_id(&sink, fold(hash, plain_crc32(0, (const uint8_t *)"second", 6)));
}

static void test_serialization_id_takes_a_payload_like_a_descriptor_for_one(void **state) {
    (void)state;
    static const char disguised[] = "PK\x07\x08\x01\x02\x03\x04 and more";
    for (uint64_t length = 7; length <= 8; length++) {
        FK_SCOPED(memory_sink_finish) memory_sink sink = {0};
        record records[] = {{"a", disguised, length}};
        write_archive(&sink, records, 1);
        uint64_t hash = length == 8 ? fold(0, 0x04030201) : 0;
        assert_id(&sink, fold(hash, plain_crc32(0, (const uint8_t *)disguised, length)));
    }
}

/* Payloads of 4 GiB are only counted, so what is kept is everything else. */
static const char large[16] = "large";

static void test_a_payload_below_4_gib_needs_no_zip64(void **state) {
    (void)state;
    FK_SCOPED(memory_sink_finish) memory_sink sink = {.keep_below = 1 << 20};
    record records[] = {{"data/0", large, LIMIT32 - 1}};
    write_archive(&sink, records, 1);
    const uint8_t *local = sink.bytes.bytes;
    assert_memory_equal(local + 30 + 14, "FB", 2);
    const uint8_t *descriptor = local + 64;
    assert_memory_equal(descriptor, "PK\x07\x08\0\0\0\0\xfe\xff\xff\xff\xfe\xff\xff\xff", 16);
    /* what follows starts behind the line, so its directory entry says so */
    assert_memory_equal(descriptor + 16, "PK\003\004", 4);
    assert_memory_equal(descriptor + 16 + 30 + 30, "\x01\0\x08\0", 4);
    assert_int_equal(fk_little_u64(descriptor + 16 + 30 + 30 + 4), LIMIT32 - 1 + 64 + 16);
}

static void test_a_payload_of_4_gib_less_one_needs_zip64(void **state) {
    (void)state;
    FK_SCOPED(memory_sink_finish) memory_sink sink = {.keep_below = 1 << 20};
    record records[] = {{"data/0", large, LIMIT32}};
    write_archive(&sink, records, 1);
    const uint8_t *local = sink.bytes.bytes;
    static const char sizes_zero[12] = {0};
    assert_memory_equal(local + 14, sizes_zero, 12);
    static const char extra[] = "\x01\0\x10\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0FB";
    assert_memory_equal(local + 30 + 14, extra, sizeof extra - 1);
    /* 30 + 14 + 20 + 4 = 68: 60 of padding */
    assert_int_equal(fk_little_u16(local + 30 + 14 + 20 + 2), 60);
    static const char descriptor[] =
        "PK\x07\x08\0\0\0\0\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff\0\0\0\0";
    assert_memory_equal(local + 128, descriptor, sizeof descriptor - 1);
}

static const uint8_t *find_entry(const memory_sink *sink, const char *name) {
    size_t length = strlen(name);
    for (const uint8_t *at = end_of(sink); at > sink->bytes.bytes; at--) {
        if (memcmp(at, "PK\001\002", 4) == 0 && memcmp(at + 46, name, length) == 0) {
            return at;
        }
    }
    return NULL;
}

static void test_directory_entries_behind_4_gib_carry_real_numbers_in_zip64(void **state) {
    (void)state;
    FK_SCOPED(memory_sink_finish) memory_sink sink = {.keep_below = 1 << 20};
    record records[] = {
        {"data/0", large, LIMIT32 + 4}, {"empty", "", 0}, {"data/1", large, LIMIT32 + 1}};
    write_archive(&sink, records, 3);
    const uint8_t *first = find_entry(&sink, "archive/data/0");
    assert_memory_equal(first + 20, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    assert_int_equal(fk_little_u32(first + 42), 0);
    assert_int_equal(fk_little_u16(first + 30), 20);
    assert_int_equal(fk_little_u64(first + 46 + 14 + 4), LIMIT32 + 4);
    assert_int_equal(fk_little_u64(first + 46 + 14 + 12), LIMIT32 + 4);
    /* only the offset is long */
    const uint8_t *empty = find_entry(&sink, "archive/empty");
    uint64_t behind_first = 128 + LIMIT32 + 4 + 24;
    assert_int_equal(fk_little_u32(empty + 42), LIMIT32);
    assert_int_equal(fk_little_u64(empty + 20), 0);
    assert_memory_equal(empty + 46 + 13, "\x01\0\x08\0", 4);
    assert_int_equal(fk_little_u64(empty + 46 + 13 + 4), behind_first);
    /* both */
    const uint8_t *third = find_entry(&sink, "archive/data/1");
    assert_memory_equal(third + 46 + 14, "\x01\0\x18\0", 4);
    assert_int_equal(fk_little_u64(third + 46 + 14 + 4), LIMIT32 + 1);
    assert_int_equal(fk_little_u64(third + 46 + 14 + 12), LIMIT32 + 1);
    assert_in_range(fk_little_u64(third + 46 + 14 + 20), behind_first + 64, behind_first + 192);
    assert_int_equal(fk_little_u32(end_of(&sink) + 16), LIMIT32);
}

static void test_the_size_is_known_around_every_border(void **state) {
    (void)state;
    for (int64_t step = -200; step <= 8; step++) {
        FK_SCOPED(memory_sink_finish) memory_sink sink = {.keep_below = 1 << 20};
        record records[] = {{"data/0", large, LIMIT32 + (uint64_t)step},
                            {"data/1", "1", 1},
                            {"data/2", "", 0},
                            {"version", "3\n", 2}};
        write_archive(&sink, records, 4);
    }
}

static void test_many_records_overflow_the_short_counts(void **state) {
    (void)state;
    FK_SCOPED(memory_sink_finish) memory_sink sink = {0};
    fk_sink to = {memory_sink_write, &sink};
    FK_SCOPED(fk_zip_writer_destroyp) fk_zip_writer *writer = NULL;
    assert_int_equal(fk_zip_writer_create(&to, &writer, NULL), FK_OK);
    fk_zip_size size = {0};
    for (unsigned i = 0; i < 65534; i++) {
        assert_int_equal(fk_zip_writer_add(writer, "n", NULL, 0, NULL), FK_OK);
        fk_zip_size_add(&size, "n", 0);
    }
    assert_int_equal(fk_zip_writer_finish(writer, NULL), FK_OK);
    assert_int_equal(sink.total, fk_zip_size_finish(&size));
    assert_int_equal(fk_little_u16(end_of(&sink) + 8), 65535);
    assert_int_equal(fk_little_u64(end_of(&sink) - 76 + 24), 65535);
}

static void test_sizes_beyond_64_bits_are_told(void **state) {
    (void)state;
    fk_zip_size size = {0};
    fk_zip_size_add(&size, "data/0", UINT64_MAX - 10);
    assert_int_equal(fk_zip_size_finish(&size), UINT64_MAX);
    fk_zip_size_add(&size, "data/1", 1);
    assert_int_equal(fk_zip_size_finish(&size), UINT64_MAX);
    memory_sink sink = {.keep_below = 1};
    fk_sink to = {memory_sink_write, &sink};
    fk_error err;
    FK_SCOPED(fk_zip_writer_destroyp) fk_zip_writer *writer = NULL;
    assert_int_equal(fk_zip_writer_create(&to, &writer, &err), FK_OK);
    assert_int_equal(fk_zip_writer_add(writer, "data/0", large, UINT64_MAX, &err), FK_E_LIMIT);
    assert_non_null(strstr(err.message, "data/0"));
    assert_int_equal(sink.total, 0);
}

static void test_records_beyond_their_limit_are_refused(void **state) {
    (void)state;
    memory_sink sink = {.keep_below = 1};
    fk_sink to = {memory_sink_write, &sink};
    fk_error err;
    FK_SCOPED(fk_zip_writer_destroyp) fk_zip_writer *writer = NULL;
    assert_int_equal(fk_zip_writer_create(&to, &writer, &err), FK_OK);
    for (unsigned i = 0; i < FK_LIMIT_ZIP_ENTRIES; i++) {
        assert_int_equal(fk_zip_writer_add(writer, "n", NULL, 0, &err), FK_OK);
    }
    assert_int_equal(fk_zip_writer_finish(writer, &err), FK_E_LIMIT);
}

static void test_a_failing_sink_fails_the_archive_wherever_it_fails(void **state) {
    (void)state;
    record records[] = {{"a", "first", 5}, {"b", "", 0}};
    FK_SCOPED(memory_sink_finish) memory_sink whole = {0};
    write_archive(&whole, records, 2);
    for (uint64_t at = 1; at < whole.total; at++) {
        FK_SCOPED(memory_sink_finish) memory_sink sink = {.fail_from = at};
        fk_sink to = {memory_sink_write, &sink};
        fk_error err;
        FK_SCOPED(fk_zip_writer_destroyp) fk_zip_writer *writer = NULL;
        assert_int_equal(fk_zip_writer_create(&to, &writer, &err), FK_OK);
        fk_code code = FK_OK;
        for (size_t i = 0; code == FK_OK && i < 2; i++) {
            code = fk_zip_writer_add(writer, records[i].name, records[i].bytes, records[i].length,
                                     &err);
        }
        if (code == FK_OK) {
            code = fk_zip_writer_finish(writer, &err);
        }
        assert_int_equal(code, FK_E_NO_SPACE);
        assert_string_equal(err.message, "disk is full");
    }
}

static void test_destroying_nothing_is_fine(void **state) {
    (void)state;
    fk_zip_writer_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_record_stands_as_pytorch_writes_it),
        cmocka_unit_test(test_every_payload_is_aligned_even_an_empty_one),
        cmocka_unit_test(test_serialization_id_folds_the_crcs_of_records_that_are_not_empty),
        cmocka_unit_test(test_serialization_id_takes_a_payload_like_a_descriptor_for_one),
        cmocka_unit_test(test_a_payload_below_4_gib_needs_no_zip64),
        cmocka_unit_test(test_a_payload_of_4_gib_less_one_needs_zip64),
        cmocka_unit_test(test_directory_entries_behind_4_gib_carry_real_numbers_in_zip64),
        cmocka_unit_test(test_the_size_is_known_around_every_border),
        cmocka_unit_test(test_many_records_overflow_the_short_counts),
        cmocka_unit_test(test_sizes_beyond_64_bits_are_told),
        cmocka_unit_test(test_records_beyond_their_limit_are_refused),
        cmocka_unit_test(test_a_failing_sink_fails_the_archive_wherever_it_fails),
        cmocka_unit_test(test_destroying_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
