package posix

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// fsKind is what is known of a file system by its magic number: its name, whether only this kernel writes to it, and
// whether syncfs reports write errors and costs one journal commit.
type fsKind struct {
	name  string
	local bool
	group bool
}

var fsKinds = map[int64]fsKind{
	unix.EXT4_SUPER_MAGIC:      {"ext4", true, true},
	unix.XFS_SUPER_MAGIC:       {"xfs", true, true},
	unix.BTRFS_SUPER_MAGIC:     {"btrfs", true, true},
	unix.TMPFS_MAGIC:           {"tmpfs", true, true},
	unix.F2FS_SUPER_MAGIC:      {"f2fs", true, false},
	unix.OVERLAYFS_SUPER_MAGIC: {"overlay", true, false},
	0x2fc12fc1:                 {"zfs", true, false},
	unix.NFS_SUPER_MAGIC:       {"nfs", false, false},
	unix.SMB_SUPER_MAGIC:       {"smb", false, false},
	unix.CIFS_SUPER_MAGIC:      {"cifs", false, false},
	unix.SMB2_SUPER_MAGIC:      {"smb2", false, false},
	unix.FUSE_SUPER_MAGIC:      {"fuse", false, false},
	unix.V9FS_MAGIC:            {"9p", false, false},
	unix.CEPH_SUPER_MAGIC:      {"ceph", false, false},
	unix.AFS_SUPER_MAGIC:       {"afs", false, false},
}

// fileSystem names the file system of fd. One that is not known is taken for remote: polling finds everything everywhere.
func fileSystem(fd int) (name string, local, group bool) {
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil {
		return "unknown", false, false
	}
	magic := int64(uint32(st.Type))
	if k, ok := fsKinds[magic]; ok {
		return k.name, k.local, k.group
	}
	return fmt.Sprintf("0x%x", magic), false, false
}
