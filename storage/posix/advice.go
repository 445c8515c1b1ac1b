package posix

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// advised is an error of the system with what is to be done about it, which is said once however often the error is wrapped.
type advised struct {
	error
	what string
}

func (a *advised) Error() string { return a.error.Error() + ": " + a.what }
func (a *advised) Unwrap() error { return a.error }

// advise adds to an error what those who run a node can do about it, where that is always the same.
func advise(err error) error {
	var already *advised
	if err == nil || errors.As(err, &already) {
		return err
	}
	what := adviceOn(err)
	if what == "" {
		return err
	}
	return &advised{err, what}
}

func adviceOn(err error) string {
	switch {
	case errors.Is(err, unix.EROFS):
		return "mount it to be written, and have its server export it so (rw)"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return fmt.Sprintf("the account of this process (uid %d, gid %d) may not do that: look at owner and rights there. %s", os.Geteuid(), os.Getegid(), squash())
	case errors.Is(err, unix.EDQUOT):
		return fmt.Sprintf("the quota of the account of this process (uid %d), or that of the folder, is used up: raise it or remove something", os.Geteuid())
	case errors.Is(err, unix.ENOSPC):
		return "no space or no inodes are left there: see df and df -i"
	case errors.Is(err, unix.ENAMETOOLONG):
		return "its file system takes no name that long: most take 255 bytes, some that encrypt no more than 143"
	case errors.Is(err, unix.EILSEQ):
		return "its file system does not take these characters in a name"
	}
	return ""
}

// squash is what a server of NFS does to the accounts of its clients.
func squash() string {
	if os.Geteuid() == 0 {
		return "An NFS server takes root for nobody, unless it exports with no_root_squash: run the node as the owner of the folder"
	}
	return "An NFS server may know this account by another number, or by none and then as nobody: the numbers must be the same on both, or be mapped (idmapd)"
}
