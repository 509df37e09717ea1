/* Directories: open, make, list, publish by rename, remove whole. Errors as in os/file.h. */
#ifndef FK_OS_DIRECTORY_H
#define FK_OS_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

/* Opens a directory the user named (links are followed). */
fk_code fk_directory_open_path(const char *path, int *ret_fd, fk_error *err);
/* Opens a directory beneath another; a symbolic link or no directory is FK_E_INVALID; a missing one
 * FK_E_IO with ENOENT. */
fk_code fk_directory_open(int parent, const char *path, int *ret_fd, fk_error *err);
/* mkdir, mode 0777 less the umask. `*ret_made` (may be NULL) tells whether it is new: one that
 * exists is FK_OK. */
fk_code fk_directory_make(int parent, const char *path, bool *ret_made, fk_error *err);
/* mkdir of a path the user named with all its parents; each new name is synced. `*ret_made` (may be
 * NULL) is the length of the part of `path` that leads to the highest directory that is new; 0:
 * none is. After a failure nothing new is left. */
fk_code fk_directory_make_path(const char *path, size_t *ret_made, fk_error *err);
/* Removes what fk_directory_make_path made, as far as it is empty. */
void fk_directory_unmake_path(const char *path, size_t made);

/* `path` made independent of the working directory (links are not resolved). The caller frees
 * `*ret_absolute`. */
fk_code fk_directory_absolute(const char *path, char **ret_absolute, fk_error *err);

/* The names in a directory, without "." and "..", sorted by bytes. */
typedef struct fk_names {
    const char **names; /* [count], within `entries` */
    unsigned char
        *types; /* [count], DT_REG, DT_DIR, ..., DT_UNKNOWN where the file system does not tell */
    size_t count;
    void *entries; /* as the kernel gave them */
} fk_names;

fk_code fk_directory_list(int fd, const char *path, fk_names *ret_names, fk_error *err);
/* The same for a directory that fk_directory_open would open. */
fk_code fk_directory_list_beneath(int parent, const char *path, fk_names *ret_names, fk_error *err);
void fk_names_finish(fk_names *names); /* also the scope attribute's function */
/* Whether name `index` of the directory `fd` is a directory (a link to one is none). */
fk_code fk_names_is_directory(const fk_names *names, size_t index, int fd, bool *ret_is,
                              fk_error *err);
bool fk_names_contain(const fk_names *names, const char *name);

/* The publishing rename within one parent: gives a directory its final name and never replaces
 * anything.
 * `*ret_taken` true (with FK_OK) when the name exists. renameat2(RENAME_NOREPLACE), or, where the
 * file system does not know it (EINVAL, ENOSYS, EOPNOTSUPP), plain rename, which cannot replace a
 * directory that is not empty. */
fk_code fk_directory_publish(int parent, const char *old_name, const char *new_name,
                             bool *ret_taken, fk_error *err);
/* Lets two directories of one parent change names in one step (RENAME_EXCHANGE): either name leads
 * to a whole directory at every moment. `*ret_unknown` true (with FK_OK) where kernel or file
 * system cannot do that; nothing was changed then, and the caller has to rename twice. */
fk_code fk_directory_exchange(int parent, const char *one, const char *other, bool *ret_unknown,
                              fk_error *err);

/* Removes a directory and all in it, as far as it can be; never follows links, never leaves the
 * file system. A missing one is fine. The first error is reported, the rest is still tried. */
fk_code fk_directory_remove(int parent, const char *name, fk_error *err);

/* rmdir. One that is not empty stays; that, and a missing one, is fine. */
fk_code fk_directory_remove_empty(int parent, const char *path, fk_error *err);

/* The bytes that removing several directories together would free: a file counts once all of its
 * hard links were met. Zeroed memory is an empty sum. */
typedef struct fk_byte_sum {
    uint64_t bytes;
    fk_buffer linked; /* files of several links, each time they were met */
} fk_byte_sum;

fk_code fk_byte_sum_add(fk_byte_sum *sum, int parent, const char *name, fk_error *err);
uint64_t fk_byte_sum_bytes(const fk_byte_sum *sum);
void fk_byte_sum_finish(fk_byte_sum *sum); /* also the scope attribute's function */
/* The same of one directory. */
fk_code fk_directory_bytes(int parent, const char *name, uint64_t *ret_bytes, fk_error *err);

/* Whether the file system is of this machine (not NFS, CIFS, 9p, Ceph, FUSE). */
bool fk_directory_is_local(int fd);

/* The name of the file system's kind, as far as its number tells: "ext2/ext3/ext4", "tmpfs"; ""
 * where it has none here. Static text. */
const char *fk_directory_file_system(int fd);
/* Whether the file system is memory: what is in it ends with the power. */
bool fk_directory_is_in_memory(int fd);

/* Bytes an ordinary user may still write. UINT64_MAX when unknown. */
uint64_t fk_directory_free_bytes(int fd);

#endif
