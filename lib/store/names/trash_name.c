#include "store/names/trash_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/names/font_id.h"
#include "store/names/layout.h"
#include "store/names/run_id.h"

/* Digits without leading zeros, 1 to FK_TRASH_NUMBER_MAX. */
static bool parse_number(const char *text, uint32_t *ret_number) {
    uint32_t number = 0;
    if (text[0] < '1' || text[0] > '9') {
        return false;
    }
    for (; *text >= '0' && *text <= '9'; text++) {
        if (number > FK_TRASH_NUMBER_MAX / 10) {
            return false;
        }
        number = number * 10 + (uint32_t)(*text - '0');
    }
    *ret_number = number;
    return *text == '\0' && number <= FK_TRASH_NUMBER_MAX;
}

/* "<subject>.<n>" in its parts. */
static bool parse_numbered(const char *text, fk_trash_name *ret_name) {
    const char *dot = strrchr(text, '.');
    if (dot == NULL || dot == text || (size_t)(dot - text) >= sizeof ret_name->subject) {
        return false;
    }
    memcpy(ret_name->subject, text, (size_t)(dot - text));
    ret_name->subject[dot - text] = '\0';
    return parse_number(dot + 1, &ret_name->number);
}

bool fk_trash_name_parse(const char *text, fk_trash_name *ret_name) {
    return fk_text_starts_with(text, FK_TRASH_PREFIX) &&
           parse_numbered(text + strlen(FK_TRASH_PREFIX), ret_name);
}

void fk_trash_name_format(const fk_trash_name *name, char into[FK_TRASH_NAME_BYTES]) {
    snprintf(into, FK_TRASH_NAME_BYTES, FK_TRASH_PREFIX "%s.%" PRIu32, name->subject, name->number);
}

static bool parse_id(const char *text, fk_trash_id *id) {
    fk_trash_name name;
    const char *slash = strchr(text, '/');
    if (!parse_numbered(slash != NULL ? slash + 1 : text, &name)) {
        return false;
    }
    id->number = name.number;
    if (slash == NULL) {
        fk_text_copy(id->font_id.text, sizeof id->font_id.text, name.subject);
        return fk_font_id_is_valid(name.subject);
    }
    size_t length = (size_t)(slash - text);
    if (length >= sizeof id->font_id.text ||
        !fk_run_id_parse(name.subject, &id->run_id, NULL, NULL)) {
        return false;
    }
    fk_text_copy(id->font_id.text, length + 1, text);
    return fk_font_id_is_valid(id->font_id.text);
}

fk_code fk_trash_id_parse(const char *text, fk_trash_id *ret_id, fk_error *err) {
    fk_trash_id id = {.number = 0};
    if (parse_id(text, &id)) {
        *ret_id = id;
        return FK_OK;
    }
    fk_error_set(err, FK_E_INVALID, "'%s' is no trash id", text);
    fk_error_hint(err, "give one that `fontkeep trash` lists, such as 1-fruity.1 or "
                       "1-fruity/2026-01-11T08:30:00.000000.1");
    return FK_E_INVALID;
}

void fk_trash_id_format(const fk_trash_id *id, char into[FK_TRASH_ID_BYTES]) {
    snprintf(into, FK_TRASH_ID_BYTES, "%s%s%s.%" PRIu32, id->font_id.text,
             fk_trash_id_is_font(id) ? "" : "/", id->run_id.text, id->number);
}

bool fk_trash_id_is_font(const fk_trash_id *id) {
    return id->run_id.text[0] == '\0';
}
