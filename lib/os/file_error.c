#include "os/file_error.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "os/file.h"

static const struct {
    int system_errno;
    fk_code code;
} codes[] = {
    {EACCES, FK_E_ACCESS},   {EPERM, FK_E_ACCESS},    {EROFS, FK_E_ACCESS},
    {ENOSPC, FK_E_NO_SPACE}, {EDQUOT, FK_E_NO_SPACE}, {EBUSY, FK_E_BUSY},
    {EAGAIN, FK_E_BUSY},     {ETXTBSY, FK_E_BUSY},    {ENOMEM, FK_E_NO_MEMORY},
};

/* What each verb of this folder needs. */
static const struct {
    const char *verb;
    const char *mode;
} modes[] = {
    {"open", "read permission (r) on it, and search permission (x) on the directories above"},
    {"list", "read permission (r) on the directory"},
    {"look at", "search permission (x) on the directories above"},
    {"lock", "read and write permission (rw) on the file"},
    {"create", "write and search permission (wx) on the directory"},
    {"remove", "write and search permission (wx) on the directory"},
    {"rename", "write and search permission (wx) on the directory"},
    {"link", "write and search permission (wx) on the directory"},
    {"write", "write permission (w) on the file"},
};

static const struct {
    int system_errno;
    const char *hint;
} hints[] = {
    {EROFS, "mount the file system read-write to save; reading works without"},
    {ENOSPC, "free space on the file system and try again"},
    {EDQUOT, "free space or have the disk quota raised, and try again"},
    {EBUSY, "try again when the other process is done"},
    {EAGAIN, "try again when the other process is done"},
    {ETXTBSY, "try again when the other process is done"},
    {ENOMEM, "free memory, or load with mmap"},
    {EMFILE, "close files, or raise the limit of open files (ulimit -n)"},
    {ENFILE, "close files, or raise the system's limit of open files (fs.file-max)"},
    {EFBIG, "raise the limit of file sizes (ulimit -f), or use a file system for larger files"},
    {EIO, "check the disk and the kernel's log (dmesg)"},
    {EXDEV,
     "keep the store on one file system; mount an overlay with redirect_dir=on or userxattr"},
    {ENOENT, "check the path"},
    {ENOTDIR, "check the path"},
    {ENAMETOOLONG, "use a shorter path"},
    {ELOOP, "put the real file or directory in place of the symbolic link"},
};

static fk_code code_of(int system_errno) {
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].system_errno == system_errno) {
            return codes[i].code;
        }
    }
    return FK_E_IO;
}

static void set_access_hint(fk_error *err, const char *verb) {
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(modes[i].verb, verb) == 0) {
            fk_error_hint(err, "give the user %s (chmod, chown)", modes[i].mode);
            return;
        }
    }
    fk_error_hint(err, "give the user the permission to %s it (chmod, chown)", verb);
}

static void set_hint(fk_error *err, int system_errno, const char *verb) {
    if (system_errno == EACCES || system_errno == EPERM) {
        set_access_hint(err, verb);
        return;
    }
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        if (hints[i].system_errno == system_errno) {
            fk_error_hint(err, "%s", hints[i].hint);
            return;
        }
    }
    fk_error_hint(err, "look up error %d of the system in errno(3)", system_errno);
}

fk_code fk_file_error(fk_error *err, int system_errno, const char *verb, const char *path) {
    /* unlike strerror, neither shared between threads nor translated */
    const char *description = strerrordesc_np(system_errno);
    fk_code code = fk_error_set(err, code_of(system_errno), "cannot %s '%s': %s", verb, path,
                                description == NULL ? "unknown error" : description);
    fk_error_path(err, path);
    set_hint(err, system_errno, verb);
    if (err != NULL) {
        err->system_errno = system_errno;
    }
    return code;
}

fk_code fk_file_refuse(fk_error *err, int system_errno, const char *path, const char *what,
                       const char *hint) {
    fk_code code = fk_error_set(err, FK_E_INVALID, "'%s' is %s", path, what);
    fk_error_path(err, path);
    fk_error_hint(err, "%s", hint);
    if (err != NULL) {
        err->system_errno = system_errno;
    }
    return code;
}
