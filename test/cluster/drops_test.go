package cluster_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// drops are what was put into the hotfolder: the contents of each name, in their order.
type drops struct {
	w  *world
	mu sync.Mutex
	by map[string][]content
}

// content is one that was dropped under a name.
type content struct {
	sum  string // SHA-256
	text string
	// covered: the next one took its place while it lay there, so it need not have been imported.
	covered bool
}

func (w *world) drops() *drops { return &drops{w: w, by: map[string][]content{}} }

// drop puts one new file there.
func (d *drops) drop() (name string) {
	d.mu.Lock()
	name = fmt.Sprintf("%06d.txt", len(d.by))
	d.by[name] = nil
	d.mu.Unlock()
	text, _ := d.prepare(name)
	if err := d.w.door.add(d.w.under+name, text); err != nil {
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

// again puts other bytes under a name, whether the ones before lie there or were taken already; a new drop, where none must be.
func (d *drops) again(name string) {
	if d.w.once {
		d.drop()
		return
	}
	text, before := d.prepare(name)
	covered, err := d.w.door.replace(d.w.under+name, text, before)
	if err != nil {
		d.w.t.Error(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.by[name]
	all[len(all)-2].covered = covered
}

// prepare makes new bytes for a name; before is what was dropped under it the last time.
func (d *drops) prepare(name string) (text, before string) {
	text = fmt.Sprintf("%s %d\n%s", name, rand.Uint64(), strings.Repeat("x", rand.IntN(3000)))
	sum := sha256.Sum256([]byte(text))
	d.mu.Lock()
	defer d.mu.Unlock()
	if all := d.by[name]; len(all) > 0 {
		before = all[len(all)-1].text
	}
	d.by[name] = append(d.by[name], content{sum: hex.EncodeToString(sum[:]), text: text})
	return text, before
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
func (d *drops) gone(name string) bool { return !d.w.door.has(d.w.under + name) }

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
	return !slices.ContainsFunc(d.w.door.list(strings.TrimSuffix(d.w.under, "/")), func(path string) bool {
		return filepath.Base(path) != ".keep" && !strings.HasPrefix(path, ".hotfolderd/") // which is the nodes' own
	})
}

// awaitGone waits until everything was taken.
func (d *drops) awaitGone(patience time.Duration) {
	d.w.t.Helper()
	within(d.w.t, patience, "all drops are taken", d.allGone, d.w)
}
