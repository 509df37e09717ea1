#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_kernel.h"

char scratch_path[4096];
int scratch_fd = -1;

int scratch_setup(void **state) {
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(scratch_path, sizeof scratch_path, "%s/fontkeep-test-XXXXXX",
             parent == NULL ? "/tmp" : parent);
    if (mkdtemp(scratch_path) == NULL) {
        return -1;
    }
    scratch_fd = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fake_kernel_install();
    return scratch_fd < 0 ? -1 : 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk) {
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

int scratch_teardown(void **state) {
    (void)state;
    fake_kernel_remove();
    close(scratch_fd);
    scratch_fd = -1;
    return nftw(scratch_path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void scratch_write(const char *path, const void *bytes, size_t length) {
    int fd = openat(scratch_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    assert_int_equal(close(fd), 0);
}

void scratch_write_text(const char *path, const char *text) {
    scratch_write(path, text, strlen(text));
}

char *scratch_read(const char *path, size_t *ret_length) {
    struct stat status;
    int fd = openat(scratch_fd, path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    size_t length = (size_t)status.st_size;
    char *text = malloc(length + 1);
    assert_non_null(text);
    assert_int_equal(read(fd, text, length), length);
    assert_int_equal(close(fd), 0);
    text[length] = '\0';
    if (ret_length != NULL) {
        *ret_length = length;
    }
    return text;
}

void scratch_mkdir(const char *path) {
    assert_int_equal(mkdirat(scratch_fd, path, 0777), 0);
}

int scratch_exists(const char *path) {
    struct stat status;
    return fstatat(scratch_fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0;
}
