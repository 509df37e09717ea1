/* The keys of the objects that a scan has open, to find duplicates in time n log n whatever the
 * keys are. Zeroed memory is an empty list. */
#ifndef FK_JSON_KEYS_H
#define FK_JSON_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A key as it stands in the text, escapes and all; borrowed. */
typedef struct fk_json_key {
    const char *text;
    size_t length;
} fk_json_key;

typedef struct fk_json_keys {
    fk_json_key *items;
    size_t count;
    size_t capacity;
} fk_json_keys;

void fk_json_keys_finish(fk_json_keys *keys);

/* False when memory is short. The key was scanned: its escapes are good. */
bool fk_json_keys_add(fk_json_keys *keys, const char *text, size_t length);

/* Ends the object whose keys stand from `first` on and takes them off. Gives the first key that
 * says, escapes resolved, the same as one before it, or NULL. */
const char *fk_json_keys_close(fk_json_keys *keys, size_t first);

/* The character of a key (or another string that was scanned) at `*at`, escapes resolved; `*at`
 * moves behind it. */
uint32_t fk_json_key_character(const fk_json_key *key, size_t *at);

/* 0 to 15, or -1. */
int fk_json_hex_digit(char digit);

#endif
