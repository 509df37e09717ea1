#include "json/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/text.h"
#include "json/keys.h"

typedef struct scanner {
    const char *text;
    size_t length;
    size_t at;
    size_t depth;
    fk_json_keys keys; /* of the objects that are open */
    fk_error *err;
} scanner;

static fk_code scan_value(scanner *scan);

static void scanner_finish(scanner *scan) {
    fk_json_keys_finish(&scan->keys);
}

/* ---- errors */

/* Sets the error with its place: the offset for programs, line and column for people. */
static fk_code refuse(scanner *scan, fk_code code, size_t offset, const char *what) {
    size_t line = 1;
    size_t column = 1;
    for (size_t i = 0; i < offset; i++) {
        column = scan->text[i] == '\n' ? 1 : column + 1;
        line += scan->text[i] == '\n';
    }
    fk_error_set(scan->err, code, "JSON: %s at line %zu, column %zu", what, line, column);
    fk_error_offset(scan->err, offset);
    fk_error_hint(scan->err, "correct the text at line %zu, column %zu", line, column);
    return code;
}

static fk_code refuse_here(scanner *scan, const char *what) {
    return refuse(scan, FK_E_INVALID, scan->at, what);
}

/* "expected a value, found 'x'", or that the text ends. */
static fk_code expected(scanner *scan, const char *wanted) {
    char what[128];
    if (scan->at >= scan->length) {
        snprintf(what, sizeof what, "the text ends where %s should stand", wanted);
    } else if (scan->text[scan->at] > ' ' && scan->text[scan->at] < 0x7F) {
        snprintf(what, sizeof what, "expected %s, found '%c'", wanted, scan->text[scan->at]);
    } else {
        snprintf(what, sizeof what, "expected %s, found byte 0x%02X", wanted,
                 (unsigned)(unsigned char)scan->text[scan->at]);
    }
    return refuse_here(scan, what);
}

/* ---- words and numbers */

static bool is_at(const scanner *scan, char expected_char) {
    return scan->at < scan->length && scan->text[scan->at] == expected_char;
}

static bool take(scanner *scan, char expected_char) {
    bool found = is_at(scan, expected_char);
    scan->at += found;
    return found;
}

static void skip_space(scanner *scan) {
    while (scan->at < scan->length && fk_json_is_space(scan->text[scan->at])) {
        scan->at++;
    }
}

static bool take_word(scanner *scan, const char *word) {
    size_t length = strlen(word);
    if (scan->length - scan->at < length || memcmp(scan->text + scan->at, word, length) != 0) {
        return false;
    }
    scan->at += length;
    return true;
}

static size_t take_digits(scanner *scan) {
    size_t start = scan->at;
    while (scan->at < scan->length && scan->text[scan->at] >= '0' && scan->text[scan->at] <= '9') {
        scan->at++;
    }
    return scan->at - start;
}

bool fk_json_is_integer(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.' || text[i] == 'e' || text[i] == 'E') {
            return false;
        }
    }
    return true;
}

/* The range of a number whose grammar is good. */
static fk_code check_range(scanner *scan, size_t start) {
    const char *text = scan->text + start;
    size_t length = scan->at - start;
    if (!fk_json_is_integer(text, length)) {
        double number;
        return fk_text_to_double(text, length, &number)
                   ? FK_OK
                   : refuse(scan, FK_E_INVALID, start, "a number beyond the range of a double");
    }
    bool negative = text[0] == '-';
    int64_t number = 0;
    bool fits = true;
    for (size_t i = negative; fits && i < length; i++) {
        int digit = negative ? '0' - text[i] : text[i] - '0';
        fits = !__builtin_mul_overflow(number, 10, &number) &&
               !__builtin_add_overflow(number, digit, &number);
    }
    return fits ? FK_OK : refuse(scan, FK_E_INVALID, start, "an integer beyond 64 bits");
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?, or -Infinity */
static fk_code scan_number(scanner *scan) {
    size_t start = scan->at;
    bool negative = take(scan, '-');
    if (negative && take_word(scan, "Infinity")) {
        return FK_OK;
    }
    if (take(scan, '0')) {
        if (scan->at < scan->length && take_digits(scan) > 0) {
            return refuse(scan, FK_E_INVALID, start, "a number with a leading zero");
        }
    } else if (take_digits(scan) == 0) {
        return expected(scan, "a digit");
    }
    if (take(scan, '.') && take_digits(scan) == 0) {
        return expected(scan, "a digit behind the point");
    }
    if (take(scan, 'e') || take(scan, 'E')) {
        if (!take(scan, '+')) {
            take(scan, '-');
        }
        if (take_digits(scan) == 0) {
            return expected(scan, "a digit of the exponent");
        }
    }
    return check_range(scan, start);
}

/* ---- strings */

/* Four hex digits at `at`, or -1. */
static int32_t hex_at(const scanner *scan, size_t at) {
    int32_t unit = 0;
    for (size_t i = at; i < at + 4; i++) {
        int digit = i < scan->length ? fk_json_hex_digit(scan->text[i]) : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

/* \uXXXX at `at` (the backslash), and its second half where it is the first of a pair. */
static fk_code scan_unicode_escape(scanner *scan, bool key) {
    size_t start = scan->at;
    int32_t unit = hex_at(scan, start + 2);
    if (unit < 0) {
        return refuse_here(scan, "an escape \\u without four hex digits");
    }
    if (unit == 0 && key) {
        return refuse_here(scan, "a NUL in a key");
    }
    scan->at += 6;
    if (unit < 0xD800 || unit > 0xDFFF) {
        return FK_OK;
    }
    bool paired = unit < 0xDC00 && take_word(scan, "\\u");
    int32_t low = paired ? hex_at(scan, scan->at) : -1;
    if (low < 0xDC00 || low > 0xDFFF) {
        return refuse(scan, FK_E_INVALID, start, "half a surrogate pair");
    }
    scan->at += 4;
    return FK_OK;
}

static fk_code scan_escape(scanner *scan, bool key) {
    char kind = scan->at + 1 < scan->length ? scan->text[scan->at + 1] : '\0';
    if (kind == 'u') {
        return scan_unicode_escape(scan, key);
    }
    if (kind == '\0' || strchr("\"\\/bfnrt", kind) == NULL) {
        return refuse_here(scan, "an escape that JSON does not have");
    }
    scan->at += 2;
    return FK_OK;
}

/* At the opening quote; stands behind the closing one afterwards. */
static fk_code scan_string(scanner *scan, bool key) {
    size_t start = scan->at++;
    while (scan->at < scan->length && scan->text[scan->at] != '"') {
        unsigned char byte = (unsigned char)scan->text[scan->at];
        if (byte < 0x20) {
            return refuse_here(scan, "a control character in a string");
        }
        if (byte == '\\') {
            fk_code code = scan_escape(scan, key);
            if (code != FK_OK) {
                return code;
            }
            continue;
        }
        uint32_t character;
        size_t taken = byte < 0x80 ? 1
                                   : fk_text_decode_utf8(scan->text + scan->at,
                                                         scan->length - scan->at, &character);
        if (taken == 0) {
            return refuse_here(scan, "bytes that are no UTF-8");
        }
        scan->at += taken;
    }
    return take(scan, '"') ? FK_OK : refuse(scan, FK_E_INVALID, start, "a string without end");
}

/* ---- containers */

static fk_code scan_member(scanner *scan) {
    if (!is_at(scan, '"')) {
        return expected(scan, "a key in quotes");
    }
    size_t start = scan->at;
    fk_code code = scan_string(scan, true);
    if (code != FK_OK) {
        return code;
    }
    if (!fk_json_keys_add(&scan->keys, scan->text + start + 1, scan->at - start - 2)) {
        return fk_error_no_memory(scan->err);
    }
    skip_space(scan);
    if (!take(scan, ':')) {
        return expected(scan, "':'");
    }
    return scan_value(scan);
}

static fk_code scan_members(scanner *scan, char end) {
    bool object = end == '}';
    skip_space(scan);
    if (take(scan, end)) {
        return FK_OK;
    }
    for (;;) {
        skip_space(scan);
        fk_code code = object ? scan_member(scan) : scan_value(scan);
        if (code != FK_OK) {
            return code;
        }
        skip_space(scan);
        if (take(scan, end)) {
            return FK_OK;
        }
        if (!take(scan, ',')) {
            return expected(scan, object ? "',' or '}'" : "',' or ']'");
        }
    }
}

static fk_code scan_object(scanner *scan) {
    size_t first_key = scan->keys.count;
    fk_code code = scan_members(scan, '}');
    if (code != FK_OK) {
        return code;
    }
    const char *duplicate = fk_json_keys_close(&scan->keys, first_key);
    if (duplicate != NULL) {
        /* the offset is that of the key's quote */
        return refuse(scan, FK_E_INVALID, (size_t)(duplicate - scan->text) - 1, "a duplicate key");
    }
    return FK_OK;
}

static fk_code scan_container(scanner *scan) {
    if (scan->depth == FK_LIMIT_JSON_DEPTH) {
        char what[64];
        snprintf(what, sizeof what, "nesting deeper than %u levels", FK_LIMIT_JSON_DEPTH);
        return refuse(scan, FK_E_LIMIT, scan->at, what);
    }
    scan->depth++;
    bool object = scan->text[scan->at++] == '{';
    fk_code code = object ? scan_object(scan) : scan_members(scan, ']');
    scan->depth--;
    return code;
}

static fk_code scan_value(scanner *scan) {
    skip_space(scan);
    char first = scan->at < scan->length ? scan->text[scan->at] : '\0';
    if (first == '{' || first == '[') {
        return scan_container(scan);
    }
    if (first == '"') {
        return scan_string(scan, false);
    }
    if (first == '-' || (first >= '0' && first <= '9')) {
        return scan_number(scan);
    }
    static const char *const words[] = {"null", "true", "false", "NaN", "Infinity"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (take_word(scan, words[i])) {
            return FK_OK;
        }
    }
    return expected(scan, "a value");
}

fk_code fk_json_scan(const char *text, size_t length, fk_error *err) {
    FK_SCOPED(scanner_finish) scanner scan = {.text = text, .length = length, .err = err};
    if (length > FK_LIMIT_JSON_BYTES) {
        fk_code code = fk_error_set(err, FK_E_LIMIT, "JSON text of %zu bytes, more than %llu",
                                    length, (unsigned long long)FK_LIMIT_JSON_BYTES);
        fk_error_offset(err, FK_LIMIT_JSON_BYTES);
        fk_error_hint(err, "shorten the text, or keep large data as tensors");
        return code;
    }
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        return refuse(&scan, FK_E_INVALID, 0, "a byte order mark");
    }
    fk_code code = scan_value(&scan);
    if (code != FK_OK) {
        return code;
    }
    skip_space(&scan);
    return scan.at == length ? FK_OK : expected(&scan, "the end of the text");
}
