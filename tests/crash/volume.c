#include "volume.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness.h"

/* ---- names -------------------------------------------------------------------------------- */

typedef struct known_name {
    char *text;
    uint64_t hash;
} known_name;

static struct {
    known_name *all;
    size_t count;
    size_t capacity;
} names;

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

int volume_name(const char *text) {
    for (size_t i = 0; i < names.count; i++) {
        if (strcmp(names.all[i].text, text) == 0) {
            return (int)i;
        }
    }
    names.all = volume_grow(names.all, names.count, &names.capacity, sizeof *names.all);
    names.all[names.count] =
        (known_name){.text = strdup(text), .hash = volume_hash(text, strlen(text))};
    return (int)names.count++;
}

const char *volume_name_text(int name) {
    return names.all[name].text;
}

uint64_t volume_name_hash(int name) {
    return names.all[name].hash;
}

bool volume_name_is_stage(int name) {
    return starts_with(names.all[name].text, ".stage-");
}

bool volume_name_is_glyphs(int name) {
    return strcmp(names.all[name].text, "eval-glyphs") == 0;
}

/* ---- inodes and entries ------------------------------------------------------------------- */

void *volume_grow(void *memory, size_t count, size_t *capacity, size_t bytes) {
    if (count < *capacity) {
        return memory;
    }
    *capacity = *capacity == 0 ? 16 : 2 * *capacity;
    memory = reallocarray(memory, *capacity, bytes);
    harness_check(memory != NULL, "memory");
    return memory;
}

int volume_add(volume *it, bool is_directory, uint64_t real) {
    it->inodes = volume_grow(it->inodes, it->count, &it->capacity, sizeof *it->inodes);
    it->inodes[it->count] =
        (volume_inode){.is_directory = is_directory, .name = volume_name(""), .real = real};
    return (int)it->count++;
}

void volume_finish(volume *it) {
    for (size_t i = 0; i < it->count; i++) {
        free(it->inodes[i].directory.entries);
        free(it->inodes[i].bytes);
    }
    free(it->inodes);
    *it = (volume){0};
}

static volume_entry *find(const volume_directory *directory, int name) {
    for (size_t i = 0; i < directory->count; i++) {
        if (directory->entries[i].name == name) {
            return &directory->entries[i];
        }
    }
    return NULL;
}

int volume_directory_find(const volume_directory *directory, int name) {
    const volume_entry *entry = find(directory, name);
    return entry != NULL ? entry->inode : VOLUME_NONE;
}

void volume_directory_set(volume_directory *directory, int name, int inode) {
    volume_entry *entry = find(directory, name);
    if (entry != NULL) {
        entry->inode = inode;
        return;
    }
    directory->entries = volume_grow(directory->entries, directory->count, &directory->capacity,
                                     sizeof *directory->entries);
    directory->entries[directory->count++] = (volume_entry){.name = name, .inode = inode};
}

void volume_directory_unset(volume_directory *directory, int name) {
    volume_entry *entry = find(directory, name);
    if (entry != NULL) {
        *entry = directory->entries[--directory->count];
    }
}

void volume_directory_copy(volume_directory *to, const volume_directory *from) {
    while (to->capacity < from->count) {
        to->entries = volume_grow(to->entries, to->capacity, &to->capacity, sizeof *to->entries);
    }
    if (from->count > 0) {
        memcpy(to->entries, from->entries, from->count * sizeof *from->entries);
    }
    to->count = from->count;
}

/* ---- from a disk -------------------------------------------------------------------------- */

static void read_file(volume_inode *file, const char *path, size_t length) {
    FILE *stream = fopen(path, "r");
    harness_check(stream != NULL, path);
    file->bytes = malloc(length + 1);
    harness_check(file->bytes != NULL && fread(file->bytes, 1, length, stream) == length, path);
    fclose(stream);
    file->length = length;
    file->start_length = length;
}

static void read_directory(volume *it, int inode, const char *path);

/* A file with several names is one inode. */
static void read_entry(volume *it, int directory, const char *path, int name) {
    char child[4096];
    struct stat status;
    snprintf(child, sizeof child, "%s/%s", path, volume_name_text(name));
    harness_check(lstat(child, &status) == 0, child);
    bool is_directory = S_ISDIR(status.st_mode);
    int known =
        is_directory || status.st_nlink < 2 ? VOLUME_NONE : volume_find_real(it, status.st_ino);
    int inode = known != VOLUME_NONE ? known : volume_add(it, is_directory, status.st_ino);
    it->inodes[inode].name = name;
    volume_directory_set(&it->inodes[directory].directory, name, inode);
    if (is_directory) {
        read_directory(it, inode, child);
    } else if (known == VOLUME_NONE) {
        harness_check(S_ISREG(status.st_mode), child);
        read_file(&it->inodes[inode], child, (size_t)status.st_size);
    }
}

static void read_directory(volume *it, int inode, const char *path) {
    DIR *stream = opendir(path);
    harness_check(stream != NULL, path);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            read_entry(it, inode, path, volume_name(entry->d_name));
        }
    }
    closedir(stream);
}

void volume_read(volume *ret_volume, const char *path) {
    struct stat status;
    *ret_volume = (volume){0};
    harness_check(stat(path, &status) == 0, path);
    volume_add(ret_volume, true, status.st_ino);
    read_directory(ret_volume, VOLUME_ROOT, path);
}

int volume_find_real(const volume *it, uint64_t real) {
    for (size_t i = it->count; i-- > 0;) {
        if (it->inodes[i].real == real) {
            return (int)i;
        }
    }
    return VOLUME_NONE;
}

/* ---- what a user has ---------------------------------------------------------------------- */

uint64_t volume_mix(uint64_t one, uint64_t other) {
    uint64_t mixed = (one ^ (other + UINT64_C(0x9e3779b97f4a7c15) + (one << 6) + (one >> 2)));
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

uint64_t volume_hash(const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    uint64_t hash = length;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    return hash;
}

/* Every name and byte below an inode. Sums, because a directory has no order. */
static uint64_t digest_below(const volume *it, int inode) {
    const volume_inode *node = &it->inodes[inode];
    if (!node->is_directory) {
        return volume_hash(node->bytes, node->length);
    }
    uint64_t sum = 1;
    for (size_t i = 0; i < node->directory.count; i++) {
        const volume_entry *entry = &node->directory.entries[i];
        sum += volume_mix(volume_name_hash(entry->name), digest_below(it, entry->inode));
    }
    return sum;
}

/* Of an entry of the trash, without its number: that may change. */
static uint64_t hash_place(int name) {
    const char *text = names.all[name].text;
    const char *number = strrchr(text, '.');
    bool in_trash = starts_with(text, ".trash-");
    return in_trash ? volume_hash(text, (size_t)(number - text)) : volume_name_hash(name);
}

/* A directory in runs/ is a run, or one in the trash. */
static void count_runs(const volume *it, int font_name, int runs, volume_runs *sum) {
    for (size_t i = 0; i < it->inodes[runs].directory.count; i++) {
        const volume_entry *entry = &it->inodes[runs].directory.entries[i];
        if (volume_name_is_stage(entry->name) || !it->inodes[entry->inode].is_directory) {
            continue;
        }
        uint64_t place = volume_mix(hash_place(font_name), hash_place(entry->name));
        uint64_t digest = volume_mix(place, digest_below(it, entry->inode));
        bool live = names.all[font_name].text[0] != '.' && names.all[entry->name].text[0] != '.';
        sum->digest += digest;
        sum->live += live;
        if (!live) {
            harness_check(sum->trash_count < VOLUME_TRASH_MAX, "so much in the trash");
            sum->trash[sum->trash_count++] = digest;
        }
    }
}

volume_runs volume_count_runs(const volume *it) {
    volume_runs sum = {0};
    const volume_directory *root = &it->inodes[VOLUME_ROOT].directory;
    for (size_t i = 0; i < root->count; i++) {
        const volume_entry *font = &root->entries[i];
        int runs = volume_directory_find(&it->inodes[font->inode].directory, volume_name("runs"));
        if (runs != VOLUME_NONE && !volume_name_is_stage(font->name)) {
            count_runs(it, font->name, runs, &sum);
        }
    }
    return sum;
}
