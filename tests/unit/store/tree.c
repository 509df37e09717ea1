#include "tree.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void check(bool fine, const char *what) {
    if (!fine) {
        perror(what);
        abort();
    }
}

char *tree_create(void) {
    const char *parent = getenv("TMPDIR");
    char *path = NULL;
    check(asprintf(&path, "%s/fontkeep-test-XXXXXX", parent != NULL ? parent : "/tmp") > 0, "path");
    check(mkdtemp(path) != NULL, "mkdtemp");
    return path;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void tree_destroy(char *directory) {
    if (directory != NULL) {
        check(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0, directory);
        free(directory);
    }
}

const char *tree_path(const char *directory, const char *name) {
    static char paths[4][4096];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

/* ---- listing ------------------------------------------------------------------------------ */

static uint64_t hash_file(const char *path, size_t *ret_length) {
    char *bytes = tree_read(path, ret_length);
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < *ret_length; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    }
    free(bytes);
    return hash;
}

static void list_below(FILE *out, const char *path, const char *name, bool contents);

static void list_one(FILE *out, const char *parent, const char *parent_name, const char *entry,
                     bool contents) {
    char *path = NULL;
    char *name = NULL;
    struct stat status;
    check(asprintf(&path, "%s/%s", parent, entry) > 0, "path");
    check(asprintf(&name, "%s%s", parent_name, entry) > 0, "name");
    check(lstat(path, &status) == 0, path);
    if (S_ISDIR(status.st_mode)) {
        fprintf(out, "%s/\n", name);
        list_below(out, path, name, contents);
    } else if (contents) {
        size_t length = 0;
        uint64_t hash = hash_file(path, &length);
        fprintf(out, "%s %zu %llx\n", name, length, (unsigned long long)hash);
    } else {
        fprintf(out, "%s\n", name);
    }
    free(path);
    free(name);
}

static void list_below(FILE *out, const char *path, const char *name, bool contents) {
    char *prefix = NULL;
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    check(count >= 0, path);
    check(asprintf(&prefix, "%s%s", name, name[0] == '\0' ? "" : "/") >= 0, "prefix");
    for (int i = 0; i < count; i++) {
        if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0) {
            list_one(out, path, prefix, entries[i]->d_name, contents);
        }
        free(entries[i]);
    }
    free(entries);
    free(prefix);
}

char *tree_listing(const char *directory, bool contents) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    check(out != NULL, "open_memstream");
    list_below(out, directory, "", contents);
    fclose(out);
    return text;
}

/* ---- files -------------------------------------------------------------------------------- */

void tree_write(const char *path, const void *bytes, size_t length) {
    FILE *file = fopen(path, "wb");
    check(file != NULL, path);
    check(fwrite(bytes, 1, length, file) == length, path);
    check(fclose(file) == 0, path);
}

char *tree_read(const char *path, size_t *ret_length) {
    FILE *file = fopen(path, "rb");
    check(file != NULL, path);
    struct stat status;
    check(fstat(fileno(file), &status) == 0, path);
    char *bytes = calloc(1, (size_t)status.st_size + 1);
    check(bytes != NULL, "memory");
    check(fread(bytes, 1, (size_t)status.st_size, file) == (size_t)status.st_size, path);
    fclose(file);
    if (ret_length != NULL) {
        *ret_length = (size_t)status.st_size;
    }
    return bytes;
}

bool tree_exists(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

size_t tree_count(const char *directory, const char *start, char *ret_first) {
    struct dirent **entries = NULL;
    int found = scandir(directory, &entries, NULL, alphasort);
    check(found >= 0, directory);
    size_t count = 0;
    for (int i = 0; i < found; i++) {
        const char *name = entries[i]->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
            strncmp(name, start, strlen(start)) == 0) {
            if (count == 0 && ret_first != NULL) {
                snprintf(ret_first, 256, "%s", name);
            }
            count++;
        }
        free(entries[i]);
    }
    free(entries);
    return count;
}

void tree_age(const char *path, long seconds) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec -= seconds;
    const struct timespec times[2] = {now, now};
    check(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0, path);
}
