/* Limits that no other test holds at the limit and one above it. scripts/tidy.py sees to it that
 * every name in lib/base/limits.h stands in a test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "checkpoint/inspection.h"
#include "checkpoint/pickle_read.h"
#include "digest/digest.h"
#include "make_run.h"
#include "png/png_image.h"
#include "store/names/font_id.h"
#include "store/names/glyph_name.h"
#include "store/run/findings.h"
#include "value/values.h"
#include "json/json.h"

#define BYTES(text) text, sizeof text - 1

static void repeat(fk_buffer *into, const char *bytes, size_t length, size_t count) {
    for (size_t i = 0; i < count; i++) {
        fk_buffer_append(into, bytes, length);
    }
}

/* Reads and gives back its code; the pickle is empty again. */
static fk_code read_pickle(fk_buffer *pickle) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    const fk_pickle_host host = {.storage = NULL};
    fk_value *value = NULL;
    fk_code code =
        fk_pickle_read(pickle->bytes, pickle->length, 0, &host, values, &value, NULL, NULL);
    pickle->length = 0;
    return code;
}

static void test_opcodes(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer pickle = {0};
    for (size_t above = 0; above <= 1; above++) {
        fk_buffer_append_text(&pickle, "N");
        uint8_t *puts = fk_buffer_extend(&pickle, 2 * (FK_LIMIT_PICKLE_OPCODES - 2 + above));
        for (size_t i = 0; i < FK_LIMIT_PICKLE_OPCODES - 2 + above; i++) {
            memcpy(puts + 2 * i, "q\0", 2);
        }
        fk_buffer_append_text(&pickle, ".");
        assert_int_equal(read_pickle(&pickle), above ? FK_E_LIMIT : FK_OK);
    }
}

static void test_bytes_of_a_pickle(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer pickle = {0};
    for (size_t above = 0; above <= 1; above++) {
        fk_buffer_append_text(&pickle, "](");
        size_t left = FK_LIMIT_PICKLE_BYTES + above - 4;
        for (size_t texts = 5; texts > 0; texts--) {
            size_t length = left / texts - 5;
            fk_buffer_append_text(&pickle, "X");
            fk_buffer_append_u32(&pickle, (uint32_t)length);
            memset(fk_buffer_extend(&pickle, length), 'x', length);
            left -= length + 5;
        }
        fk_buffer_append_text(&pickle, "e.");
        assert_int_equal(pickle.length, FK_LIMIT_PICKLE_BYTES + above);
        assert_int_equal(read_pickle(&pickle), above ? FK_E_LIMIT : FK_OK);
    }
}

/* Dicts of two keys of 1 MiB, which are compared twice: to sort them, and to find equal ones (and
 * once more by the qsort of a sanitizer). */
static void test_compared_bytes_of_long_keys(void **state) {
    (void)state;
    enum { KEY = 1 << 20 };
    FK_SCOPED(fk_buffer_finish) fk_buffer pickle = {0};
    const size_t counts[] = {FK_LIMIT_COMPARED_BYTES / KEY / 3,
                             FK_LIMIT_COMPARED_BYTES / KEY / 2 + 1};
    for (size_t above = 0; above <= 1; above++) {
        fk_buffer_append_text(&pickle, "](");
        for (uint8_t i = 0; i < 2; i++) {
            fk_buffer_append_text(&pickle, "X");
            fk_buffer_append_u32(&pickle, KEY);
            memset(fk_buffer_extend(&pickle, KEY), 'k' + i, KEY);
            fk_buffer_append_text(&pickle, "q");
            fk_buffer_append_byte(&pickle, i);
        }
        repeat(&pickle, BYTES("}(h\0Nh\1Nu"), counts[above]);
        fk_buffer_append_text(&pickle, "e.");
        assert_int_equal(read_pickle(&pickle), above ? FK_E_LIMIT : FK_OK);
    }
}

static void test_findings(void **state) {
    (void)state;
    FK_SCOPED(fk_inspection_destroyp) fk_inspection *seen = fk_inspection_create("x", 0);
    for (size_t i = 0; i < FK_LIMIT_FINDINGS; i++) {
        assert_int_equal(fk_inspection_add_finding(seen, "global", 0, 0, NULL, "x"), FK_OK);
    }
    assert_int_equal(seen->finding_count, FK_LIMIT_FINDINGS);
    assert_string_equal(seen->findings[FK_LIMIT_FINDINGS - 1].code, "global");
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(fk_inspection_add_finding(seen, "global", 0, 0, NULL, "x"), FK_OK);
        assert_int_equal(seen->finding_count, FK_LIMIT_FINDINGS + 1);
        assert_string_equal(seen->findings[FK_LIMIT_FINDINGS].code, "limit");
    }
}

/* A row and a name of so many bytes fill what may be listed, to the byte. */
static void test_listed_bytes(void **state) {
    (void)state;
    enum { FILE_BYTES = 100 };
    size_t length = FK_LIMIT_LISTED_BYTES + FILE_BYTES - sizeof(fk_tensor_info);
    FK_SCOPED(fk_freep) char *name = malloc(length + 2);
    fk_tensor tensor = {.dtype = FK_FLOAT32};
    memset(name, 'n', length + 1);
    name[length + 1] = '\0';
    for (size_t above = 0; above <= 1; above++) {
        FK_SCOPED(fk_inspection_destroyp)
        fk_inspection *seen = fk_inspection_create("x", FILE_BYTES);
        const char *from = name + 1 - above;
        assert_int_equal(fk_inspection_add_tensor(seen, from, &tensor, NULL), FK_OK);
        assert_int_equal(seen->tensor_count, 1 - above);
        assert_int_equal(fk_inspection_add_tensor(seen, "", &tensor, NULL), FK_OK);
        assert_int_equal(seen->tensor_count, 1 - above);
        assert_int_equal(seen->finding_count, 1);
        assert_string_equal(seen->findings[0].code, "limit");
    }
}

static void test_problems_of_a_run(void **state) {
    (void)state;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_findings findings;
    fk_findings_init(&findings, values);
    const fk_problem problem = FK_PROBLEM("stranger", "x");
    for (size_t i = 0; i < FK_LIMIT_PROBLEMS + 5; i++) {
        fk_findings_add(&findings, FK_COMPLETE, &problem, "problem %zu", i);
    }
    assert_false(findings.failed);
    assert_in_range(findings.count, FK_LIMIT_PROBLEMS, FK_LIMIT_PROBLEMS + 1);
    assert_string_equal(findings.problems[FK_LIMIT_PROBLEMS - 2].message, "problem 998");
    fk_findings_add(&findings, FK_CORRUPT, &problem, "the last");
    assert_int_equal(findings.health, FK_CORRUPT); /* counts, listed or not */
}

static void test_bytes_of_a_font_id(void **state) {
    (void)state;
    char id[FK_LIMIT_FONT_ID_BYTES + 2] = "1-";
    memset(id + 2, 'a', FK_LIMIT_FONT_ID_BYTES - 1);
    assert_false(fk_font_id_is_valid(id));
    id[FK_LIMIT_FONT_ID_BYTES] = '\0';
    assert_true(fk_font_id_is_valid(id));
}

static void test_bytes_of_a_label_and_of_its_file(void **state) {
    (void)state;
    char label[FK_LIMIT_LABEL_BYTES + 2] = "";
    char file[FK_GLYPH_FILE_BYTES];
    /* characters of 4 bytes, "uXXXXX" each and '_' between: 35 fit 255 bytes, ".png" included */
    size_t fitting = (FK_LIMIT_FILE_NAME_BYTES - strlen(".png") + 1) / strlen("u1F642_");
    for (size_t i = 0; i <= fitting; i++) {
        memcpy(label + 4 * i, "\xF0\x9F\x99\x82", 5);
    }
    assert_int_equal(fk_glyph_name_from_label(label, file, NULL), FK_E_LIMIT);
    label[4 * fitting] = '\0';
    assert_int_equal(fk_glyph_name_from_label(label, file, NULL), FK_OK);
    assert_true(strlen(file) <= FK_LIMIT_FILE_NAME_BYTES);
    memset(label, 'a', FK_LIMIT_LABEL_BYTES + 1);
    label[FK_LIMIT_LABEL_BYTES + 1] = '\0';
    assert_int_equal(fk_glyph_name_from_label(label, file, NULL), FK_E_LIMIT);
}

static void append_chunk(fk_buffer *png, const char *type, const void *data, uint32_t length) {
    uint32_t big = __builtin_bswap32(length);
    fk_buffer_append(png, &big, sizeof big);
    size_t start = png->length;
    fk_buffer_append(png, type, 4);
    fk_buffer_append(png, data, length);
    big = __builtin_bswap32(fk_crc32_update(0, png->bytes + start, length + 4));
    fk_buffer_append(png, &big, sizeof big);
}

static void test_pixels_of_an_image(void **state) {
    (void)state;
    enum { WIDTH = 8192 };
    for (uint32_t above = 0; above <= 1; above++) {
        FK_SCOPED(fk_buffer_finish) fk_buffer png = {0};
        uint32_t header[] = {__builtin_bswap32(WIDTH),
                             __builtin_bswap32((uint32_t)(FK_LIMIT_PNG_PIXELS / WIDTH) + above), 8,
                             0};
        fk_buffer_append(&png, BYTES("\x89PNG\r\n\x1A\n"));
        append_chunk(&png, "IHDR", header, 13);
        append_chunk(&png, "IDAT", "x", 1);
        append_chunk(&png, "IEND", "", 0);
        assert_int_equal(fk_png_check(png.bytes, png.length, NULL, NULL),
                         above ? FK_E_LIMIT : FK_OK);
    }
}

/* The buffer is as full as can be already; what stands in it is never looked at. */
static void test_written_bytes_of_json(void **state) {
    (void)state;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_buffer_finish)
    fk_buffer text = {
        .bytes = malloc(FK_LIMIT_JSON_WRITTEN_BYTES + 64),
        .length = FK_LIMIT_JSON_WRITTEN_BYTES,
        .capacity = FK_LIMIT_JSON_WRITTEN_BYTES + 64,
    };
    const fk_value *one = fk_value_int(values, 1);
    assert_non_null(text.bytes);
    assert_int_equal(fk_json_append(&text, one, "x", NULL), FK_OK);
    assert_int_equal(text.length, FK_LIMIT_JSON_WRITTEN_BYTES + 1);
    assert_int_equal(fk_json_append(&text, one, "x", NULL), FK_E_LIMIT);
}

/* One float, seen as many. */
static void test_bytes_of_an_expanded_vector(void **state) {
    (void)state;
    static float element = 1.5f;
    for (int64_t above = 0; above <= 1; above++) {
        run_bench *it = NULL;
        fk_loaded *loaded = NULL;
        run_bench_setup((void **)&it);
        fk_tensor vector = {
            .dtype = FK_FLOAT32,
            .rank = 1,
            .shape = (int64_t[]){FK_LIMIT_EXPANDED_BYTES / sizeof element + above},
            .strides = (int64_t[]){0},
            .storage = fk_storage_create(it->sample.values, &element, sizeof element),
        };
        it->sample.model.personality_vector = fk_value_tensor(it->sample.values, &vector);
        const char *id = run_bench_save(it);
        assert_int_equal(fk_load_model(it->store, RUN_FONT, id, NULL, &loaded, &it->err),
                         above ? FK_E_LIMIT : FK_OK);
        fk_loaded_destroy(loaded);
        run_bench_teardown((void **)&it);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opcodes),
        cmocka_unit_test(test_bytes_of_a_pickle),
        cmocka_unit_test(test_compared_bytes_of_long_keys),
        cmocka_unit_test(test_findings),
        cmocka_unit_test(test_listed_bytes),
        cmocka_unit_test(test_problems_of_a_run),
        cmocka_unit_test(test_bytes_of_a_font_id),
        cmocka_unit_test(test_bytes_of_a_label_and_of_its_file),
        cmocka_unit_test(test_pixels_of_an_image),
        cmocka_unit_test(test_written_bytes_of_json),
        cmocka_unit_test(test_bytes_of_an_expanded_vector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
