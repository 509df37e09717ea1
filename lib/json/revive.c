#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "value/values.h"
#include "json/json.h"

static void revive_string(fk_value *value) {
    static const struct {
        const char *text;
        double number;
    } words[] = {{"NaN", (double)NAN}, {"Infinity", HUGE_VAL}, {"-Infinity", -HUGE_VAL}};
    size_t length;
    const char *text = fk_value_as_text(value, &length);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (length == strlen(words[i].text) && memcmp(text, words[i].text, length) == 0) {
            fk_value_become_float(value, words[i].number);
            return;
        }
    }
}

static void revive(fk_value *value, size_t depth) {
    if (fk_value_kind(value) == FK_KIND_STRING) {
        revive_string(value);
    }
    for (size_t i = 0; depth < FK_LIMIT_JSON_DEPTH && i < fk_value_count(value); i++) {
        revive(fk_value_item(value, i), depth + 1);
    }
}

void fk_json_revive_numbers(fk_value *value) {
    if (value != NULL) {
        revive(value, 0);
    }
}
