#include "os/place.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "os/kernel.h"
#include "os/retry.h"

int fk_place_init(fk_place *place, int directory, const char *path) {
    *place = (fk_place){.directory = directory, .name = path, .opened = -1};
    const char *slash = strrchr(path, '/');
    if (slash == NULL || directory == AT_FDCWD) {
        return 0;
    }
    char parent[PATH_MAX];
    size_t length = (size_t)(slash - path);
    if (length == 0) { /* an absolute path leads out of every directory */
        errno = EXDEV;
        return -1;
    }
    if (length >= sizeof parent) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(parent, path, length);
    parent[length] = '\0';
    fk_retry retry = {0};
    do {
        place->opened = fk_kernel_current->openat_beneath(directory, parent,
                                                          O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    } while (place->opened < 0 && fk_retry_is_due(&retry));
    if (place->opened < 0) {
        return -1;
    }
    place->directory = place->opened;
    place->name = slash + 1;
    return 0;
}

void fk_place_finish(fk_place *place) {
    if (place->opened >= 0) {
        int kept = errno;
        fk_kernel_current->close(place->opened);
        errno = kept;
        place->opened = -1;
    }
}
