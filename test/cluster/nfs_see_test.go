//go:build nfslab

package cluster_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/test/nfslab"
	"hotfolderd/test/nfslab/guest"
)

// TestNFS_dropsOfAnotherClientAreSeenSoon tells how long it takes from the end of a file's writing on one client to its import by another, by each
// version of NFS with the mount options as they are; and sees that files which are written slowly, also with their whole size first, are never
// imported before they are whole.
func TestNFS_dropsOfAnotherClientAreSeenSoon(t *testing.T) {
	l := nfslab.Start(t, 2, 1024)
	for _, version := range []string{"3", "4.1", "4.2"} {
		t.Run(version, func(t *testing.T) {
			w := nfsWorld(t, l, version)
			w.addIn(l.Clients[0])
			w.beginInGuests()
			s := w.seen(w.nodes...)
			n := env(t, "HOTFOLDERD_DROPS", 20)
			var slow sync.WaitGroup
			for i := range n / 5 {
				slow.Go(func() { s.writeSlowly(i) })
			}
			for i := range n {
				s.write(guest.Write{Path: s.path("whole", i), Pieces: [][]byte{picture()}})
				time.Sleep(upTo(1500 * time.Millisecond))
			}
			slow.Wait()
			s.await("all are imported")
			t.Logf("NFS %s, from close to imported: whole at once %v; slowly %v", version, s.took("whole"), s.took("slow"))
			for _, p := range w.nodes {
				p.stop()
			}
		})
	}
}

// picture is a PNG of different bytes each time.
func picture() []byte {
	img := image.NewNRGBA(image.Rect(0, 0, 100, 100))
	for i := range img.Pix {
		img.Pix[i] = byte(rand.Uint32())
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // it has nowhere to fail
	return b.Bytes()
}

// seen is what was written by a client and when it was imported.
type seen struct {
	w  *world
	mu sync.Mutex
	by map[string]*aWrite

	heard func(e asset.Event, took time.Duration) // of each import, when it is set before the first
}

// aWrite is one file. The clock is that of this machine.
type aWrite struct {
	sum    string
	closed time.Time
	taken  time.Time
	event  asset.Event
}

// seen follows what nodes import.
func (w *world) seen(nodes ...*process) *seen {
	s := &seen{w: w, by: map[string]*aWrite{}}
	for _, p := range nodes {
		s.follow(p)
	}
	return s
}

func (s *seen) follow(p *process) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			s.stream(ctx, p)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	s.w.t.Cleanup(func() { cancel(); <-ended })
}

func (s *seen) stream(ctx context.Context, p *process) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+"/v1/events", nil)
	if err != nil {
		s.w.t.Error(err)
		return
	}
	p.show(req)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		var e asset.Event
		if ok && json.Unmarshal([]byte(data), &e) == nil && e.Result == asset.Imported {
			s.imported(e)
		}
	}
}

func (s *seen) imported(e asset.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.by[string(e.Key)]
	if f == nil || !f.taken.IsZero() {
		return
	}
	f.taken, f.event = time.Now(), e
	s.tell(f)
	if sum := hex.EncodeToString(e.Hash[:]); sum != f.sum {
		s.w.t.Errorf("%s was imported before it was whole", e.Key)
	}
}

func (s *seen) path(kind string, i int) string {
	return s.w.tree.(nfsTree).at(fmt.Sprintf("hotfolders/inbox/%s-%04d.png", kind, i))
}

// write has the last client write a file.
func (s *seen) write(w guest.Write) {
	s.begin(w.Path[strings.LastIndexByte(w.Path, '/')+1:], bytes.Join(w.Pieces, nil), func([]byte) {
		if err := s.w.tree.(nfsTree).g.Try("Write", w, &guest.None{}); err != nil {
			s.w.t.Error(err)
		}
	})
}

// begin has a file written, and takes the time when that is done.
func (s *seen) begin(name string, data []byte, do func([]byte)) {
	sum := sha256.Sum256(data)
	f := &aWrite{sum: hex.EncodeToString(sum[:])}
	s.mu.Lock()
	s.by[name] = f
	s.mu.Unlock()
	do(data)
	s.mu.Lock()
	defer s.mu.Unlock()
	f.closed = time.Now()
	s.tell(f)
}

// tell tells of a file that is closed and imported, in whatever order.
func (s *seen) tell(f *aWrite) {
	if s.heard != nil && !f.taken.IsZero() && !f.closed.IsZero() {
		s.heard(f.event, max(f.taken.Sub(f.closed), 0))
	}
}

// writeSlowly writes some files in pieces; every other one gets its size first.
func (s *seen) writeSlowly(i int) {
	time.Sleep(upTo(3 * time.Second))
	w := guest.Write{Path: s.path("slow", i), Pause: int64(upTo(600 * time.Millisecond))}
	all := picture()
	for rest := all; len(rest) > 0; {
		n := min(len(rest), len(all)/8+1)
		w.Pieces, rest = append(w.Pieces, rest[:n]), rest[n:]
	}
	if i%2 == 1 {
		w.Size = int64(len(all))
	}
	s.write(w)
}

func (s *seen) await(what string) {
	s.w.t.Helper()
	within(s.w.t, patience, what, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, f := range s.by {
			if f.taken.IsZero() || f.closed.IsZero() {
				return false
			}
		}
		return true
	}, s.w)
}

// took is how long it took from close to imported, of the files whose names begin so; one that was whole before it was closed took no time.
func (s *seen) took(kind string) (all times) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, f := range s.by {
		if strings.HasPrefix(name, kind) {
			all = append(all, max(f.taken.Sub(f.closed), 0))
		}
	}
	return all
}
