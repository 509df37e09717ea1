#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/limits.h"
#include "checkpoint/little_endian.h"
#include "checkpoint/torch_write.h"
#include "memory_sink.h"
#include "value/values.h"

/* ---- support */

typedef struct fixture {
    fk_values *values;
    fk_value *top; /* a list */
    memory_sink sink;
    fk_error err;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->values = fk_values_create();
    f->top = fk_value_container(f->values, FK_KIND_LIST);
    *state = f;
    return f->top == NULL;
}

static int tear_down(void **state) {
    fixture *f = *state;
    fk_values_destroy(f->values);
    memory_sink_finish(&f->sink);
    free(f);
    return 0;
}

static void add(fixture *f, fk_storage *storage, fk_dtype dtype, uint64_t offset, int64_t count,
                int64_t stride) {
    fk_tensor view = {.dtype = dtype,
                      .rank = 1,
                      .shape = &count,
                      .strides = &stride,
                      .offset = offset,
                      .storage = storage};
    assert_int_equal(fk_value_append(f->top, fk_value_tensor(f->values, &view)), FK_OK);
}

/* Plans and writes; what was planned must be what is written. */
static void write_file(fixture *f) {
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = NULL;
    fk_sink sink = {memory_sink_write, &f->sink};
    memory_sink_finish(&f->sink);
    f->sink.bytes = (fk_buffer){0};
    f->sink.total = 0;
    assert_int_equal(fk_torch_writer_create(f->top, &writer, &f->err), FK_OK);
    assert_int_equal(fk_torch_writer_write(writer, &sink, NULL, NULL, &f->err), FK_OK);
    assert_int_equal(f->sink.total, fk_torch_writer_bytes(writer));
}

/* The payload of a record, found through the directory; NULL when there is none of this name. */
static const uint8_t *find_record(const fixture *f, const char *name, uint64_t *ret_bytes) {
    char whole[64];
    int length = snprintf(whole, sizeof whole, "archive/%s", name);
    const uint8_t *bytes = f->sink.bytes.bytes;
    const uint8_t *end = bytes + f->sink.bytes.length - 22;
    const uint8_t *at = bytes + fk_little_u32(end + 16);
    for (unsigned i = 0; i < fk_little_u16(end + 10); i++) {
        unsigned name_bytes = fk_little_u16(at + 28);
        if (name_bytes == (unsigned)length && memcmp(at + 46, whole, name_bytes) == 0) {
            const uint8_t *local = bytes + fk_little_u32(at + 42);
            *ret_bytes = fk_little_u32(at + 24);
            return local + 30 + fk_little_u16(local + 26) + fk_little_u16(local + 28);
        }
        at += 46 + name_bytes + fk_little_u16(at + 30);
    }
    return NULL;
}

static void assert_record(const fixture *f, const char *name, const void *expected,
                          uint64_t length) {
    uint64_t bytes = 0;
    const uint8_t *payload = find_record(f, name, &bytes);
    assert_non_null(payload);
    assert_int_equal(bytes, length);
    assert_memory_equal(payload, expected, length);
}

/* Whether these bytes stand in data.pkl. */
static bool pickle_has(const fixture *f, const void *part, size_t length) {
    uint64_t bytes = 0;
    const uint8_t *pickle = find_record(f, "data.pkl", &bytes);
    return memmem(pickle, bytes, part, length) != NULL;
}
#define PICKLE_HAS(f, part) pickle_has(f, part, sizeof(part) - 1)

static _Alignas(16) uint8_t memory[4096];

static fk_storage *storage_of(fixture *f, uint64_t bytes) {
    for (size_t i = 0; i < sizeof memory; i++) {
        memory[i] = (uint8_t)(i * 7 + i / 256);
    }
    return fk_storage_create(f->values, memory, bytes);
}

/* ---- tests */

static void test_the_records_stand_in_the_order_of_pytorch(void **state) {
    fixture *f = *state;
    fk_storage *storage = storage_of(f, 64);
    add(f, storage, FK_FLOAT32, 0, 16, 1);
    add(f, fk_storage_create(f->values, memory, 8), FK_INT64, 0, 1, 1);
    write_file(f);
    static const char *const names[] = {
        "data.pkl", ".format_version", ".storage_alignment",    "byteorder", "data/0",
        "data/1",   "version",         ".data/serialization_id"};
    const uint8_t *last = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint64_t bytes = 0;
        const uint8_t *payload = find_record(f, names[i], &bytes);
        assert_true(payload > last);
        last = payload;
    }
    assert_record(f, ".format_version", "1", 1);
    assert_record(f, ".storage_alignment", "64", 2);
    assert_record(f, "byteorder", "little", 6);
    assert_record(f, "version", "3\n", 2);
    assert_record(f, "data/0", memory, 64);
    assert_record(f, "data/1", memory, 8);
}

static void test_only_the_span_that_tensors_use_is_written(void **state) {
    fixture *f = *state;
    fk_storage *storage = storage_of(f, 4096);
    add(f, storage, FK_FLOAT32, 103, 5, 3); /* bytes 412 to 464 */
    write_file(f);
    assert_record(f, "data/0", memory + 400, 64);
    /* numel 16, offset 3 */
    assert_true(PICKLE_HAS(f, "K\20tq\6QK\3K\5\x85"));
}

static void test_the_span_covers_all_tensors_of_a_storage(void **state) {
    fixture *f = *state;
    fk_storage *storage = storage_of(f, 4096);
    add(f, storage, FK_INT16, 100, 4, 1); /* bytes 200 to 208 */
    add(f, storage, FK_INT16, 20, 2, 10); /* bytes 40 to 62 */
    add(f, storage, FK_INT16, 90, 3, 0);  /* bytes 180 to 182 */
    write_file(f);
    assert_record(f, "data/0", memory + 32, 176);
    uint64_t bytes = 0;
    assert_null(find_record(f, "data/1", &bytes));
    assert_true(PICKLE_HAS(f, "QK\124K\4\x85")); /* 84 */
    assert_true(PICKLE_HAS(f, "QK\4K\2\x85"));
    assert_true(PICKLE_HAS(f, "QK\112K\3\x85")); /* 74 */
}

static void test_tensors_without_elements_have_an_empty_record(void **state) {
    fixture *f = *state;
    fk_storage *storage = storage_of(f, 4096);
    add(f, storage, FK_FLOAT64, 17, 0, 1);
    add(f, fk_storage_create(f->values, NULL, 0), FK_FLOAT32, 0, 0, 1);
    write_file(f);
    assert_record(f, "data/0", "", 0);
    assert_record(f, "data/1", "", 0);
    assert_true(PICKLE_HAS(f, "K\0tq\6QK\0K\0\x85"));
}

static void test_empty_views_are_kept_inside_the_record_of_their_storage(void **state) {
    fixture *f = *state;
    fk_storage *storage = storage_of(f, 4096);
    add(f, storage, FK_INT32, 1, 0, 1);   /* before the span */
    add(f, storage, FK_INT32, 10, 4, 1);  /* bytes 40 to 56: record 32 to 56 */
    add(f, storage, FK_INT32, 900, 0, 1); /* behind it */
    write_file(f);
    assert_record(f, "data/0", memory + 32, 24);
    assert_true(PICKLE_HAS(f, "QK\0K\0\x85"));
    assert_true(PICKLE_HAS(f, "QK\2K\4\x85"));
    assert_true(PICKLE_HAS(f, "QK\6K\0\x85"));
}

static void test_storages_of_several_dtypes_are_untyped(void **state) {
    fixture *f = *state;
    fk_storage *storage = storage_of(f, 4096);
    add(f, storage, FK_INT32, 8, 4, 1); /* bytes 32 to 48 */
    add(f, storage, FK_COMPLEX128, 4, 1, 1);
    add(f, storage, FK_UINT8, 81, 2, 1);
    write_file(f);
    assert_record(f, "data/0", memory + 32, 51);
    assert_true(PICKLE_HAS(f, "_rebuild_tensor_v3"));
    assert_false(PICKLE_HAS(f, "_rebuild_tensor_v2"));
    assert_true(PICKLE_HAS(f, "torch.storage\nUntypedStorage"));
    assert_false(PICKLE_HAS(f, "torch\nIntStorage"));
    assert_true(PICKLE_HAS(f, "torch\nint32"));
    assert_true(PICKLE_HAS(f, "torch\ncomplex128"));
    assert_true(PICKLE_HAS(f, "torch\nuint8"));
    assert_true(PICKLE_HAS(f, "QK\2K\1\x85"));  /* complex128: (64 - 32) / 16 */
    assert_true(PICKLE_HAS(f, "QK\61K\2\x85")); /* uint8: 81 - 32 */
    assert_true(PICKLE_HAS(f, "K\63tq"));       /* 51 bytes */
}

static void test_an_empty_view_of_another_dtype_makes_a_storage_untyped_too(void **state) {
    fixture *f = *state;
    fk_storage *storage = storage_of(f, 64);
    add(f, storage, FK_INT32, 0, 16, 1);
    add(f, storage, FK_INT8, 3, 0, 1);
    write_file(f);
    assert_true(PICKLE_HAS(f, "torch.storage\nUntypedStorage"));
    assert_record(f, "data/0", memory, 64);
}

static void test_every_dtype_has_its_storage(void **state) {
    fixture *f = *state;
    for (fk_dtype dtype = FK_FLOAT32; dtype < FK_DTYPE_COUNT; dtype++) {
        f->top = fk_value_container(f->values, FK_KIND_LIST);
        add(f, storage_of(f, 64), dtype, 0, 2, 1);
        write_file(f);
        assert_record(f, "data/0", memory, 2 * fk_dtype_bytes(dtype));
        assert_int_equal(PICKLE_HAS(f, "_rebuild_tensor_v3"), dtype >= FK_COMPLEX32);
    }
}

static void test_many_storages_are_numbered_by_first_use(void **state) {
    fixture *f = *state;
    storage_of(f, 0);
    for (uint64_t i = 0; i < 300; i++) {
        add(f, fk_storage_create(f->values, memory + i, 16), FK_UINT8, 0, 1, 1);
    }
    write_file(f);
    for (uint64_t i = 0; i < 300; i++) {
        char name[16];
        snprintf(name, sizeof name, "data/%d", (int)i);
        assert_record(f, name, memory + i, 1);
    }
}

static void test_refusals_name_the_path_before_anything_is_written(void **state) {
    fixture *f = *state;
    fk_value *tuple = fk_value_container(f->values, FK_KIND_TUPLE);
    fk_value *dict = fk_value_container(f->values, FK_KIND_DICT);
    assert_int_equal(fk_value_append(tuple, tuple), FK_OK);
    assert_int_equal(fk_value_set(dict, "optimizer", tuple), FK_OK);
    assert_int_equal(fk_value_append(f->top, dict), FK_OK);
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = NULL;
    assert_int_equal(fk_torch_writer_create(f->top, &writer, &f->err), FK_E_UNSUPPORTED);
    assert_null(writer);
    assert_int_equal(f->err.subject, FK_SUBJECT_DATA);
    assert_non_null(strstr(f->err.message, "'0.optimizer.0'"));
    assert_non_null(strstr(f->err.hint, "'0.optimizer.0'"));
}

static void test_a_file_beyond_63_bits_is_refused_with_its_size(void **state) {
    fixture *f = *state;
    int64_t reach = INT64_C(1) << 62; /* nobody touches these bytes: the writer only counts them */
    for (int i = 0; i < 2; i++) {
        add(f, fk_storage_create(f->values, memory, (uint64_t)reach + 1), FK_UINT8, 0, 2, reach);
    }
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = NULL;
    assert_int_equal(fk_torch_writer_create(f->top, &writer, &f->err), FK_E_LIMIT);
    assert_non_null(strstr(f->err.message, "92233720368547"));
    assert_int_not_equal(f->err.hint[0], 0);
}

/* ---- sizes around 4 GiB, of memory that nobody touches */

static void check_large(fixture *f, void *data, uint64_t bytes) {
    f->top = fk_value_container(f->values, FK_KIND_LIST);
    add(f, fk_storage_create(f->values, data, bytes), FK_UINT8, 0, (int64_t)bytes, 1);
    add(f, fk_storage_create(f->values, memory, 16), FK_UINT8, 0, 1, 1);
    write_file(f);
}

static void test_the_size_is_known_around_4_gib(void **state) {
    fixture *f = *state;
    size_t limit = UINT64_C(0xFFFFFFFF);
    size_t mapped = limit + 4096;
    void *data = mmap(NULL, mapped, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(data, MAP_FAILED);
    f->sink.keep_below = 1000; /* headers and descriptors are kept, storages are counted */
    check_large(f, data, limit - 1);
    check_large(f, data, limit);
    check_large(f, data, limit + 1);
    for (uint64_t front = 900; front < 1200; front += 20) {
        check_large(f, data, limit - front);
    }
    assert_int_equal(munmap(data, mapped), 0);
}

/* ---- progress and failure */

typedef struct progress_log {
    uint64_t calls;
    uint64_t done;
    uint64_t total;
    uint64_t stop_at; /* call that cancels; 0: none */
} progress_log;

static int log_progress(uint64_t done_bytes, uint64_t total_bytes, void *user) {
    progress_log *progress = user;
    assert_true(done_bytes > progress->done);
    progress->calls++;
    progress->done = done_bytes;
    progress->total = total_bytes;
    return progress->calls == progress->stop_at;
}

static fk_code write_with_progress(fixture *f, uint64_t bytes, progress_log *progress) {
    FK_SCOPED(fk_freep) void *data = calloc(1, bytes);
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = NULL;
    fk_sink sink = {memory_sink_write, &f->sink};
    f->sink.keep_below = 4096;
    add(f, fk_storage_create(f->values, data, bytes), FK_UINT8, 0, (int64_t)bytes, 1);
    assert_int_equal(fk_torch_writer_create(f->top, &writer, &f->err), FK_OK);
    fk_code code = fk_torch_writer_write(writer, &sink, log_progress, progress, &f->err);
    if (code == FK_OK) {
        assert_int_equal(progress->done, fk_torch_writer_bytes(writer));
        assert_int_equal(progress->total, fk_torch_writer_bytes(writer));
    }
    return code;
}

static void test_progress_is_told_each_mebibyte_and_at_the_end(void **state) {
    fixture *f = *state;
    progress_log progress = {0};
    assert_int_equal(write_with_progress(f, 10 << 20, &progress), FK_OK);
    assert_int_equal(progress.calls, 11);
    assert_true(f->sink.largest_write <= 1 << 20);
}

static void test_progress_may_cancel(void **state) {
    fixture *f = *state;
    progress_log progress = {.stop_at = 3};
    assert_int_equal(write_with_progress(f, 10 << 20, &progress), FK_E_CANCELLED);
    assert_int_equal(progress.calls, 3);
    assert_true(f->sink.total < 4 << 20);
}

static void test_a_full_disk_is_passed_on_wherever_it_strikes(void **state) {
    fixture *f = *state;
    add(f, storage_of(f, 64), FK_FLOAT32, 0, 16, 1);
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = NULL;
    fk_sink sink = {memory_sink_write, &f->sink};
    assert_int_equal(fk_torch_writer_create(f->top, &writer, &f->err), FK_OK);
    uint64_t bytes = fk_torch_writer_bytes(writer);
    for (uint64_t at = 1; at < bytes; at += 13) {
        f->sink.total = 0;
        f->sink.fail_from = at;
        assert_int_equal(fk_torch_writer_write(writer, &sink, NULL, NULL, &f->err), FK_E_NO_SPACE);
    }
    /* the plan outlives a failed write */
    f->sink.total = 0;
    f->sink.fail_from = 0;
    assert_int_equal(fk_torch_writer_write(writer, &sink, NULL, NULL, &f->err), FK_OK);
    assert_int_equal(f->sink.total, bytes);
}

static void test_destroying_nothing_is_fine(void **state) {
    (void)state;
    fk_torch_writer_destroy(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_the_records_stand_in_the_order_of_pytorch),
        TEST(test_only_the_span_that_tensors_use_is_written),
        TEST(test_the_span_covers_all_tensors_of_a_storage),
        TEST(test_tensors_without_elements_have_an_empty_record),
        TEST(test_empty_views_are_kept_inside_the_record_of_their_storage),
        TEST(test_storages_of_several_dtypes_are_untyped),
        TEST(test_an_empty_view_of_another_dtype_makes_a_storage_untyped_too),
        TEST(test_every_dtype_has_its_storage),
        TEST(test_many_storages_are_numbered_by_first_use),
        TEST(test_refusals_name_the_path_before_anything_is_written),
        TEST(test_a_file_beyond_63_bits_is_refused_with_its_size),
        TEST(test_the_size_is_known_around_4_gib),
        TEST(test_progress_is_told_each_mebibyte_and_at_the_end),
        TEST(test_progress_may_cancel),
        TEST(test_a_full_disk_is_passed_on_wherever_it_strikes),
        TEST(test_destroying_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
