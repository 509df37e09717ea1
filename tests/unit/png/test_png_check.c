/* lib/png/png_check.c and png_chunk.c: files put together chunk by chunk, right and wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "digest/crc32.h"
#include "png/png_image.h"

static fk_error err;

/* what an IHDR holds */
typedef struct header_fields {
    uint32_t width;
    uint32_t height;
    uint8_t depth;
    uint8_t colour;
    uint8_t compression;
    uint8_t filter;
    uint8_t interlace;
} header_fields;

static const header_fields grey = {3, 2, 8, 0, 0, 0, 0};
static const header_fields with_palette = {3, 2, 8, 3, 0, 0, 0};

static void put_number(fk_buffer *file, uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        fk_buffer_append_byte(file, (uint8_t)(number >> shift));
    }
}

static void put_chunk(fk_buffer *file, const char *type, const void *data, size_t length) {
    put_number(file, (uint32_t)length);
    fk_buffer_append(file, type, 4);
    fk_buffer_append(file, data, length);
    put_number(file, fk_crc32_update(0, file->bytes + file->length - length - 4, length + 4));
}

static void put_start(fk_buffer *file, const header_fields *header) {
    FK_SCOPED(fk_buffer_finish) fk_buffer data = {0};
    put_number(&data, header->width);
    put_number(&data, header->height);
    fk_buffer_append(&data, &header->depth, 5);
    fk_buffer_append(file, "\x89PNG\r\n\x1A\n", 8);
    put_chunk(file, "IHDR", data.bytes, data.length);
}

static void accept(const fk_buffer *file) {
    fk_png_size size = {0};
    assert_int_equal(fk_png_check(file->bytes, file->length, &size, &err), FK_OK);
    assert_int_equal(size.width, 3);
    assert_int_equal(size.height, 2);
}

static void refuse(const fk_buffer *file, fk_code code, uint64_t offset, const char *message) {
    fk_png_size size = {7, 7};
    assert_int_equal(fk_png_check(file->bytes, file->length, &size, &err), code);
    assert_string_equal(err.message, message);
    assert_int_equal(err.offset, offset);
    assert_string_not_equal(err.hint, "");
    assert_int_equal(size.width, 7);
    assert_int_equal(fk_png_check(file->bytes, file->length, NULL, NULL), code);
}

/* A file of a header and these chunks ("IDAT", "tEXt", ...), each with three bytes but IEND. */
static void put_file(fk_buffer *file, const header_fields *header, const char *const *types) {
    put_start(file, header);
    for (; *types != NULL; types++) {
        put_chunk(file, *types, "abc", strcmp(*types, "IEND") == 0 ? 0 : 3);
    }
}

#define TYPES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_whole_files_are_accepted(void **state) {
    (void)state;
    const char *const *const files[] = {
        TYPES("IDAT", "IEND"),
        TYPES("IDAT", "IDAT", "IDAT", "IEND"),
        TYPES("gAMA", "IDAT", "tEXt", "IEND"),
        TYPES("tEXt", "PLTE", "tRNS", "IDAT", "IEND"),
    };
    for (size_t i = 0; i < 4; i++) {
        FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
        put_file(&file, i == 3 ? &with_palette : &grey, files[i]);
        accept(&file);
        assert_int_equal(fk_png_check(file.bytes, file.length, NULL, NULL), FK_OK);
    }
}

static void test_every_truncation_is_refused(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    put_file(&file, &grey, TYPES("IDAT", "tEXt", "IEND"));
    for (size_t length = 0; length < file.length; length++) {
        assert_int_equal(fk_png_check(file.bytes, length, NULL, &err), FK_E_INVALID);
        assert_true(err.offset <= length);
    }
}

static void test_every_flipped_bit_is_noticed(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    put_file(&file, &grey, TYPES("IDAT", "tEXt", "IEND"));
    for (size_t bit = 0; bit < file.length * 8; bit++) {
        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(fk_png_check(file.bytes, file.length, NULL, &err), FK_E_INVALID);
        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_what_is_no_png_is_told_so(void **state) {
    (void)state;
    fk_buffer jpeg = {.bytes = (uint8_t[]){0xFF, 0xD8, 0xFF, 0xE0, 0, 0, 0, 0, 0, 0}, .length = 10};
    refuse(&jpeg, FK_E_INVALID, 0, "the image is no PNG file");
    assert_string_equal(err.hint, "convert the image to PNG");
    fk_buffer empty = {.bytes = (uint8_t[]){0}, .length = 0};
    refuse(&empty, FK_E_INVALID, 0, "the image is no PNG file");
}

static void test_chunks_out_of_place_are_refused(void **state) {
    (void)state;
    static const char *const out_of_place = "the PNG file has a critical chunk out of place";
    const struct {
        const header_fields *header;
        const char *const *types;
        uint64_t offset;
        const char *message;
    } cases[] = {
        {&grey, TYPES("IEND"), 33, "the PNG file has no pixels (no IDAT chunk)"},
        {&grey, TYPES("IDAT"), 48, "the PNG file ends before its IEND chunk"},
        {&grey, TYPES("IDAT", "IEND", "tEXt"), 60, "bytes stand behind the end of the PNG file"},
        {&grey, TYPES("IHDR", "IDAT", "IEND"), 33, out_of_place},
        {&grey, TYPES("NEWC", "IDAT", "IEND"), 33, out_of_place},
        {&grey, TYPES("IDAT", "tEXt", "IDAT", "IEND"), 63,
         "the PNG file's IDAT chunks are not in one row"},
        {&grey, TYPES("PLTE", "IDAT", "IEND"), 33, "the PNG file has a PLTE chunk out of place"},
        {&with_palette, TYPES("PLTE", "PLTE", "IDAT", "IEND"), 48,
         "the PNG file has a PLTE chunk out of place"},
        {&with_palette, TYPES("IDAT", "IEND"), 33, "the PNG file has no palette before its pixels"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
        put_file(&file, cases[i].header, cases[i].types);
        refuse(&file, FK_E_INVALID, cases[i].offset, cases[i].message);
    }
}

static void test_a_header_must_come_first_and_be_whole(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer headless = {0};
    fk_buffer_append(&headless, "\x89PNG\r\n\x1A\n", 8);
    put_chunk(&headless, "IDAT", "abc", 3);
    refuse(&headless, FK_E_INVALID, 8, "the PNG file does not start with an IHDR chunk");
    FK_SCOPED(fk_buffer_finish) fk_buffer narrow = {0};
    fk_buffer_append(&narrow, "\x89PNG\r\n\x1A\n", 8);
    put_chunk(&narrow, "IHDR", "abc", 3);
    refuse(&narrow, FK_E_INVALID, 8, "the PNG file does not start with an IHDR chunk");
}

static void test_fields_of_the_header_are_checked(void **state) {
    (void)state;
    static const char *const together =
        "bit depth and colour type of the PNG image do not go together";
    static const char *const method =
        "the PNG image's compression, filter or interlace method is unknown";
    static const struct {
        header_fields header;
        uint64_t offset;
        const char *const *message;
    } cases[] = {
        {{3, 2, 3, 0, 0, 0, 0}, 24, &together},  {{3, 2, 16, 3, 0, 0, 0}, 24, &together},
        {{3, 2, 4, 2, 0, 0, 0}, 24, &together},  {{3, 2, 8, 1, 0, 0, 0}, 24, &together},
        {{3, 2, 40, 0, 0, 0, 0}, 24, &together}, {{3, 2, 8, 200, 0, 0, 0}, 24, &together},
        {{3, 2, 8, 0, 1, 0, 0}, 26, &method},    {{3, 2, 8, 0, 0, 1, 0}, 26, &method},
        {{3, 2, 8, 0, 0, 0, 2}, 26, &method},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
        put_file(&file, &cases[i].header, TYPES("IDAT", "IEND"));
        refuse(&file, FK_E_INVALID, cases[i].offset, *cases[i].message);
    }
    static const header_fields good[] = {
        {3, 2, 16, 6, 0, 0, 1}, {3, 2, 8, 4, 0, 0, 0}, {3, 2, 1, 0, 0, 0, 0}};
    for (size_t i = 0; i < 3; i++) {
        FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
        put_file(&file, &good[i], TYPES("IDAT", "IEND"));
        accept(&file);
    }
}

static void test_sizes_beyond_the_limits_are_refused(void **state) {
    (void)state;
    static const header_fields large[] = {{FK_LIMIT_PNG_SIDE + 1, 1, 8, 0, 0, 0, 0},
                                          {1, 0xFFFFFFFF, 8, 0, 0, 0, 0},
                                          {FK_LIMIT_PNG_SIDE, FK_LIMIT_PNG_SIDE, 8, 0, 0, 0, 0}};
    for (size_t i = 0; i < 3; i++) {
        FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
        put_file(&file, &large[i], TYPES("IDAT", "IEND"));
        assert_int_equal(fk_png_check(file.bytes, file.length, NULL, &err), FK_E_LIMIT);
        assert_int_equal(err.offset, 16);
    }
    static const header_fields none[] = {{0, 1, 8, 0, 0, 0, 0}, {1, 0, 8, 0, 0, 0, 0}};
    for (size_t i = 0; i < 2; i++) {
        FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
        put_file(&file, &none[i], TYPES("IDAT", "IEND"));
        refuse(&file, FK_E_INVALID, 16, "the PNG image has no pixels");
    }
    /* told by its length alone: not one byte of it is looked at */
    assert_int_equal(fk_png_check(NULL, FK_LIMIT_PNG_BYTES + 1, NULL, &err), FK_E_LIMIT);
}

static void test_palettes_have_one_to_256_colours(void **state) {
    (void)state;
    static const uint8_t colours[771];
    static const size_t lengths[] = {0, 4, 771};
    for (size_t i = 0; i < 3; i++) {
        FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
        put_start(&file, &with_palette);
        put_chunk(&file, "PLTE", colours, lengths[i]);
        refuse(&file, FK_E_INVALID, 33, "the PNG file's palette has a wrong length");
    }
}

static void test_broken_chunks_are_refused_where_they_are(void **state) {
    (void)state;
    FK_SCOPED(fk_buffer_finish) fk_buffer file = {0};
    put_start(&file, &grey);
    put_chunk(&file, "1DAT", "abc", 3);
    refuse(&file, FK_E_INVALID, 37, "a PNG chunk's type is not four letters");
    file.length = 33;
    put_number(&file, 0xFFFFFFFF);
    fk_buffer_append(&file, "IDAT----", 8);
    refuse(&file, FK_E_INVALID, 33, "a PNG chunk reaches beyond the end of the file");
    file.length = 33;
    put_chunk(&file, "IDAT", "abc", 3);
    file.bytes[file.length - 1] ^= 1;
    refuse(&file, FK_E_INVALID, 33, "a PNG chunk's CRC-32 does not match");
    file.length = 33;
    put_chunk(&file, "IDAT", "abc", 3);
    put_chunk(&file, "IEND", "x", 1);
    refuse(&file, FK_E_INVALID, 48, "the PNG file's IEND chunk is not empty");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_files_are_accepted),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_every_flipped_bit_is_noticed),
        cmocka_unit_test(test_what_is_no_png_is_told_so),
        cmocka_unit_test(test_chunks_out_of_place_are_refused),
        cmocka_unit_test(test_a_header_must_come_first_and_be_whole),
        cmocka_unit_test(test_fields_of_the_header_are_checked),
        cmocka_unit_test(test_sizes_beyond_the_limits_are_refused),
        cmocka_unit_test(test_palettes_have_one_to_256_colours),
        cmocka_unit_test(test_broken_chunks_are_refused_where_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
