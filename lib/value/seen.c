#include "value/seen.h"

#include <stdint.h>
#include <stdlib.h>

void fk_seen_finish(fk_seen *seen) {
    free(seen->slots);
    *seen = (fk_seen){0};
}

/* Where a value stands, or the free place for it. */
static const fk_value **find(const fk_seen *seen, const fk_value *value) {
    uint64_t mixed = (uint64_t)(uintptr_t)value * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(mixed >> 20) & (seen->capacity - 1);
    while (seen->slots[at] != NULL && seen->slots[at] != value) {
        at = (at + 1) & (seen->capacity - 1);
    }
    return &seen->slots[at];
}

static bool grow(fk_seen *seen) {
    fk_seen grown = {.count = seen->count,
                     .capacity = seen->capacity == 0 ? 64 : seen->capacity * 2};
    grown.slots = calloc(grown.capacity, sizeof *grown.slots);
    if (grown.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < seen->capacity; i++) {
        if (seen->slots[i] != NULL) {
            *find(&grown, seen->slots[i]) = seen->slots[i];
        }
    }
    free(seen->slots);
    *seen = grown;
    return true;
}

bool fk_seen_add(fk_seen *seen, const fk_value *value, bool *ret_again) {
    if (seen->count >= seen->capacity / 2 && !grow(seen)) {
        return false;
    }
    const fk_value **place = find(seen, value);
    *ret_again = *place != NULL;
    seen->count += *place == NULL;
    *place = value;
    return true;
}
