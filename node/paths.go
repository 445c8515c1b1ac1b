package node

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"hotfolderd/storage"
	"hotfolderd/storage/guard"
	"hotfolderd/storage/posix"
)

// paths are the folders of this machine at which stores are. A share may hang before it was ever opened, so that even a look at its folder
// does not come back; each path has at most a few such looks, however often it is tried. The zero value is ready.
type paths struct {
	mu  sync.Mutex
	all map[string]*place
}

// place is one of them.
type place struct {
	dir   string
	calls *guard.Calls

	mu       sync.Mutex
	resolved string // its links followed, when that was answered last
}

func (p *paths) of(dir string) *place {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[string]*place{}
	}
	if p.all[dir] == nil {
		p.all[dir] = newPlace(dir)
	}
	return p.all[dir]
}

func newPlace(dir string) *place {
	ask := func(context.Context) error {
		_, err := os.Stat(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return &place{dir: dir, calls: guard.NewCalls(ask, guard.Options{Name: dir}), resolved: dir}
}

// open opens the folder as a store. [storage.ErrSilent] when it does not answer.
func (p *place) open(ctx context.Context, create bool) (*posix.Store, error) {
	return guard.Call(ctx, p.calls, func() (*posix.Store, error) {
		return posix.Open(ctx, p.dir, posix.Options{Create: create})
	}, func(s *posix.Store) { _ = s.Close() })
}

// follow follows the links of the path, as far as it exists. While it does not answer, it leads where it led.
func (p *place) follow(ctx context.Context) string {
	to, err := guard.Call(ctx, p.calls, func() (string, error) { return filepath.EvalSymlinks(p.dir) }, nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.resolved = to
	case !errors.Is(err, storage.ErrSilent):
		p.resolved = p.dir
	}
	return p.resolved
}
