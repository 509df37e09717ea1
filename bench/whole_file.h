/* A file in memory, and memory in a file. */
#ifndef WHOLE_FILE_H
#define WHOLE_FILE_H

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stopwatch.h"

enum { WHOLE_FILE_CHUNK = 1 << 20 }; /* of a write, as everybody here writes */

typedef struct whole_file {
    unsigned char *bytes; /* page aligned */
    size_t size;          /* of the file */
} whole_file;

static inline whole_file whole_file_read(int directory, const char *name) {
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    struct stat status;
    must(fd >= 0 && fstat(fd, &status) == 0, name);
    whole_file it = {.size = (size_t)status.st_size};
    it.bytes = mmap(NULL, it.size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(it.bytes != MAP_FAILED, name);
    for (size_t done = 0; done < it.size;) {
        ssize_t got = read(fd, it.bytes + done, it.size - done);
        must(got > 0, name);
        done += (size_t)got;
    }
    close(fd);
    return it;
}

/* Makes the file, which must be new, and leaves it open and not synced. */
static inline int whole_file_write(int directory, const char *name, const whole_file *it,
                                   int extra_flags) {
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | extra_flags;
    int fd = openat(directory, name, flags, 0666);
    must(fd >= 0, name);
    for (size_t done = 0; done < it->size;) {
        size_t rest = it->size - done;
        size_t next = rest < WHOLE_FILE_CHUNK ? rest : WHOLE_FILE_CHUNK;
        ssize_t wrote = write(fd, it->bytes + done, next);
        must(wrote > 0, name);
        done += (size_t)wrote;
    }
    return fd;
}

#endif
