#include <linux/magic.h>

#include "base/checked.h"
#include "os/directory.h"
#include "os/kernel.h"

/* File systems that other machines may hold, too; those that linux/magic.h lacks by number. */
static const uint32_t shared[] = {
    NFS_SUPER_MAGIC, SMB_SUPER_MAGIC,  CIFS_SUPER_MAGIC,  SMB2_SUPER_MAGIC,
    V9FS_MAGIC,      CEPH_SUPER_MAGIC, FUSE_SUPER_MAGIC,  CODA_SUPER_MAGIC,
    AFS_SUPER_MAGIC, AFS_FS_MAGIC,     OCFS2_SUPER_MAGIC, 0x01161970, /* GFS2 */
    0x0BD00BD0,                                                       /* Lustre */
    0x47504653,                                                       /* GPFS */
    0x786F4256,                                                       /* VirtualBox shared folder */
    0xBACBACBC,                                                       /* VMware shared folder */
};

bool fk_directory_is_local(int fd) {
    struct statfs status;
    if (fk_kernel_current->fstatfs(fd, &status) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
        if ((uint32_t)status.f_type == shared[i]) {
            return false;
        }
    }
    return true;
}

uint64_t fk_directory_free_bytes(int fd) {
    struct statvfs status;
    uint64_t bytes;
    if (fk_kernel_current->fstatvfs(fd, &status) != 0 || status.f_blocks == 0 ||
        !fk_checked_multiply(status.f_bavail, status.f_frsize, &bytes)) {
        return UINT64_MAX; /* some network file systems know no figures */
    }
    return bytes;
}
