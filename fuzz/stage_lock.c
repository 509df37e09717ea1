/* The lock file beside a stage, as a stranger may have written it. */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "store/handle/stage_lock.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    fk_identity owner;
    int fd = memfd_create("lock", MFD_CLOEXEC);
    fuzz_require(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
    fk_stage_lock_read(fd, &owner);
    close(fd);
    fuzz_require(owner.pid >= 0);
    fuzz_require(strnlen(owner.host, sizeof owner.host) < sizeof owner.host);
    fuzz_require(strnlen(owner.boot_id, sizeof owner.boot_id) < sizeof owner.boot_id);
    return 0;
}
