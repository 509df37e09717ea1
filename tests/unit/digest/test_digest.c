/* lib/digest: CRC-32, SHA-256, XXH3 and pieces, against published values and other programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/digest.h"
#include "fake_memory.h"

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC_SHA256   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY_XXH3   "99aa06d3014798d86001c324468d497f"

static fk_error err;

static void test_crc32_is_that_of_zip(void **state) {
    (void)state;
    assert_int_equal(fk_crc32_update(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(fk_crc32_update(fk_crc32_update(0, "1234", 4), "56789", 5), 0xCBF43926);
    assert_int_equal(fk_crc32_update(0, NULL, 0), 0);
    assert_int_equal(fk_crc32_update(0xCBF43926, NULL, 0), 0xCBF43926);
}

static void test_sha256_is_the_published_one(void **state) {
    (void)state;
    char hex[FK_SHA256_HEX_BYTES];
    assert_int_equal(fk_sha256_hex("abc", 3, hex, &err), FK_OK);
    assert_string_equal(hex, ABC_SHA256);
    assert_int_equal(fk_sha256_hex(NULL, 0, hex, &err), FK_OK);
    assert_string_equal(hex, EMPTY_SHA256);
}

static void test_sha256_starts_afresh_after_each_digest(void **state) {
    (void)state;
    char hex[FK_SHA256_HEX_BYTES];
    FK_SCOPED(fk_sha256_destroyp) fk_sha256 *sha256 = NULL;
    assert_int_equal(fk_sha256_create(&sha256, &err), FK_OK);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(fk_sha256_update(sha256, "a", 1, &err), FK_OK);
        assert_int_equal(fk_sha256_update(sha256, NULL, 0, &err), FK_OK);
        assert_int_equal(fk_sha256_update(sha256, "bc", 2, &err), FK_OK);
        assert_int_equal(fk_sha256_next(sha256, hex, &err), FK_OK);
        assert_string_equal(hex, ABC_SHA256);
    }
}

static void test_xxh3_is_spelled_as_xxhsum_does(void **state) {
    (void)state;
    char hex[FK_XXH3_HEX_BYTES];
    fk_xxh3_hex("", 0, hex);
    assert_string_equal(hex, EMPTY_XXH3);
    fk_xxh3_hex("abc", 3, hex);
    assert_string_equal(hex, "06b05ab6733a618578af5f94892f3950");
}

static void test_xxh3_in_parts_is_that_of_the_whole(void **state) {
    (void)state;
    uint8_t bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    }
    char whole[FK_XXH3_HEX_BYTES];
    char parts[FK_XXH3_HEX_BYTES];
    fk_xxh3_hex(bytes, sizeof bytes, whole);
    FK_SCOPED(fk_xxh3_destroyp) fk_xxh3 *xxh3 = NULL;
    assert_int_equal(fk_xxh3_create(&xxh3, &err), FK_OK);
    for (size_t part = 1; part < 2000; part = part * 3 + 1) {
        for (size_t at = 0; at < sizeof bytes; at += part) {
            size_t left = sizeof bytes - at;
            fk_xxh3_update(xxh3, bytes + at, left < part ? left : part);
        }
        fk_xxh3_update(xxh3, NULL, 0);
        fk_xxh3_next(xxh3, parts);
        assert_string_equal(parts, whole);
    }
}

static void test_a_piece_gives_the_digests_asked_for(void **state) {
    (void)state;
    for (int kinds = 0; kinds < 4; kinds++) {
        char sha256[FK_SHA256_HEX_BYTES] = "untouched";
        char xxh3[FK_XXH3_HEX_BYTES] = "untouched";
        FK_SCOPED(fk_piece_digest_destroyp) fk_piece_digest *digest = NULL;
        assert_int_equal(fk_piece_digest_create(kinds & 1, kinds & 2, &digest, &err), FK_OK);
        assert_int_equal(fk_piece_digest_update(digest, "abc", 3, &err), FK_OK);
        assert_int_equal(fk_piece_digest_next(digest, (kinds & 1) ? sha256 : NULL,
                                              (kinds & 2) ? xxh3 : NULL, &err),
                         FK_OK);
        assert_string_equal(sha256, (kinds & 1) ? ABC_SHA256 : "untouched");
        assert_string_equal(xxh3, (kinds & 2) ? "06b05ab6733a618578af5f94892f3950" : "untouched");
        assert_int_equal(fk_piece_digest_next(digest, sha256, xxh3, &err), FK_OK);
        assert_string_equal(sha256, (kinds & 1) ? EMPTY_SHA256 : "untouched");
        assert_string_equal(xxh3, (kinds & 2) ? EMPTY_XXH3 : "untouched");
    }
}

static void test_short_memory_is_an_error_without_a_leak(void **state) {
    (void)state;
    for (size_t nth = 1;; nth++) {
        fk_piece_digest *digest = NULL;
        fake_memory_fail(nth);
        fk_code code = fk_piece_digest_create(true, true, &digest, &err);
        if (!fake_memory_relent()) {
            assert_int_equal(code, FK_OK);
            assert_true(nth > 3);
            fk_piece_digest_destroy(digest);
            break;
        }
        assert_int_equal(code, FK_E_NO_MEMORY);
        assert_null(digest);
    }
    char hex[FK_SHA256_HEX_BYTES];
    fake_memory_fail(1);
    assert_int_equal(fk_sha256_hex("abc", 3, hex, &err), FK_E_NO_MEMORY);
    fake_memory_relent();
}

static void test_destroying_nothing_is_fine(void **state) {
    (void)state;
    fk_piece_digest_destroy(NULL);
    fk_sha256_destroy(NULL);
    fk_xxh3_destroy(NULL);
    fk_digest_stream_destroy(NULL);
    fk_file_digests_finish(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32_is_that_of_zip),
        cmocka_unit_test(test_sha256_is_the_published_one),
        cmocka_unit_test(test_sha256_starts_afresh_after_each_digest),
        cmocka_unit_test(test_xxh3_is_spelled_as_xxhsum_does),
        cmocka_unit_test(test_xxh3_in_parts_is_that_of_the_whole),
        cmocka_unit_test(test_a_piece_gives_the_digests_asked_for),
        cmocka_unit_test(test_short_memory_is_an_error_without_a_leak),
        cmocka_unit_test(test_destroying_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
