package cluster_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tree is a store as these tests reach it: not by the program's own code. Paths are below its root, with slashes.
type tree interface {
	// url is what the settings call it, more what they must say beside that.
	url() string
	more() string
	// add puts a new file there, whole at once.
	add(path, text string) error
	// replace puts other bytes under a name, whether those that were put there before lie there or were taken already; covered says
	// which, for certain.
	replace(path, text, before string) (covered bool, err error)
	has(path string) bool
	// list tells all files below a folder, none when it is missing.
	list(folder string) []string
	// read also tells when the store says that it was changed.
	read(path string) (data []byte, changed time.Time, err error)
}

// folderTree is a folder of this machine. What comes is written beside, on the same file system.
type folderTree struct {
	t            testing.TB
	root, beside string
}

func (f folderTree) at(path string) string { return filepath.Join(f.root, filepath.FromSlash(path)) }

func (f folderTree) url() string  { return "file://" + f.root }
func (f folderTree) more() string { return "" }

func (f folderTree) add(path, text string) error {
	return os.Rename(f.prepare(path, text), f.at(path))
}

func (f folderTree) prepare(path, text string) (tmp string) {
	tmp = filepath.Join(f.beside, "incoming-"+filepath.Base(path))
	write(f.t, tmp, text)
	return tmp
}

func (f folderTree) replace(path, text, _ string) (covered bool, err error) {
	tmp := f.prepare(path, text)
	for range 100 { // it comes and goes: a node sets it aside and gives it its name back
		err = unix.Renameat2(unix.AT_FDCWD, tmp, unix.AT_FDCWD, f.at(path), unix.RENAME_EXCHANGE)
		if err == nil {
			return true, os.Remove(tmp) // the ones before
		}
		err = unix.Renameat2(unix.AT_FDCWD, tmp, unix.AT_FDCWD, f.at(path), unix.RENAME_NOREPLACE)
		if err == nil {
			return false, nil
		}
	}
	return false, err
}

func (f folderTree) has(path string) bool {
	_, err := os.Lstat(f.at(path))
	return !os.IsNotExist(err)
}

func (f folderTree) list(folder string) (all []string) {
	for _, path := range files(f.at(folder)) {
		rel, _ := filepath.Rel(f.root, path)
		all = append(all, filepath.ToSlash(rel))
	}
	return all
}

func (f folderTree) read(path string) ([]byte, time.Time, error) {
	data, err := os.ReadFile(f.at(path))
	var stat unix.Stat_t
	if err == nil {
		err = unix.Stat(f.at(path), &stat)
	}
	return data, time.Unix(stat.Ctim.Unix()), err
}
