/* A crit-bit tree: each fork names the first bit in which the keys below it differ, so looking a
 * key up takes as many steps as it has bits at most, whatever the keys are. */
#include "checkpoint/legacy_storages.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* A branch is twice the index of a fork, or twice that of an item plus one. */
struct fk_legacy_fork {
    uint32_t bit; /* 8 * byte + bit, highest bit first: grows downwards */
    size_t branches[2];
};

void fk_legacy_storages_finish(fk_legacy_storages *storages) {
    free(storages->items);
    free(storages->forks);
    *storages = (fk_legacy_storages){0};
}

static bool is_item(size_t branch) {
    return branch % 2 == 1;
}

/* Whether a bit of a key is set; the bits behind its end are not. */
static size_t bit_of(const char *key, size_t length, uint32_t bit) {
    size_t byte = bit / 8;
    return byte < length ? ((unsigned char)key[byte] >> (7 - bit % 8)) & 1 : 0;
}

/* The item that agrees with the key in every bit the tree asks for. There is one. */
static size_t nearest(const fk_legacy_storages *storages, const char *key, size_t length) {
    size_t branch = storages->top;
    while (!is_item(branch)) {
        const struct fk_legacy_fork *fork = &storages->forks[branch / 2];
        branch = fork->branches[bit_of(key, length, fork->bit)];
    }
    return branch / 2;
}

fk_legacy_storage *fk_legacy_storages_find(const fk_legacy_storages *storages, const char *key) {
    if (storages->count == 0) {
        return NULL;
    }
    fk_legacy_storage *found = &storages->items[nearest(storages, key, strlen(key))];
    return strcmp(found->key, key) == 0 ? found : NULL;
}

static fk_code make_room(fk_legacy_storages *storages, fk_error *err) {
    if (storages->count < storages->capacity) {
        return FK_OK;
    }
    size_t capacity = storages->capacity == 0 ? 16 : storages->capacity * 2;
    fk_legacy_storage *items = realloc(storages->items, capacity * sizeof *items);
    if (items == NULL) {
        return fk_error_no_memory(err);
    }
    storages->items = items;
    struct fk_legacy_fork *forks = realloc(storages->forks, capacity * sizeof *forks);
    if (forks == NULL) {
        return fk_error_no_memory(err);
    }
    storages->forks = forks;
    storages->capacity = capacity;
    return FK_OK;
}

/* The first bit in which two keys differ; they do. */
static uint32_t first_difference(const char *one, const char *other) {
    uint32_t byte = 0;
    while (one[byte] == other[byte]) {
        byte++;
    }
    unsigned bits = (unsigned char)one[byte] ^ (unsigned char)other[byte];
    return byte * 8 + (uint32_t)__builtin_clz(bits) - (8 * sizeof bits - 8);
}

/* Hangs the item behind the last into the tree, where its key leaves the others. */
static void hang(fk_legacy_storages *storages) {
    const char *key = storages->items[storages->count].key;
    size_t length = strlen(key);
    size_t item = storages->count * 2 + 1;
    if (storages->count == 0) {
        storages->top = item;
        return;
    }
    uint32_t bit = first_difference(key, storages->items[nearest(storages, key, length)].key);
    size_t *branch = &storages->top;
    while (!is_item(*branch) && storages->forks[*branch / 2].bit < bit) {
        struct fk_legacy_fork *fork = &storages->forks[*branch / 2];
        branch = &fork->branches[bit_of(key, length, fork->bit)];
    }
    size_t index = storages->count - 1;
    size_t side = bit_of(key, length, bit);
    storages->forks[index].bit = bit;
    storages->forks[index].branches[side] = item;
    storages->forks[index].branches[1 - side] = *branch;
    *branch = index * 2;
}

fk_code fk_legacy_storages_add(fk_legacy_storages *storages, const char *key,
                               fk_legacy_storage **ret_storage, fk_error *err) {
    if (strlen(key) > FK_LIMIT_LEGACY_KEY || storages->count == FK_LIMIT_ZIP_ENTRIES) {
        fk_error_set(err, FK_E_LIMIT,
                     "the file has a storage's key of more than %u bytes, or more "
                     "than %u storages",
                     FK_LIMIT_LEGACY_KEY, FK_LIMIT_ZIP_ENTRIES);
        fk_error_hint(err, "load it with torch.load and save it again with torch.save");
        return FK_E_LIMIT;
    }
    fk_code code = make_room(storages, err);
    if (code != FK_OK) {
        return code;
    }
    storages->items[storages->count] = (fk_legacy_storage){.key = key, .root = FK_LEGACY_WHOLE};
    hang(storages);
    *ret_storage = &storages->items[storages->count++];
    return FK_OK;
}
