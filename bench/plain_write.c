/* The disk itself: a plain write and fsync of the bytes of a file.
 *
 *   plain_write SOURCE [direct]
 *
 * Holds SOURCE in memory. For each path on standard input: makes that file, writes the bytes,
 * syncs and closes it, prints the seconds. "direct" goes past the page cache; what is left of the
 * last block is then not written.
 */
#include "whole_file.h"

enum { BLOCK = 4096 };

int main(int argc, char **argv) {
    must(argc >= 2, "usage: plain_write SOURCE [direct]");
    int direct = argc > 2 && strcmp(argv[2], "direct") == 0;
    whole_file it = whole_file_read(AT_FDCWD, argv[1]);
    if (direct) {
        it.size -= it.size % BLOCK;
    }
    char path[4096];
    while (fgets(path, sizeof path, stdin) != NULL) {
        path[strcspn(path, "\n")] = '\0';
        int64_t began = stopwatch_now_ns();
        int fd = whole_file_write(AT_FDCWD, path, &it, direct ? O_DIRECT : 0);
        must(fsync(fd) == 0, path);
        must(close(fd) == 0, path);
        stopwatch_print(began);
    }
    return 0;
}
