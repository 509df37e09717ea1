#include "pickle_read_fixture.h"

#define EVIL "cos\nx\n"

typedef struct placed {
    const char *pickle;
    size_t length;
    const char *path; /* NULL: none is told */
} placed;

static const placed rows[] = {
    {BYTES(EVIL "."), "(top)"},
    {BYTES(EVIL ")R."), "(top)"},
    {BYTES("(K\1" EVIL "K\2t."), "1"},
    {BYTES("K\1" EVIL "\x86."), "1"},
    {BYTES("]K\1a" EVIL "a."), "1"},
    {BYTES("](K\1K\2e(K\3" EVIL ")\x81"
           "e."),
     "3"},
    {BYTES("}K\7" EVIL "s."), "7"},
    {BYTES("}(X\1\0\0\0aNX\1\0\0\0b]" EVIL "au."), "b.0"},
    {BYTES("}" EVIL "Ns."), "(top)"},
    /* arguments and attributes are no step; what a call takes a list for is */
    {BYTES("}X\1\0\0\0a" SIZED_CODE("__builtin__", "set") "](K\1" EVIL "e\x85Rs."), "a.1"},
    {BYTES("}X\1\0\0\0a" HOOKS "}X\1\0\0\0n" EVIL "sbs."), "a.n"},
    {BYTES("]" EVIL ")R}X\1\0\0\0nNsba."), "0"},
    {BYTES("\x8F(K\1" EVIL "\x90."), "1"},
    /* opcodes that are not read */
    {BYTES("]\x8B\1\0\0\0\1a."), "0"},
    {BYTES("](K\1(K\2\x91"
           "e."),
     "1"},
    {BYTES("]q\1]q\2h\1\x85q\3"
           "a0h\2a."),
     "0"},
    /* what cannot be made or stored */
    {BYTES("]" V2 "K\x63K\2\x85K\1\x85\x89NtRa."), "0"},
    {BYTES("](NK\1" STORAGE "e."), "2"},
    {BYTES("}X\1\0\0\0s" STORAGE "s."), "s"},
    {BYTES("](N]e(}]Nse."), "2"},
    /* a pickle that does not go on well */
    {BYTES(EVIL), NULL},
    {BYTES("](" EVIL "."), NULL},
    {BYTES(EVIL "e."), NULL},
    {BYTES(EVIL "2."), NULL},
    {BYTES(EVIL "\x87."), NULL},
    {BYTES(EVIL "(o."), NULL},
    {BYTES("K\1s."), NULL},
};

static void test_a_refusal_tells_its_dotted_path(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
        fake_host fake = {.values = values};
        fk_value *value = NULL;
        fk_error err = {0};
        char expected[64] = ", at '";
        assert_true(read_pickle(&fake, rows[i].pickle, rows[i].length, false, &value, &err) < 0);
        if (rows[i].path != NULL) {
            snprintf(expected, sizeof expected, ", at '%s'", rows[i].path);
        }
        if ((strstr(err.message, expected) != NULL) != (rows[i].path != NULL)) {
            fail_msg("row %zu, wanted %s: %s", i, expected, err.message);
        }
    }
}

static void test_a_path_deeper_than_the_limit_is_not_told(void **state) {
    (void)state;
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_buffer_finish) fk_buffer pickle = {0};
    fake_host fake = {.values = values};
    fk_value *value = NULL;
    fk_error err = {0};
    fk_buffer_append_text(&pickle, EVIL);
    for (size_t i = 0; i <= FK_LIMIT_DEPTH; i++) {
        fk_buffer_append_text(&pickle, "\x85");
    }
    fk_buffer_append_text(&pickle, ".");
    assert_int_equal(
        read_pickle(&fake, (const char *)pickle.bytes, pickle.length, false, &value, &err),
        FK_E_UNSUPPORTED);
    assert_null(strstr(err.message, ", at"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_refusal_tells_its_dotted_path),
        cmocka_unit_test(test_a_path_deeper_than_the_limit_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
