#include "base/text.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fontkeep/font.h"

enum { DISTANCE_BYTES_MAX = 127 };

/* The last place at or before `length` that is not inside a character. */
static size_t cut_before_character(const char *text, size_t length) {
    for (size_t back = 1; back < 4 && back <= length; back++) {
        const char *start = text + length - back;
        uint32_t character;
        size_t bytes = fk_text_decode_utf8(start, strnlen(start, 4), &character);
        if (bytes > 0) {
            return bytes > back ? length - back : length;
        }
    }
    return length;
}

size_t fk_text_copy(char *into, size_t capacity, const char *text) {
    size_t length = strnlen(text, capacity - 1);
    if (text[length] != '\0') {
        length = cut_before_character(text, length);
    }
    memcpy(into, text, length);
    into[length] = '\0';
    return length;
}

bool fk_text_is(const char *text, const char *other) {
    return text != NULL && other != NULL && strcmp(text, other) == 0;
}

bool fk_text_starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

bool fk_text_ends_with(const char *text, const char *end) {
    size_t text_length = strlen(text);
    size_t end_length = strlen(end);
    return text_length >= end_length && strcmp(text + text_length - end_length, end) == 0;
}

/* Bytes that a UTF-8 sequence of this first byte takes; 0 for a byte that starts none. */
static size_t utf8_length(uint8_t first) {
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        return 2;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        return 3;
    }
    return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

size_t fk_text_decode_utf8(const char *text, size_t length, uint32_t *ret_character) {
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *bytes = (const uint8_t *)text;
    size_t needed = utf8_length(bytes[0]);
    if (needed == 0 || needed > length) {
        return 0;
    }
    uint32_t character = needed == 1 ? bytes[0] : bytes[0] & (0x7Fu >> needed);
    for (size_t i = 1; i < needed; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
        character = character << 6 | (bytes[i] & 0x3Fu);
    }
    bool surrogate = character >= 0xD800 && character <= 0xDFFF;
    if (character < lowest[needed] || character > 0x10FFFF || surrogate) {
        return 0;
    }
    *ret_character = character;
    return needed;
}

size_t fk_text_encode_utf8(uint32_t character, char into[4]) {
    static const uint8_t marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1;) {
        into[i] = (char)(0x80 | (character & 0x3F));
        character >>= 6;
    }
    into[0] = (char)(marks[length] | character);
    return length;
}

static size_t smallest(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Optimal string alignment: three rows of the edit matrix suffice. */
size_t fk_text_distance(const char *one, const char *other) {
    size_t rows = strnlen(one, DISTANCE_BYTES_MAX);
    size_t columns = strnlen(other, DISTANCE_BYTES_MAX);
    size_t matrix[3][DISTANCE_BYTES_MAX + 1];
    for (size_t c = 0; c <= columns; c++) {
        matrix[0][c] = c;
    }
    for (size_t r = 1; r <= rows; r++) {
        size_t *row = matrix[r % 3];
        const size_t *above = matrix[(r + 2) % 3];
        const size_t *two_above = matrix[(r + 1) % 3];
        row[0] = r;
        for (size_t c = 1; c <= columns; c++) {
            size_t replaced = above[c - 1] + (one[r - 1] != other[c - 1]);
            row[c] = smallest(above[c] + 1, row[c - 1] + 1, replaced);
            bool swapped =
                r > 1 && c > 1 && one[r - 1] == other[c - 2] && one[r - 2] == other[c - 1];
            if (swapped && two_above[c - 2] + 1 < row[c]) {
                row[c] = two_above[c - 2] + 1;
            }
        }
    }
    return matrix[rows % 3][columns];
}

const char *fk_nearest_name(const char *name, const char *const *names, size_t count) {
    size_t limit = strlen(name) / 3 + 1;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t distance = fk_text_distance(name, names[i]);
        if (distance <= limit) {
            limit = distance == 0 ? 0 : distance - 1;
            nearest = names[i];
        }
        if (distance == 0) {
            break;
        }
    }
    return nearest;
}

static locale_t c_locale;

static void make_c_locale(void) {
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* printf and strtod follow the locale of the thread; this one is ours for a moment (I8: never the
 * process's). */
static locale_t enter_c_locale(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_c_locale);
    return c_locale == (locale_t)0 ? (locale_t)0 : uselocale(c_locale);
}

static void leave_c_locale(locale_t previous) {
    if (previous != (locale_t)0) {
        uselocale(previous);
    }
}

/* Cuts zeros off the end of the digits, and gives how many digits are left. */
static int cut_zeros(char *scientific) {
    char *mark = strchr(scientific, 'e');
    char *end = mark;
    while (end[-1] == '0') {
        end--;
    }
    end -= end[-1] == '.';
    memmove(end, mark, strlen(mark) + 1);
    const char *first = scientific + (scientific[0] == '-');
    return end - first > 1 ? (int)(end - first) - 1 : 1; /* one is the point */
}

/* The fewest significant digits that read back as the same number. Up to 15 digits stand first in
 * every longer text of it, with zeros behind; only the tiniest numbers have fewer to go by. */
static int shortest_digits(double number, char scientific[FK_TEXT_DOUBLE_BYTES]) {
    bool exact = isnormal(number);
    int digits = exact ? DBL_DIG : 1;
    for (;; digits++) {
        snprintf(scientific, FK_TEXT_DOUBLE_BYTES, "%.*e", digits - 1, number);
        if (digits == DBL_DECIMAL_DIG || strtod(scientific, NULL) == number) {
            break;
        }
    }
    return exact && digits == DBL_DIG ? cut_zeros(scientific) : digits;
}

void fk_text_from_double(double number, char into[FK_TEXT_DOUBLE_BYTES]) {
    locale_t previous = enter_c_locale();
    int digits = shortest_digits(number, into);
    const char *mark = strchr(into, 'e');
    long exponent = mark == NULL ? 0 : strtol(mark + 1, NULL, 10);
    /* written out where Python's repr is: 40.0, not 4e+01 */
    if (mark != NULL && exponent >= -4 && exponent < 16) {
        int decimals = digits - 1 - (int)exponent;
        snprintf(into, FK_TEXT_DOUBLE_BYTES, "%.*f", decimals > 1 ? decimals : 1, number);
    }
    leave_c_locale(previous);
}

bool fk_text_to_double(const char *text, size_t length, double *ret_number) {
    char copy[512];
    if (length == 0 || length >= sizeof copy) {
        return false;
    }
    /* no NUL need stand behind `text` */
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (strspn(copy, "+-.0123456789eE") < length) {
        return false;
    }
    locale_t previous = enter_c_locale();
    char *end = NULL;
    double number = strtod(copy, &end);
    leave_c_locale(previous);
    if (end != copy + length || !isfinite(number)) {
        return false;
    }
    *ret_number = number;
    return true;
}

void fk_text_from_bytes(const void *bytes, size_t count, char *into) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;
    for (size_t i = 0; i < count; i++) {
        into[2 * i] = digits[from[i] >> 4];
        into[2 * i + 1] = digits[from[i] & 15];
    }
    into[2 * count] = '\0';
}
