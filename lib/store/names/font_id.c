#include "store/names/font_id.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"

enum {
    NUMBER_BYTES_MAX = 95, /* of a corrected id: "-font" still fits behind it */
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* The character of an id that `c` stands for; '-' for anything that is none. */
static char id_character(char c) {
    if (c >= 'A' && c <= 'Z') {
        return (char)(c - 'A' + 'a');
    }
    return is_digit(c) || (c >= 'a' && c <= 'z') ? c : '-';
}

bool fk_font_id_is_valid(const char *text) {
    size_t length = strnlen(text, FK_LIMIT_FONT_ID_BYTES + 1);
    size_t digits = strspn(text, "0123456789");
    if (length > FK_LIMIT_FONT_ID_BYTES || digits == 0 || text[digits] != '-') {
        return false;
    }
    for (size_t i = digits + 1; i <= length; i++) {
        /* a '-' stands between two other characters, so none is last and no two meet */
        bool ends = text[i] == '\0' || text[i] == '-';
        if (ends ? text[i - 1] == '-' : id_character(text[i]) != text[i]) {
            return false;
        }
    }
    return true;
}

/* ---- a corrected id */

/* Part of the text that is being corrected. */
typedef struct span {
    const char *start;
    size_t length;
} span;

/* The words of the text, joined by single '-', lower case, at most `capacity` bytes. */
static size_t join_words(const char *text, char *into, size_t capacity) {
    size_t length = 0;
    for (; *text != '\0' && length < capacity; text++) {
        char c = id_character(*text);
        if (c != '-' || (length > 0 && into[length - 1] != '-')) {
            into[length++] = c;
        }
    }
    while (length > 0 && into[length - 1] == '-') {
        length--;
    }
    into[length] = '\0';
    return length;
}

/* Tells the number from the name: in front, or else as the last word. */
static void split(const char *joined, span *ret_number, span *ret_name) {
    size_t length = strlen(joined);
    size_t digits = strspn(joined, "0123456789");
    const char *last_dash = strrchr(joined, '-');
    size_t last_digits = last_dash == NULL ? 0 : strspn(last_dash + 1, "0123456789");
    *ret_number = (span){"1", 1};
    *ret_name = (span){joined, length};
    if (digits > 0) {
        size_t name = digits + (joined[digits] == '-');
        *ret_number = (span){joined, digits};
        *ret_name = (span){joined + name, length - name};
    } else if (last_digits > 0 && last_dash[1 + last_digits] == '\0') {
        *ret_number = (span){last_dash + 1, last_digits};
        *ret_name = (span){joined, (size_t)(last_dash - joined)};
    }
}

void fk_font_id_correct(const char *text, fk_font_id *ret_id) {
    char joined[4 * FK_LIMIT_FONT_ID_BYTES] = "";
    if (fk_font_id_is_valid(text)) { /* its number may be longer than that of a made up one */
        fk_text_copy(ret_id->text, sizeof ret_id->text, text);
        return;
    }
    join_words(text, joined, sizeof joined - 1);
    span number;
    span name;
    split(joined, &number, &name);
    if (number.length > NUMBER_BYTES_MAX) {
        number.length = NUMBER_BYTES_MAX;
    }
    if (name.length == 0) {
        name = (span){"font", 4};
    }
    if (name.length > FK_LIMIT_FONT_ID_BYTES - number.length - 1) {
        name.length = FK_LIMIT_FONT_ID_BYTES - number.length - 1;
    }
    while (name.start[name.length - 1] == '-') {
        name.length--;
    }
    char *into = ret_id->text;
    memcpy(into, number.start, number.length);
    into[number.length] = '-';
    memcpy(into + number.length + 1, name.start, name.length);
    into[number.length + 1 + name.length] = '\0';
}

fk_code fk_font_id_check(const char *font_id, fk_error *err) {
    if (fk_font_id_is_valid(font_id)) {
        return FK_OK;
    }
    fk_font_id corrected;
    fk_font_id_correct(font_id, &corrected);
    fk_error_set(
        err, FK_E_INVALID,
        "font id '%.*s%s' is not of the form {number}-{personality-name}: digits, '-', then words "
        "of a-z and 0-9 joined by single '-', at most %u bytes; for example '%s'",
        (int)FK_LIMIT_FONT_ID_BYTES, font_id, strlen(font_id) > FK_LIMIT_FONT_ID_BYTES ? "..." : "",
        FK_LIMIT_FONT_ID_BYTES, corrected.text);
    fk_error_subject(err, FK_SUBJECT_FONT_ID);
    fk_error_hint(err, "use '%s'", corrected.text);
    return FK_E_INVALID;
}

/* ---- order */

static int sign(int order) {
    return (order > 0) - (order < 0);
}

int fk_font_id_compare(const char *one, const char *other) {
    const char *one_number = one + strspn(one, "0");
    const char *other_number = other + strspn(other, "0");
    size_t one_digits = strspn(one_number, "0123456789");
    size_t other_digits = strspn(other_number, "0123456789");
    if (one_digits != other_digits) {
        return one_digits < other_digits ? -1 : 1;
    }
    int order = memcmp(one_number, other_number, one_digits);
    order = order != 0 ? order : strcmp(one_number + one_digits, other_number + other_digits);
    return sign(order != 0 ? order : strcmp(one, other));
}
