#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "os/directory.h"
#include "os/file.h"
#include "os/kernel.h"
#include "os/retry.h"

enum { ENTRIES_BYTES = 32 << 10 };

typedef struct entry {
    char *name;
    unsigned char type;
} entry;

/* Entries while they are read. */
typedef struct entry_list {
    fk_buffer buffer; /* of struct entry */
} entry_list;

static size_t entries_count(const entry_list *entries) {
    return entries->buffer.length / sizeof(entry);
}

static entry *entries_at(const entry_list *entries) {
    return (entry *)(void *)entries->buffer.bytes;
}

static void entries_finish(entry_list *entries) {
    for (size_t i = 0; i < entries_count(entries); i++) {
        free(entries_at(entries)[i].name);
    }
    fk_buffer_finish(&entries->buffer);
}

static bool entries_add(entry_list *entries, const char *name, unsigned char type) {
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return true;
    }
    entry added = {strdup(name), type};
    if (added.name == NULL) {
        return false;
    }
    if (!fk_buffer_append(&entries->buffer, &added, sizeof added)) {
        free(added.name);
        return false;
    }
    return true;
}

static int compare_entries(const void *one, const void *other) {
    return strcmp(((const entry *)one)->name, ((const entry *)other)->name);
}

/* A block of struct dirent64, each `d_reclen` bytes long. */
static bool entries_add_block(entry_list *entries, const char *block, size_t bytes) {
    for (size_t at = 0; at < bytes;) {
        const struct dirent64 *found = (const struct dirent64 *)(const void *)(block + at);
        if (!entries_add(entries, found->d_name, found->d_type)) {
            return false;
        }
        at += found->d_reclen;
    }
    return true;
}

static fk_code entries_read(entry_list *entries, int fd, const char *path, fk_error *err) {
    FK_SCOPED(fk_freep) char *block = malloc(ENTRIES_BYTES);
    if (block == NULL) {
        return fk_error_no_memory(err);
    }
    fk_retry retry = {0};
    for (;;) {
        ssize_t got = fk_kernel_current->getdents(fd, block, ENTRIES_BYTES);
        if (got == 0) {
            return FK_OK;
        }
        if (got < 0 && fk_retry_is_due(&retry)) {
            continue;
        }
        if (got < 0) {
            return fk_file_error(err, errno, "list", path);
        }
        if (!entries_add_block(entries, block, (size_t)got)) {
            return fk_error_no_memory(err);
        }
    }
}

/* Hands the sorted entries over. */
static fk_code entries_take(entry_list *entries, fk_names *ret_names, fk_error *err) {
    size_t count = entries_count(entries);
    FK_SCOPED(fk_freep) char **names = calloc(count + 1, sizeof *names);
    FK_SCOPED(fk_freep) unsigned char *types = malloc(count + 1);
    if (names == NULL || types == NULL) {
        return fk_error_no_memory(err);
    }
    entry *sorted = entries_at(entries);
    if (count > 1) {
        qsort(sorted, count, sizeof *sorted, compare_entries);
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = fk_take(sorted[i].name);
        types[i] = sorted[i].type;
    }
    ret_names->names = fk_take(names);
    ret_names->types = fk_take(types);
    ret_names->count = count;
    return FK_OK;
}

fk_code fk_directory_list(int fd, const char *path, fk_names *ret_names, fk_error *err) {
    /* a description of our own: its position starts at the first name, and no other thread moves it
     */
    FK_SCOPED(fk_file_closep) int own = -1;
    fk_retry retry = {0};
    do {
        own = fk_kernel_current->openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    } while (own < 0 && fk_retry_is_due(&retry));
    if (own < 0) {
        return fk_file_error(err, errno, "list", path);
    }
    FK_SCOPED(entries_finish) entry_list entries = {0};
    fk_code code = entries_read(&entries, own, path, err);
    return code == FK_OK ? entries_take(&entries, ret_names, err) : code;
}

void fk_names_finish(fk_names *names) {
    for (size_t i = 0; i < names->count; i++) {
        free(names->names[i]);
    }
    free(names->names);
    free(names->types);
    *names = (fk_names){0};
}

static int compare_names(const void *key, const void *element) {
    return strcmp(key, *(char *const *)element);
}

bool fk_names_contain(const fk_names *names, const char *name) {
    return names->count > 0 &&
           bsearch(name, names->names, names->count, sizeof *names->names, compare_names) != NULL;
}
