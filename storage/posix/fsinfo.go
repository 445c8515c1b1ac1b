package posix

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// fsKind is what is known of a file system by its magic number: its name, whether only this kernel writes to it,
// whether syncfs reports write errors and costs one journal commit, and whether folders' times of change are those of a real file
// system on a server. What is behind FUSE may have made them up.
type fsKind struct {
	name  string
	local bool
	group bool
	times bool
}

var fsKinds = map[int64]fsKind{
	unix.EXT4_SUPER_MAGIC:      {"ext4", true, true, false},
	unix.XFS_SUPER_MAGIC:       {"xfs", true, true, false},
	unix.BTRFS_SUPER_MAGIC:     {"btrfs", true, true, false},
	unix.TMPFS_MAGIC:           {"tmpfs", true, true, false},
	unix.F2FS_SUPER_MAGIC:      {"f2fs", true, false, false},
	unix.OVERLAYFS_SUPER_MAGIC: {"overlay", true, false, false},
	0x2fc12fc1:                 {"zfs", true, false, false},
	unix.NFS_SUPER_MAGIC:       {"nfs", false, false, true},
	unix.SMB_SUPER_MAGIC:       {"smb", false, false, true},
	unix.CIFS_SUPER_MAGIC:      {"cifs", false, false, true},
	unix.SMB2_SUPER_MAGIC:      {"smb2", false, false, true},
	unix.FUSE_SUPER_MAGIC:      {"fuse", false, false, false},
	unix.V9FS_MAGIC:            {"9p", false, false, true},
	unix.CEPH_SUPER_MAGIC:      {"ceph", false, false, true},
	unix.AFS_SUPER_MAGIC:       {"afs", false, false, true},
}

// fileSystem tells the kind of fd's file system. One that is not known is taken for remote: polling finds everything everywhere.
func fileSystem(fd int) fsKind {
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil {
		return fsKind{name: "unknown"}
	}
	magic := int64(uint32(st.Type))
	if k, ok := fsKinds[magic]; ok {
		return k
	}
	return fsKind{name: fmt.Sprintf("0x%x", magic)}
}
