#include <linux/magic.h>

#include "base/checked.h"
#include "os/directory.h"
#include "os/kernel.h"

typedef enum trait { LOCAL, SHARED, MEMORY } trait;

/* File systems by their number; what linux/magic.h lacks in digits. SHARED: other machines may hold
 * it, too. What is not here is taken for local. */
static const struct {
    uint32_t type;
    trait trait;
    const char *name;
} known[] = {
    {EXT4_SUPER_MAGIC, LOCAL, "ext2/ext3/ext4"},
    {XFS_SUPER_MAGIC, LOCAL, "xfs"},
    {BTRFS_SUPER_MAGIC, LOCAL, "btrfs"},
    {F2FS_SUPER_MAGIC, LOCAL, "f2fs"},
    {OVERLAYFS_SUPER_MAGIC, LOCAL, "overlay"},
    {MSDOS_SUPER_MAGIC, LOCAL, "vfat"},
    {EXFAT_SUPER_MAGIC, LOCAL, "exfat"},
    {0x2FC12FC1, LOCAL, "zfs"},
    {0xCA451A4E, LOCAL, "bcachefs"},
    {0x5346544E, LOCAL, "ntfs"},
    {0x7366746E, LOCAL, "ntfs3"},
    {TMPFS_MAGIC, MEMORY, "tmpfs"},
    {RAMFS_MAGIC, MEMORY, "ramfs"},
    {NFS_SUPER_MAGIC, SHARED, "nfs"},
    {SMB_SUPER_MAGIC, SHARED, "smb"},
    {CIFS_SUPER_MAGIC, SHARED, "cifs"},
    {SMB2_SUPER_MAGIC, SHARED, "smb"},
    {V9FS_MAGIC, SHARED, "9p"},
    {CEPH_SUPER_MAGIC, SHARED, "ceph"},
    {FUSE_SUPER_MAGIC, SHARED, "fuse"},
    {CODA_SUPER_MAGIC, SHARED, "coda"},
    {AFS_SUPER_MAGIC, SHARED, "afs"},
    {AFS_FS_MAGIC, SHARED, "afs"},
    {OCFS2_SUPER_MAGIC, SHARED, "ocfs2"},
    {0x01161970, SHARED, "gfs2"},
    {0x0BD00BD0, SHARED, "lustre"},
    {0x47504653, SHARED, "gpfs"},
    {0x786F4256, SHARED, "vboxsf"},
    {0xBACBACBC, SHARED, "vmhgfs"},
};

enum { KNOWN_COUNT = sizeof known / sizeof known[0] };

/* Its place in the table, or KNOWN_COUNT. False where it cannot be asked. */
static bool find(int fd, size_t *ret_index) {
    struct statfs status;
    size_t index = 0;
    if (fk_kernel_current->fstatfs(fd, &status) != 0) {
        return false;
    }
    while (index < KNOWN_COUNT && known[index].type != (uint32_t)status.f_type) {
        index++;
    }
    *ret_index = index;
    return true;
}

bool fk_directory_is_local(int fd) {
    size_t index;
    return find(fd, &index) && (index == KNOWN_COUNT || known[index].trait != SHARED);
}

bool fk_directory_is_in_memory(int fd) {
    size_t index;
    return find(fd, &index) && index < KNOWN_COUNT && known[index].trait == MEMORY;
}

const char *fk_directory_file_system(int fd) {
    size_t index;
    return find(fd, &index) && index < KNOWN_COUNT ? known[index].name : "";
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
