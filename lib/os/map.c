#include "os/map.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "os/file.h"
#include "os/kernel.h"

#define HUGE_PAGE_BYTES (UINT64_C(2) << 20)
#define SLOW_US         1000 /* of processor time: to clear a huge page takes a quarter of it */

static void *map_anonymous(size_t bytes) {
    return fk_kernel_current->mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                                   -1, 0);
}

/* A block that starts on a huge page: mapped one huge page larger, then trimmed at both ends. */
static void *map_aligned(size_t bytes) {
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t larger;
    if (!fk_checked_add(bytes, page - 1 + HUGE_PAGE_BYTES, &larger)) {
        return MAP_FAILED;
    }
    larger -= larger % page;
    uint8_t *start = map_anonymous(larger);
    if (start == MAP_FAILED) {
        return MAP_FAILED;
    }
    size_t before = (size_t)(-(uintptr_t)start % HUGE_PAGE_BYTES);
    if (before > 0) {
        fk_kernel_current->munmap(start, before);
    }
    if (before < HUGE_PAGE_BYTES) {
        uint8_t *end = start + larger;
        size_t behind = HUGE_PAGE_BYTES - before;
        fk_kernel_current->munmap(end - behind, behind);
    }
    /* without huge pages it is slower, and right all the same */
    (void)fk_kernel_current->madvise(start + before, bytes, MADV_HUGEPAGE);
    return start + before;
}

fk_code fk_map_allocate(size_t bytes, fk_map *ret_map, fk_error *err) {
    void *data = NULL;
    if (bytes > 0) {
        data = bytes >= HUGE_PAGE_BYTES ? map_aligned(bytes) : MAP_FAILED;
        if (data == MAP_FAILED) {
            data = map_anonymous(bytes);
        }
    }
    if (data == MAP_FAILED) {
        fk_code code = fk_error_set(err, FK_E_NO_MEMORY, "no memory for %zu bytes", bytes);
        fk_error_hint(err, "free memory, or load with mmap");
        return code;
    }
    *ret_map = (fk_map){.data = data, .bytes = bytes};
    return FK_OK;
}

static int64_t thread_time_us(void) {
    struct timespec now = {0};
    fk_kernel_current->clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool fk_map_populate(void *from, size_t bytes) {
    int64_t began_us = thread_time_us();
    (void)fk_kernel_current->madvise(from, bytes, MADV_POPULATE_WRITE); /* Linux 5.14 */
    return thread_time_us() - began_us < SLOW_US;
}

void fk_map_take_small_pages(void *data, size_t bytes) {
    (void)fk_kernel_current->madvise(data, bytes, MADV_NOHUGEPAGE);
}

fk_code fk_map_file(int fd, size_t bytes, const char *path, fk_map *ret_map, fk_error *err) {
    void *data = NULL;
    if (bytes > 0) {
        data = fk_kernel_current->mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    }
    if (data == MAP_FAILED) {
        return fk_file_error(err, errno, "map", path);
    }
    *ret_map = (fk_map){.data = data, .bytes = bytes};
    return FK_OK;
}

void fk_map_copy_pages(const fk_map *map, uint64_t offset, uint64_t bytes) {
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    assert(offset <= map->bytes && bytes <= map->bytes - offset);
    uint64_t start = offset - offset % page;
    (void)fk_kernel_current->madvise((uint8_t *)map->data + start, offset + bytes - start,
                                     MADV_POPULATE_WRITE); /* Linux 5.14 */
}

void fk_map_finish(fk_map *map) {
    if (map->data != NULL) {
        fk_kernel_current->munmap(map->data, map->bytes);
    }
    *map = (fk_map){0};
}
