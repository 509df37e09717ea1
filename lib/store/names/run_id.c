#include "store/names/run_id.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "fontkeep/time.h"

enum {
    INSTANT_BYTES = 26, /* "2026-01-11T08:30:00.000000" */
    HOUR_COLON = 13,
    MINUTE_COLON = 16,
    SEQUENCE_BYTES = 5, /* "-0001" */
};

bool fk_run_id_make(int64_t time_us, unsigned sequence, fk_run_id *ret_id) {
    char instant[FK_TIME_BYTES];
    if (sequence > FK_SEQUENCE_MAX || !fk_time_format(time_us, instant)) {
        return false;
    }
    if (sequence == 0) {
        fk_text_copy(ret_id->text, sizeof ret_id->text, instant);
    } else {
        snprintf(ret_id->text, sizeof ret_id->text, "%s-%04u", instant, sequence);
    }
    return true;
}

/* "" or "-0001" to "-9999". */
static bool parse_sequence(const char *text, unsigned *ret_sequence) {
    unsigned sequence = 0;
    if (text[0] == '\0') {
        *ret_sequence = 0;
        return true;
    }
    if (text[0] != '-' || strlen(text) != SEQUENCE_BYTES) {
        return false;
    }
    for (const char *digit = text + 1; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9') {
            return false;
        }
        sequence = sequence * 10 + (unsigned)(*digit - '0');
    }
    *ret_sequence = sequence;
    return sequence > 0;
}

bool fk_run_id_parse(const char *text, fk_run_id *ret_id, int64_t *ret_time_us,
                     unsigned *ret_sequence) {
    size_t length = strnlen(text, INSTANT_BYTES + SEQUENCE_BYTES + 1);
    if (length != INSTANT_BYTES && length != INSTANT_BYTES + SEQUENCE_BYTES) {
        return false;
    }
    char instant[INSTANT_BYTES + 1];
    memcpy(instant, text, INSTANT_BYTES);
    instant[INSTANT_BYTES] = '\0';
    if (instant[HOUR_COLON] == '-' && instant[MINUTE_COLON] == '-') {
        instant[HOUR_COLON] = ':';
        instant[MINUTE_COLON] = ':';
    }
    int64_t time_us;
    unsigned sequence;
    if (!fk_time_parse(instant, false, &time_us) ||
        !parse_sequence(text + INSTANT_BYTES, &sequence)) {
        return false;
    }
    snprintf(ret_id->text, sizeof ret_id->text, "%s%s", instant, text + INSTANT_BYTES);
    if (ret_time_us != NULL) {
        *ret_time_us = time_us;
    }
    if (ret_sequence != NULL) {
        *ret_sequence = sequence;
    }
    return true;
}

void fk_run_id_twin(const fk_run_id *id, fk_run_id *ret_twin) {
    *ret_twin = *id;
    for (char *colon = ret_twin->text; (colon = strchr(colon, ':')) != NULL;) {
        *colon = '-';
    }
}

fk_code fk_run_id_next(int64_t now_us, const fk_run_id *newest, fk_run_id *ret_id, fk_error *err) {
    int64_t time_us = now_us;
    unsigned sequence = 0;
    int64_t newest_us;
    unsigned newest_sequence;
    if (newest != NULL &&
        fk_run_id_parse(newest->text, &(fk_run_id){{0}}, &newest_us, &newest_sequence) &&
        now_us <= newest_us) {
        bool full = newest_sequence == FK_SEQUENCE_MAX;
        time_us = full ? newest_us + 1 : newest_us;
        sequence = full ? 0 : newest_sequence + 1;
    }
    if (fk_run_id_make(time_us, sequence, ret_id)) {
        return FK_OK;
    }
    fk_error_set(err, FK_E_INVALID, "no run id for an instant outside the years 0001 to 9999");
    if (newest == NULL) {
        fk_error_hint(err, "set the system's clock");
    } else {
        fk_error_hint(err, "set the system's clock; the newest run is '%s'", newest->text);
    }
    return FK_E_INVALID;
}
