/* Reading what is left of damaged checkpoints. */
#include "checkpoint/torch_damage.h"
#include "checkpoint_fixture.h"

/* {"a": float32[4], "b": [int64[2], same, 7]} */
#define PICKLE_WITH_LIST                                                                           \
    "}(U\1a" REBUILT("FloatStorage", "0", "cpu", "\4") "U\1b](" REBUILT(                           \
        "LongStorage", "1", "cpu", "\2") REBUILT("LongStorage", "1", "cpu", "\2") "K\7eu."

typedef struct salvaged {
    checkpoint one;
    fk_torch_losses losses;
    uint64_t proven_from; /* bytes that are known to be as they were */
    uint64_t proven_to;
} salvaged;

static int setup(void **state) {
    *state = calloc(1, sizeof(salvaged));
    return 0;
}

static int teardown(void **state) {
    salvaged *it = *state;
    fk_torch_losses_finish(&it->losses);
    checkpoint_finish(&it->one);
    free(it);
    return 0;
}

static bool is_proven(void *user, uint64_t offset, uint64_t bytes) {
    const salvaged *it = user;
    return offset >= it->proven_from && offset + bytes <= it->proven_to;
}

static void make(salvaged *it) {
    checkpoint_make(&it->one, PICKLE, "archive/data.pkl", SIZED(PICKLE_WITH_LIST), true);
}

static void damage(salvaged *it, size_t offset) {
    it->one.built.file.bytes[offset] ^= 0x10;
}

static fk_code salvage(salvaged *it) {
    const fk_torch_proof proof = {is_proven, it};
    return fk_torch_salvage(it->one.built.file.bytes, it->one.built.file.length, &proof,
                            it->one.values, &it->one.top, &it->losses, &it->one.err);
}

static void assert_lost(const salvaged *it, size_t row, const char *tensor, uint64_t offset,
                        uint64_t bytes) {
    assert_true(row < it->losses.count);
    const fk_torch_loss *found = &it->losses.rows[row];
    if (tensor == NULL) {
        assert_null(found->tensor);
    } else {
        assert_string_equal(found->tensor, tensor);
    }
    assert_int_equal(found->offset, offset);
    assert_int_equal(found->bytes, bytes);
}

static void assert_a_is_there(const salvaged *it) {
    const fk_tensor *a = tensor_of(&it->one, "a");
    assert_memory_equal(fk_tensor_data(a), two_tensors[STORAGE_0].bytes, 16);
}

static void test_an_intact_file_loses_nothing(void **state) {
    salvaged *it = *state;
    make(it);
    assert_int_equal(salvage(it), FK_OK);
    assert_int_equal(it->losses.count, 0);
    assert_int_equal(it->losses.tensors, 3);
    assert_a_is_there(it);
}

static void test_lost_tensors_are_named_and_taken_out(void **state) {
    salvaged *it = *state;
    make(it);
    damage(it, it->one.built.payload[STORAGE_1] + 3);
    assert_int_equal(salvage(it), FK_OK);
    assert_int_equal(it->losses.count, 2);
    assert_lost(it, 0, "b.0", it->one.built.payload[STORAGE_1], 16);
    assert_lost(it, 1, "b.1", it->one.built.payload[STORAGE_1], 16);
    const fk_value *list = fk_value_get(it->one.top, "b");
    assert_int_equal(fk_value_count(list), 3);
    assert_int_equal(fk_value_kind(fk_value_item(list, 0)), FK_KIND_NONE);
    assert_int_equal(fk_value_kind(fk_value_item(list, 1)), FK_KIND_NONE);
    assert_int_equal(fk_value_as_int(fk_value_item(list, 2)), 7);
    assert_a_is_there(it);
}

static void test_an_entry_of_a_dict_goes(void **state) {
    salvaged *it = *state;
    make(it);
    damage(it, it->one.built.payload[STORAGE_0]);
    assert_int_equal(salvage(it), FK_OK);
    assert_lost(it, 0, "a", it->one.built.payload[STORAGE_0], 16);
    assert_int_equal(fk_value_count(it->one.top), 1);
    assert_null(fk_value_get(it->one.top, "a"));
}

/* Bytes that digests vouch for need no CRC; here it is the CRC that is wrong. */
static void test_proven_bytes_are_intact_whatever_the_crc(void **state) {
    salvaged *it = *state;
    make(it);
    damage(it, it->one.built.payload[STORAGE_1] + 3);
    it->proven_from = it->one.built.payload[STORAGE_1];
    it->proven_to = it->proven_from + 16;
    assert_int_equal(salvage(it), FK_OK);
    assert_int_equal(it->losses.count, 0);
    it->proven_to--;
    assert_int_equal(salvage(it), FK_OK);
    assert_int_equal(it->losses.count, 2);
}

/* What was written without a CRC cannot be told from damage. */
static void test_a_record_without_crc_is_lost_unless_proven(void **state) {
    salvaged *it = *state;
    make(it);
    archive *built = &it->one.built;
    memset(built->file.bytes + built->descriptor[STORAGE_0] + 4, 0, 4);
    memset(built->file.bytes + built->entry[STORAGE_0] + 16, 0, 4);
    assert_int_equal(salvage(it), FK_OK);
    assert_lost(it, 0, "a", built->payload[STORAGE_0], 16);
    fk_torch_losses_finish(&it->losses);
    assert_int_equal(
        fk_torch_locate_damage(built->file.bytes, built->file.length, NULL, &it->losses, NULL),
        FK_OK);
    assert_int_equal(it->losses.count, 0);
    it->proven_to = built->file.length;
    assert_int_equal(salvage(it), FK_OK);
    assert_a_is_there(it);
}

static void test_a_damaged_local_header_loses_nothing(void **state) {
    salvaged *it = *state;
    make(it);
    for (size_t at = it->one.built.local[STORAGE_0]; at < it->one.built.payload[STORAGE_0]; at++) {
        bool in_name = at >= it->one.built.local[STORAGE_0] + 30 &&
                       at < it->one.built.local[STORAGE_0] + 30 + strlen("archive/data/0");
        damage(it, at);
        assert_int_equal(salvage(it), FK_OK);
        assert_int_equal(it->losses.count, in_name ? 1 : 0);
        if (in_name) {
            uint64_t start = it->one.built.local[STORAGE_0];
            assert_lost(it, 0, "a", start, it->one.built.local[STORAGE_1] - start);
            assert_true(it->losses.rows[0].undescribed);
        } else {
            assert_a_is_there(it);
        }
        fk_torch_losses_finish(&it->losses);
        damage(it, at);
    }
}

static void test_a_damaged_descriptor_loses_nothing(void **state) {
    salvaged *it = *state;
    make(it);
    for (size_t i = 0; i < 16; i++) {
        damage(it, it->one.built.descriptor[STORAGE_0] + i);
        assert_int_equal(salvage(it), FK_OK);
        assert_int_equal(it->losses.count, 0);
        assert_a_is_there(it);
        damage(it, it->one.built.descriptor[STORAGE_0] + i);
    }
}

/* Of "data/0" and "data/1", one is there twice in the directory then, and the other is not. */
static void test_a_name_that_became_another_loses_nothing(void **state) {
    salvaged *it = *state;
    make(it);
    size_t digit = strlen("archive/data/");
    it->one.built.file.bytes[it->one.built.entry[STORAGE_1] + 46 + digit] = '0';
    assert_int_equal(salvage(it), FK_OK);
    assert_a_is_there(it);
    assert_int_equal(it->losses.count, 0);
}

/* Nothing tells which of two names is right. */
static void test_a_name_that_no_other_record_has_loses_its_record(void **state) {
    salvaged *it = *state;
    make(it);
    size_t digit = strlen("archive/data/");
    it->one.built.file.bytes[it->one.built.entry[STORAGE_1] + 46 + digit] = '5';
    assert_int_equal(salvage(it), FK_OK);
    assert_a_is_there(it);
    assert_int_equal(it->losses.count, 3);
    assert_lost(it, 0, "b.0", FK_NO_OFFSET, 0);
    assert_lost(it, 1, "b.1", FK_NO_OFFSET, 0);
    assert_null(it->losses.rows[2].tensor);
}

/* The header that the directory tells lies outside the file, or within another record. */
static void test_an_offset_that_leads_nowhere_loses_nothing(void **state) {
    salvaged *it = *state;
    archive *built = &it->one.built;
    make(it);
    const uint32_t offsets[] = {UINT32_MAX - 1, (uint32_t)built->payload[PICKLE], 7};
    for (size_t i = 0; i < 3; i++) {
        memcpy(built->file.bytes + built->entry[STORAGE_1] + 42, &offsets[i], 4);
        assert_int_equal(salvage(it), FK_OK);
        assert_int_equal(it->losses.count, 0);
        assert_a_is_there(it);
        fk_torch_losses_finish(&it->losses);
    }
}

static void test_what_belongs_to_no_tensor_is_a_row_without_one(void **state) {
    salvaged *it = *state;
    make(it);
    damage(it, it->one.built.payload[SERIALIZATION]);
    assert_int_equal(salvage(it), FK_OK);
    assert_int_equal(it->losses.count, 1);
    assert_lost(it, 0, NULL, it->one.built.payload[SERIALIZATION], 40);
    assert_a_is_there(it);
}

static void test_a_damaged_pickle_leaves_nothing(void **state) {
    salvaged *it = *state;
    make(it);
    damage(it, it->one.built.payload[PICKLE] + 5);
    assert_int_equal(salvage(it), FK_E_CORRUPT);
    assert_non_null(strstr(it->one.err.message, "data.pkl"));
    assert_int_equal(it->one.err.offset, it->one.built.payload[PICKLE]);
}

/* But for the name of a storage, which nothing else tells with certainty. */
static void test_a_damaged_directory_loses_nothing(void **state) {
    salvaged *it = *state;
    make(it);
    const archive *built = &it->one.built;
    for (size_t at = built->entry[PICKLE]; at < built->file.length; at++) {
        bool in_name = false;
        for (size_t i = STORAGE_0; i <= STORAGE_1; i++) {
            size_t name = built->entry[i] + 46;
            in_name = in_name || (at >= name && at < name + strlen(two_tensors[i].name));
        }
        damage(it, at);
        assert_int_equal(salvage(it), FK_OK);
        assert_true(it->losses.count == 0 || in_name);
        assert_true(in_name || it->losses.tensors == 3);
        fk_torch_losses_finish(&it->losses);
        damage(it, at);
    }
}

static void test_damage_around_the_pickle_loses_nothing(void **state) {
    salvaged *it = *state;
    make(it);
    const archive *built = &it->one.built;
    for (size_t at = built->local[PICKLE]; at < built->local[FORMAT]; at++) {
        if (at >= built->payload[PICKLE] && at < built->descriptor[PICKLE]) {
            continue;
        }
        damage(it, at);
        assert_int_equal(salvage(it), FK_OK);
        assert_int_equal(it->losses.count, 0);
        assert_a_is_there(it);
        damage(it, at);
    }
}

/* No tensor is lost, and none is read in another byte order. */
static void test_damage_in_the_small_records_loses_no_tensor(void **state) {
    salvaged *it = *state;
    make(it);
    static const size_t small[] = {FORMAT, ALIGNMENT, BYTEORDER, VERSION, SERIALIZATION};
    const archive *built = &it->one.built;
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
        for (size_t at = built->local[small[i]]; at < built->descriptor[small[i]] + 16; at++) {
            damage(it, at);
            assert_int_equal(salvage(it), FK_OK);
            assert_true(it->losses.count == 0 || it->losses.rows[0].tensor == NULL);
            assert_a_is_there(it);
            fk_torch_losses_finish(&it->losses);
            damage(it, at);
        }
    }
}

/* ---- files that were cut */

static fk_code salvage_cut(salvaged *it, size_t length) {
    const fk_torch_proof proof = {is_proven, it};
    return fk_torch_salvage(it->one.built.file.bytes, length, &proof, it->one.values, &it->one.top,
                            &it->losses, &it->one.err);
}

static void test_each_length_gives_the_records_that_are_whole(void **state) {
    salvaged *it = *state;
    make(it);
    const archive *built = &it->one.built;
    for (size_t length = 1; length < built->file.length; length++) {
        fk_code code = salvage_cut(it, length);
        if (length < built->descriptor[STORAGE_0] + 16) {
            assert_int_equal(code, FK_E_CORRUPT);
            continue;
        }
        assert_int_equal(code, FK_OK);
        assert_a_is_there(it);
        bool lost = length < built->descriptor[STORAGE_1] + 16;
        assert_int_equal(it->losses.count, lost ? 2 : 0);
        if (lost) {
            uint64_t from = built->local[STORAGE_1];
            assert_lost(it, 0, "b.0", from, length - from);
            assert_lost(it, 1, "b.1", from, length - from);
        }
        fk_torch_losses_finish(&it->losses);
    }
}

/* A tensor may hold an archive: its records are none of the file's. */
static void test_an_archive_within_a_tensor_is_not_walked_into(void **state) {
    salvaged *it = *state;
    __attribute__((cleanup(archive_finish))) archive inner = {0};
    const archive_record decoys[] = {{"archive/data/1", SIZED("decoy decoy deco")}};
    archive_build(&inner, decoys, 1, true);
    make(it);
    checkpoint_finish(&it->one);
    checkpoint_make(&it->one, STORAGE_0, "archive/data/0", inner.file.bytes, inner.file.length,
                    true);
    const archive *built = &it->one.built;
    size_t ends[] = {built->payload[STORAGE_0] + inner.file.length, built->local[STORAGE_1]};
    assert_int_equal(salvage_cut(it, ends[0]), FK_E_CORRUPT);
    assert_non_null(strstr(it->one.err.message, "none of its tensors"));
    assert_int_equal(salvage_cut(it, ends[1]), FK_E_CORRUPT);
    assert_non_null(strstr(it->one.err.message, "elements"));
}

/* Of the same size: the bytes of the one are not given for those of the other. */
static void test_without_a_directory_a_name_that_became_another_is_not_believed(void **state) {
    salvaged *it = *state;
    make(it);
    archive *built = &it->one.built;
    size_t digit = 30 + strlen("archive/data/");
    built->file.bytes[built->local[STORAGE_1] + digit] = '0';
    assert_int_equal(salvage_cut(it, built->entry[PICKLE]), FK_OK);
    assert_a_is_there(it);
    assert_int_equal(it->losses.count, 2);
    assert_lost(it, 0, "b.0", built->local[STORAGE_1],
                built->entry[PICKLE] - built->local[STORAGE_1]);
    built->file.bytes[built->local[STORAGE_0] + digit] = '1';
    assert_int_equal(salvage_cut(it, built->local[STORAGE_1]), FK_E_CORRUPT);
    assert_non_null(strstr(it->one.err.message, "none of its tensors"));
}

/* {"c": int64[2]}, storage 2, in a file that was cut behind the storages of these names. */
static fk_code salvage_numbered(salvaged *it, const char *const *names) {
    static const char pickle[] = "\x80\2}(X\1\0\0\0c" REBUILT("LongStorage", "2", "cpu", "\2") "u.";
    archive_record records[ARCHIVE_RECORDS_MAX] = {{"archive/data.pkl", SIZED(pickle)}};
    size_t count = 1;
    for (; names[count - 1] != NULL; count++) {
        records[count] = two_tensors[STORAGE_1];
        records[count].name = names[count - 1];
    }
    checkpoint_finish(&it->one);
    it->one = (checkpoint){.values = fk_values_create()};
    archive_build(&it->one.built, records, count, true);
    fk_torch_losses_finish(&it->losses);
    return salvage_cut(it, it->one.built.entry[PICKLE]);
}

#define N(number) "archive/data/" number

/* By number, or as texts are sorted, as before PyTorch 2.7. */
static void test_without_a_directory_storages_in_order_are_believed(void **state) {
    static const char *const orders[][8] = {
        {N("0"), N("1"), N("2")},
        {N("0"), N("1"), N("10"), N("2")},
        {N("0"), N("1"), N("10"), N("11"), N("2")},
        {N("0"), N("1"), N("10"), N("100"), N("101"), N("11"), N("2")},
    };
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        assert_int_equal(salvage_numbered(*state, orders[i]), FK_OK);
    }
}

static void test_without_a_directory_storages_out_of_order_are_lost(void **state) {
    static const char *const orders[][8] = {
        {N("2")},
        {N("0"), N("2")},
        {N("0"), N("1"), N("1"), N("2")},
        {N("0"), N("1"), N("11"), N("2")},
        {N("0"), N("1"), N("3"), N("2")},
        {N("0"), N("1"), N("10"), N("13"), N("2")},
        {N("0"), N("1"), N("10"), N("110"), N("2")},
        {N("0"), N("1"), N("10"), N("02"), N("2")},
        {N("0"), N("1"), N("10"), N("x"), N("2")},
        {N("0"), N("1x"), N("2")},
        {N("94308821128336"), N("2")}, /* as the oldest PyTorch named them */
    };
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        salvaged *it = *state;
        assert_int_equal(salvage_numbered(it, orders[i]), FK_E_CORRUPT);
        assert_non_null(strstr(it->one.err.message, "none of its tensors"));
    }
}

/* Other programs note the size in front of the payload. */
static void test_sizes_in_the_local_headers_lead_on_too(void **state) {
    salvaged *it = *state;
    checkpoint_make(&it->one, RECORDS, NULL, NULL, 0, false);
    const archive *built = &it->one.built;
    assert_int_equal(salvage_cut(it, built->local[STORAGE_1] + 5), FK_OK);
    assert_int_equal(it->losses.count, 1);
    assert_lost(it, 0, "b", built->local[STORAGE_1], 5);
    assert_a_is_there(it);
}

static void test_no_tensor_left_is_an_error(void **state) {
    salvaged *it = *state;
    make(it);
    damage(it, it->one.built.payload[STORAGE_0]);
    damage(it, it->one.built.payload[STORAGE_1]);
    assert_int_equal(salvage(it), FK_E_CORRUPT);
    assert_non_null(strstr(it->one.err.message, "none of its tensors"));
}

static void test_other_formats_cannot_be_salvaged(void **state) {
    salvaged *it = *state;
    uint8_t text[] = "hello, this is no checkpoint";
    static uint8_t legacy[] = "\x80\2\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.\x80\2M\xE9";
    const fk_torch_proof proof = {is_proven, it};
    it->one.values = fk_values_create();
    assert_int_equal(fk_torch_salvage(text, sizeof text, &proof, it->one.values, &it->one.top,
                                      &it->losses, &it->one.err),
                     FK_E_CORRUPT);
    assert_int_equal(fk_torch_salvage(legacy, sizeof legacy, &proof, it->one.values, &it->one.top,
                                      &it->losses, &it->one.err),
                     FK_E_UNSUPPORTED);
    assert_non_null(strstr(it->one.err.message, "before PyTorch 1.6"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_an_intact_file_loses_nothing),
        T(test_lost_tensors_are_named_and_taken_out),
        T(test_an_entry_of_a_dict_goes),
        T(test_proven_bytes_are_intact_whatever_the_crc),
        T(test_a_record_without_crc_is_lost_unless_proven),
        T(test_a_damaged_local_header_loses_nothing),
        T(test_a_damaged_descriptor_loses_nothing),
        T(test_a_name_that_became_another_loses_nothing),
        T(test_a_name_that_no_other_record_has_loses_its_record),
        T(test_an_offset_that_leads_nowhere_loses_nothing),
        T(test_what_belongs_to_no_tensor_is_a_row_without_one),
        T(test_a_damaged_pickle_leaves_nothing),
        T(test_a_damaged_directory_loses_nothing),
        T(test_damage_around_the_pickle_loses_nothing),
        T(test_damage_in_the_small_records_loses_no_tensor),
        T(test_each_length_gives_the_records_that_are_whole),
        T(test_an_archive_within_a_tensor_is_not_walked_into),
        T(test_without_a_directory_a_name_that_became_another_is_not_believed),
        T(test_without_a_directory_storages_in_order_are_believed),
        T(test_without_a_directory_storages_out_of_order_are_lost),
        T(test_sizes_in_the_local_headers_lead_on_too),
        T(test_no_tensor_left_is_an_error),
        T(test_other_formats_cannot_be_salvaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
