#include "os/clock.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "os/file.h"
#include "os/kernel.h"

static const char boot_id_path[] = "/proc/sys/kernel/random/boot_id";

int64_t fk_clock_now_us(void) {
    struct timespec now = {0};
    fk_kernel_current->clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void fk_clock_sleep_ms(uint32_t time_ms) {
    struct timespec left = {.tv_sec = time_ms / 1000, .tv_nsec = time_ms % 1000 * 1000000L};
    while (fk_kernel_current->nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

fk_code fk_clock_random_hex(char *into, size_t bytes, fk_error *err) {
    uint8_t random[64];
    while (bytes > 0) {
        size_t wanted = bytes < sizeof random ? bytes : sizeof random;
        ssize_t got = fk_kernel_current->getrandom(random, wanted, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fk_file_error(err, errno, "read", "the system's random numbers");
        }
        fk_text_from_bytes(random, (size_t)got, into);
        into += 2 * (size_t)got;
        bytes -= (size_t)got;
    }
    *into = '\0';
    return FK_OK;
}

/* Stays empty where there is no /proc: such a boot id is never taken for ours. */
static void read_boot_id(char into[37]) {
    into[0] = '\0';
    FK_SCOPED(fk_file_closep)
    int fd = fk_kernel_current->openat(AT_FDCWD, boot_id_path, O_RDONLY | O_CLOEXEC, 0);
    if (fd >= 0 && fk_kernel_current->pread(fd, into, 36, 0) == 36) {
        into[36] = '\0';
    } else {
        into[0] = '\0';
    }
}

void fk_identity_current(fk_identity *ret_identity) {
    struct utsname name = {0};
    fk_kernel_current->uname(&name);
    fk_text_copy(ret_identity->host, sizeof ret_identity->host, name.nodename);
    read_boot_id(ret_identity->boot_id);
    ret_identity->pid = fk_identity_pid();
}

int fk_identity_pid(void) {
    return (int)fk_kernel_current->getpid();
}
