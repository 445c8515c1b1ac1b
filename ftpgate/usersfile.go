package ftpgate

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	usersEvery = time.Second // between two looks at the users file
	maxUsers   = 4 << 20     // bytes of it
)

// UsersFile is a file of users. It is looked at when somebody asks, at most once a second; a file that is wrong is told in the log
// and the users before it stay. Safe for concurrent use.
type UsersFile struct {
	path string
	log  *zap.Logger

	mu     sync.Mutex
	looked time.Time
	stamp  stamp
	users  map[string]*User
	names  []string // of users with a password, sorted
}

// stamp tells one content of a file from the next.
type stamp struct {
	modified time.Time
	size     int64
}

var _ UserSource = (*UsersFile)(nil)

// OpenUsers reads the file. Its error says every fault with its line.
func OpenUsers(path string, log *zap.Logger) (*UsersFile, error) {
	f := &UsersFile{path: path, log: log}
	if log == nil {
		f.log = zap.NewNop()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f, f.read()
}

// Lookup implements UserSource.
func (f *UsersFile) Lookup(name string) (*User, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look()
	u, ok := f.users[name]
	return u, ok
}

// Decoy implements UserSource.
func (f *UsersFile) Decoy(name string) *User {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.names) == 0 {
		return nil
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return f.users[f.names[int(h.Sum32()%uint32(len(f.names)))]]
}

// Hotfolders implements UserSource.
func (f *UsersFile) Hotfolders() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look()
	var all []string
	for _, u := range f.users {
		for _, h := range u.Mounts {
			all = append(all, h)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// look reads the file again when it has changed; mu is held.
func (f *UsersFile) look() {
	if time.Since(f.looked) < usersEvery {
		return
	}
	now, err := stampOf(f.path)
	f.looked = time.Now()
	if err != nil || now == f.stamp {
		return // a file that is being replaced is there again soon
	}
	if err := f.read(); err != nil {
		f.stamp = now
		f.log.Error("users file refused; the users before it stay", zap.Error(err))
		return
	}
	f.log.Info("users file read", zap.Int("users", len(f.users)))
}

// read reads the file; mu is held.
func (f *UsersFile) read() error {
	now, err := stampOf(f.path)
	if err != nil {
		return fmt.Errorf("users file: %w", err)
	}
	if now.size > maxUsers {
		return fmt.Errorf("users file %s: it has %d bytes, %d are allowed", f.path, now.size, maxUsers)
	}
	data, err := os.ReadFile(f.path)
	if err != nil {
		return fmt.Errorf("users file: %w", err)
	}
	users, err := ParseUsers(f.path, data)
	if err != nil {
		return err
	}
	f.looked, f.stamp, f.users, f.names = time.Now(), now, users, nil
	for name, u := range users {
		if u.Hash != "" {
			f.names = append(f.names, name)
		}
	}
	slices.Sort(f.names)
	return nil
}

func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	if !info.Mode().IsRegular() {
		return stamp{}, errors.New(path + " is not a regular file")
	}
	return stamp{info.ModTime(), info.Size()}, nil
}
