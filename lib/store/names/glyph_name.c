#include "store/names/glyph_name.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

enum { PLAIN_BYTES_MAX = 32 };

static const char suffix[] = ".png";
static const char hex_digits[] = "0123456789ABCDEF";

/* Bytes of what looks like an escape at the start of `text`: "uni" and 4 digits, or 'u' and 5 or 6;
 * 0 when it does not. */
static size_t escape_bytes(const char *text) {
    if (fk_text_starts_with(text, "uni") && strspn(text + 3, hex_digits) >= 4) {
        return 7;
    }
    size_t digits = text[0] == 'u' ? strspn(text + 1, hex_digits) : 0;
    return digits < 5 ? 0 : digits == 5 ? 6 : 7;
}

static bool is_plain(const char *label) {
    size_t length =
        strspn(label, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    return label[length] == '\0' && length >= 1 && length <= PLAIN_BYTES_MAX &&
           escape_bytes(label) == 0;
}

static fk_code refuse(fk_error *err, fk_code code, const char *label, const char *what) {
    fk_error_set(err, code, "glyph label '%.*s' %s", (int)FK_LIMIT_LABEL_BYTES, label, what);
    fk_error_hint(err, "label glyphs with their character or a short name");
    return code;
}

static fk_code escape(const char *label, char into[FK_GLYPH_FILE_BYTES], fk_error *err) {
    size_t length = strlen(label);
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        uint32_t character;
        char name[16];
        size_t taken = fk_text_decode_utf8(label + at, length - at, &character);
        if (taken == 0) {
            return refuse(err, FK_E_INVALID, label, "is no UTF-8");
        }
        int bytes = snprintf(name, sizeof name, character > 0xFFFF ? "%su%05X" : "%suni%04X",
                             at > 0 ? "_" : "", (unsigned)character);
        if (used + (size_t)bytes > FK_LIMIT_FILE_NAME_BYTES - strlen(suffix)) {
            return refuse(err, FK_E_LIMIT, label, "is too long for a file name");
        }
        memcpy(into + used, name, (size_t)bytes + 1);
        used += (size_t)bytes;
        at += taken;
    }
    return FK_OK;
}

fk_code fk_glyph_name_from_label(const char *label, char into[FK_GLYPH_FILE_BYTES], fk_error *err) {
    char name[FK_GLYPH_FILE_BYTES];
    if (label[0] == '\0') {
        return refuse(err, FK_E_INVALID, label, "is empty");
    }
    if (strlen(label) > FK_LIMIT_LABEL_BYTES) {
        return refuse(err, FK_E_LIMIT, label, "is too long");
    }
    if (is_plain(label)) {
        fk_text_copy(name, sizeof name, label);
    } else {
        fk_code code = escape(label, name, err);
        if (code != FK_OK) {
            return code;
        }
    }
    size_t length = fk_text_copy(into, FK_GLYPH_FILE_BYTES - strlen(suffix), name);
    memcpy(into + length, suffix, sizeof suffix);
    return FK_OK;
}

/* One escape that fk_glyph_name_from_label writes, `length` bytes long. */
static bool decode_escape(const char *text, size_t length, uint32_t *ret_character) {
    bool basic = fk_text_starts_with(text, "uni");
    size_t start = basic ? 3 : 1;
    uint32_t character = 0;
    for (size_t i = start; i < length; i++) {
        character = character * 16 + (uint32_t)(strchr(hex_digits, text[i]) - hex_digits);
    }
    bool surrogate = character >= 0xD800 && character <= 0xDFFF;
    bool shortest = basic ? character > 0 && !surrogate
                          : character > 0xFFFF && character <= 0x10FFFF &&
                                (length == 6) == (character <= 0xFFFFF);
    *ret_character = character;
    return shortest;
}

/* All of `name` as escapes joined by '_'. */
static bool unescape(const char *name, char into[FK_LABEL_BYTES]) {
    size_t used = 0;
    for (;;) {
        uint32_t character;
        size_t length = escape_bytes(name);
        if (length == 0 || used + 5 > FK_LABEL_BYTES || !decode_escape(name, length, &character)) {
            return false;
        }
        used += fk_text_encode_utf8(character, into + used);
        name += length;
        if (*name == '\0') {
            into[used] = '\0';
            return true;
        }
        if (*name++ != '_') {
            return false;
        }
    }
}

void fk_glyph_name_to_label(const char *file_name, char into[FK_LABEL_BYTES]) {
    char name[FK_LABEL_BYTES];
    size_t length = fk_text_copy(name, sizeof name, file_name);
    if (length > strlen(suffix) && fk_text_ends_with(name, suffix)) {
        name[length - strlen(suffix)] = '\0';
    }
    char label[FK_LABEL_BYTES];
    fk_text_copy(into, FK_LABEL_BYTES, unescape(name, label) ? label : name);
}
