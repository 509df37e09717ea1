#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "os/directory.h"
#include "os/file.h"
#include "os/kernel.h"
#include "os/retry.h"

enum {
    BLOCK_BYTES = 32 << 10,
    ROOM_BYTES = 1 << 10 /* enough for one more entry, whose name has 255 bytes at most */
};

/* Reads everything, struct dirent64 behind struct dirent64, each `d_reclen` bytes long. */
static fk_code read_entries(int fd, const char *path, fk_buffer *entries, fk_error *err) {
    size_t used = 0;
    fk_retry retry = {0};
    for (;;) {
        if (entries->length - used < ROOM_BYTES && fk_buffer_extend(entries, BLOCK_BYTES) == NULL) {
            return fk_error_no_memory(err);
        }
        ssize_t got =
            fk_kernel_current->getdents(fd, entries->bytes + used, entries->length - used);
        if (got == 0) {
            entries->length = used;
            return FK_OK;
        }
        if (got < 0 && !fk_retry_is_due(&retry)) {
            return fk_file_error(err, errno, "list", path);
        }
        used += got > 0 ? (size_t)got : 0;
    }
}

static const struct dirent64 *entry_at(const fk_buffer *entries, size_t offset) {
    return (const struct dirent64 *)(const void *)(entries->bytes + offset);
}

static bool is_name(const struct dirent64 *entry) {
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* The entry that a name is part of. */
static const struct dirent64 *entry_of(const char *name) {
    return (const struct dirent64 *)(const void *)(name - offsetof(struct dirent64, d_name));
}

static int compare_names(const void *one, const void *other) {
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* Sorts the names where they stand, and hands the entries over. */
static fk_code take_names(fk_buffer *entries, fk_names *ret_names, fk_error *err) {
    size_t count = 0;
    for (size_t at = 0; at < entries->length; at += entry_at(entries, at)->d_reclen) {
        count += is_name(entry_at(entries, at));
    }
    FK_SCOPED(fk_freep) const char **names = calloc(count + 1, sizeof *names);
    FK_SCOPED(fk_freep) unsigned char *types = malloc(count + 1);
    if (names == NULL || types == NULL) {
        return fk_error_no_memory(err);
    }
    size_t filled = 0;
    for (size_t at = 0; at < entries->length; at += entry_at(entries, at)->d_reclen) {
        if (is_name(entry_at(entries, at))) {
            names[filled++] = entry_at(entries, at)->d_name;
        }
    }
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++) {
        types[i] = entry_of(names[i])->d_type;
    }
    *ret_names = (fk_names){.names = fk_take(names),
                            .types = fk_take(types),
                            .count = count,
                            .entries = fk_take(entries->bytes)};
    return FK_OK;
}

static fk_code list_own(int fd, const char *path, fk_names *ret_names, fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer entries = {0};
    fk_code code = read_entries(fd, path, &entries, err);
    return code == FK_OK ? take_names(&entries, ret_names, err) : code;
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
    return list_own(own, path, ret_names, err);
}

fk_code fk_directory_list_beneath(int parent, const char *path, fk_names *ret_names,
                                  fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_directory_open(parent, path, &fd, err);
    return code == FK_OK ? list_own(fd, path, ret_names, err) : code;
}

void fk_names_finish(fk_names *names) {
    free(names->names);
    free(names->types);
    free(names->entries);
    *names = (fk_names){0};
}

bool fk_names_contain(const fk_names *names, const char *name) {
    return names->count > 0 &&
           bsearch(&name, names->names, names->count, sizeof *names->names, compare_names) != NULL;
}

fk_code fk_names_is_directory(const fk_names *names, size_t index, int fd, bool *ret_is,
                              fk_error *err) {
    struct stat status;
    bool missing = false;
    *ret_is = names->types[index] == DT_DIR;
    if (names->types[index] != DT_UNKNOWN) {
        return FK_OK;
    }
    fk_code code = fk_file_look(fd, names->names[index], &status, &missing, err);
    *ret_is = code == FK_OK && !missing && S_ISDIR(status.st_mode);
    return code;
}
