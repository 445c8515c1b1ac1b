package guest

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Put gives bytes a name that is free or not, whole at once.
func (s *Service) Put(p Put, _ *None) error {
	if err := p.prepare(); err != nil {
		return err
	}
	return os.Rename(p.Beside, p.Path)
}

func (p Put) prepare() error { return os.WriteFile(p.Beside, p.Data, 0o666) }

// PutNew gives bytes a name that must be free, by link; taken says that it is not.
func (s *Service) PutNew(p Put, taken *bool) error {
	if err := p.prepare(); err != nil {
		return err
	}
	defer os.Remove(p.Beside)
	err := os.Link(p.Beside, p.Path)
	if os.IsExist(err) {
		*taken = true
		return nil
	}
	return err
}

// Write writes slowly.
func (s *Service) Write(w Write, _ *None) error {
	f, err := os.Create(w.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	if w.Size > 0 {
		if err := f.Truncate(w.Size); err != nil {
			return err
		}
	}
	for i, piece := range w.Pieces {
		if i > 0 {
			time.Sleep(time.Duration(w.Pause))
		}
		if _, err := f.Write(piece); err != nil {
			return err
		}
		if err := f.Sync(); err != nil { // else this machine keeps it, and nobody sees anything before the end
			return err
		}
	}
	return f.Close()
}

// Read reads a file.
func (s *Service) Read(path string, c *Content) (err error) {
	if c.Data, err = os.ReadFile(path); err != nil {
		return err
	}
	var st unix.Stat_t
	err = unix.Stat(path, &st)
	c.Changed = st.Ctim.Nano()
	return err
}

// ReadAll reads all files of a folder of small ones, by their names.
func (s *Service) ReadAll(folder string, all *map[string]string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	*all = map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return err
		}
		(*all)[e.Name()] = string(data)
	}
	return nil
}

// Has reports whether there is something of this name, by the server's word.
func (s *Service) Has(path string, has *bool) error {
	forget(filepath.Dir(path))
	_, err := os.Lstat(path)
	*has = err == nil
	if os.IsNotExist(err) {
		err = nil
	}
	return err
}

// forget has the machine ask the server about a folder again.
func forget(dir string) {
	var st unix.Statx_t
	_ = unix.Statx(unix.AT_FDCWD, dir, unix.AT_STATX_FORCE_SYNC, unix.STATX_BASIC_STATS, &st)
}

// List lists all files below a folder, none when it is missing.
func (s *Service) List(folder string, all *[]string) error {
	return filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		switch {
		case os.IsNotExist(err):
			return nil
		case err != nil:
			return err
		case e.IsDir():
			forget(path)
		default:
			*all = append(*all, path)
		}
		return nil
	})
}

// MakeDir makes a folder and those above it.
func (s *Service) MakeDir(path string, _ *None) error { return os.MkdirAll(path, 0o777) }

// Remove removes a file or a folder with all that is in it.
func (s *Service) Remove(path string, _ *None) error { return os.RemoveAll(path) }
