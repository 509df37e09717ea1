/* A file system as a power cut sees it: numbered inodes, and directories that give them names. A
 * name and what it leads to are two things, synced by two calls. */
#ifndef VOLUME_H
#define VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VOLUME_ROOT = 0, VOLUME_NONE = -1, VOLUME_TRASH_MAX = 16 };

typedef struct volume_entry {
    int name; /* of volume_name */
    int inode;
} volume_entry;

typedef struct volume_directory {
    volume_entry *entries;
    size_t count;
    size_t capacity;
} volume_directory;

typedef struct volume_inode {
    bool is_directory;
    volume_directory directory;
    uint8_t *bytes; /* of a file: all that was ever written to it */
    size_t length;
    size_t start_length; /* of that, what was there, and durable, at the start */
    int name;            /* the last it was given */
    uint64_t real;       /* its number in the real file system */
} volume_inode;

typedef struct volume {
    volume_inode *inodes; /* VOLUME_ROOT is the top directory */
    size_t count;
    size_t capacity;
} volume;

/* Names are numbers: equal texts, equal numbers, for as long as the process lives. */
int volume_name(const char *text);
const char *volume_name_text(int name);
uint64_t volume_name_hash(int name);
bool volume_name_is_stage(int name);  /* .stage-<random>, or a lock file of one */
bool volume_name_is_glyphs(int name); /* eval-glyphs */

int volume_add(volume *it, bool is_directory, uint64_t real);
void volume_finish(volume *it);

/* The inode of a name, or VOLUME_NONE. */
int volume_directory_find(const volume_directory *directory, int name);
void volume_directory_set(volume_directory *directory, int name, int inode);
void volume_directory_unset(volume_directory *directory, int name);
void volume_directory_copy(volume_directory *to, const volume_directory *from);

/* Everything below a real directory, which becomes the root; all of it durable. */
void volume_read(volume *ret_volume, const char *path);
/* The latest inode that has a real number (file systems use them again), or VOLUME_NONE. */
int volume_find_real(const volume *it, uint64_t real);

/* What a user has of it: the runs, live and in the trash, with every byte of them, as one number;
 * and how many are live. */
typedef struct volume_runs {
    uint64_t digest;
    size_t live;
    uint64_t trash[VOLUME_TRASH_MAX]; /* of the digest, a sum, what is an entry's in the trash */
    size_t trash_count;
} volume_runs;

volume_runs volume_count_runs(const volume *it);

/* Good numbers from numbers, and of bytes. */
uint64_t volume_mix(uint64_t one, uint64_t other);
uint64_t volume_hash(const void *bytes, size_t length);

void *volume_grow(void *memory, size_t count, size_t *capacity, size_t bytes);

#endif
