package cluster_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// drops are what was put into the hotfolder: the contents of each name, in their order.
type drops struct {
	w  *world
	mu sync.Mutex
	by map[string][]content
}

// content is one that was dropped under a name.
type content struct {
	sum string // SHA-256
	// covered: the next one took its place while it lay there, so it need not have been imported.
	covered bool
}

func (w *world) drops() *drops { return &drops{w: w, by: map[string][]content{}} }

// drop puts one new file there, by a rename from outside the hotfolder.
func (d *drops) drop() (name string) {
	d.mu.Lock()
	name = fmt.Sprintf("%06d.txt", len(d.by))
	d.by[name] = nil
	d.mu.Unlock()
	tmp := d.prepare(name)
	if err := os.Rename(tmp, d.w.inbox(name)); err != nil {
		d.w.t.Error(err)
	}
	return name
}

// some puts n new files there.
func (d *drops) some(n int) (names []string) {
	for range n {
		names = append(names, d.drop())
	}
	return names
}

// again puts other bytes under a name, whether the ones before lie there or were taken already.
func (d *drops) again(name string) {
	tmp := d.prepare(name)
	err := unix.Renameat2(unix.AT_FDCWD, tmp, unix.AT_FDCWD, d.w.inbox(name), unix.RENAME_EXCHANGE)
	if err == nil {
		d.mu.Lock()
		all := d.by[name]
		all[len(all)-2].covered = true
		d.mu.Unlock()
		err = os.Remove(tmp) // the ones before
	} else if errors.Is(err, os.ErrNotExist) {
		err = os.Rename(tmp, d.w.inbox(name))
	}
	if err != nil {
		d.w.t.Error(err)
	}
}

// prepare writes new bytes for a name beside the hotfolder.
func (d *drops) prepare(name string) (tmp string) {
	text := fmt.Sprintf("%s %d\n%s", name, rand.Uint64(), strings.Repeat("x", rand.IntN(3000)))
	sum := sha256.Sum256([]byte(text))
	d.mu.Lock()
	d.by[name] = append(d.by[name], content{sum: hex.EncodeToString(sum[:])})
	d.mu.Unlock()
	tmp = filepath.Join(d.w.store, "incoming-"+name)
	write(d.w.t, tmp, text)
	return tmp
}

// streamAgain drops other bytes under these names at about this rate until stop is closed.
func (d *drops) streamAgain(names []string, perSecond int, stop <-chan struct{}) (ended chan struct{}) {
	return d.every(perSecond, stop, func(i int) { d.again(names[i%len(names)]) })
}

// stream drops new files at about this rate until stop is closed, or the test has failed.
func (d *drops) stream(perSecond int, stop <-chan struct{}) (ended chan struct{}) {
	return d.every(perSecond, stop, func(int) { d.drop() })
}

func (d *drops) every(perSecond int, stop <-chan struct{}, do func(i int)) (ended chan struct{}) {
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second / time.Duration(perSecond))
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-d.w.t.Context().Done():
				return
			case <-tick.C:
				do(i)
			}
		}
	}()
	d.w.t.Cleanup(func() { <-ended })
	return ended
}

// gone reports whether the hotfolder does not hold this drop any more.
func (d *drops) gone(name string) bool {
	_, err := os.Lstat(d.w.inbox(name))
	return os.IsNotExist(err)
}

// noneLeft reports whether the hotfolder holds none of these.
func (d *drops) noneLeft(names []string) bool {
	for _, name := range names {
		if !d.gone(name) {
			return false
		}
	}
	return true
}

// allGone reports whether nothing waits.
func (d *drops) allGone() bool {
	entries, err := os.ReadDir(d.w.inbox(""))
	if err != nil {
		return false
	}
	for _, e := range entries {
		if e.Name() != ".keep" {
			return false
		}
	}
	return true
}

// awaitGone waits until everything was taken.
func (d *drops) awaitGone(patience time.Duration) {
	d.w.t.Helper()
	within(d.w.t, patience, "all drops are taken", d.allGone, d.w)
}
