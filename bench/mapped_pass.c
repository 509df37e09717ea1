/* One thread reads every byte of a mapped file once: what looking at a file costs at least.
 *
 *   mapped_pass FILE      prints the seconds from mmap to the last byte
 */
#include "whole_file.h"

int main(int argc, char **argv) {
    must(argc == 2, "usage: mapped_pass FILE");
    int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    struct stat status;
    must(fd >= 0 && fstat(fd, &status) == 0, argv[1]);
    size_t words = (size_t)status.st_size / sizeof(uint64_t);
    int64_t began = stopwatch_now_ns();
    const uint64_t *mapped = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    must(mapped != MAP_FAILED, argv[1]);
    uint64_t sum = 0;
    for (size_t i = 0; i < words; i++) {
        sum ^= mapped[i];
    }
    static volatile uint64_t seen; /* so that the pass is not optimised away */
    seen = sum;
    (void)seen;
    stopwatch_print(began);
    return 0;
}
