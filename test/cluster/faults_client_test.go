package cluster_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hotfolderd/asset"
	api "hotfolderd/client"
	"hotfolderd/leases/consul/consultest"
)

// trouble is what befalls the node that a client uses. It returns how that ends.
type trouble struct {
	name string
	do   func(t *testing.T, p *process) (after func())
}

var troubles = []trouble{
	{"killed", func(_ *testing.T, p *process) func() { p.kill(); return p.start }},
	{"stopped", func(_ *testing.T, p *process) func() {
		p.signal(syscall.SIGSTOP)
		return func() { p.signal(syscall.SIGCONT) }
	}},
	{"drained", func(t *testing.T, p *process) func() {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if out, err := p.hotfolderd("drain", "--deadline", "5s"); err != nil {
				t.Errorf("drain: %v\n%s", err, out)
			}
		}()
		return func() { <-ended; _ = p.wait(); p.start() }
	}},
}

// bigSize is that of an upload that a fault comes into.
const bigSize = 100 << 20

// big is bytes that need no memory, and stop in the middle, once, until somebody lets them go on.
type big struct {
	*io.SectionReader
	half    chan struct{} // closed when half was read
	goOn    chan struct{}
	stopped atomic.Bool
}

// noise makes the bytes of any place.
type noise struct{}

func (noise) ReadAt(b []byte, at int64) (int, error) {
	for i := range b {
		n := uint64(at + int64(i))
		b[i] = byte(n * 0x9e3779b97f4a7c15 >> 56)
	}
	return len(b), nil
}

func newBig() *big {
	return &big{SectionReader: io.NewSectionReader(noise{}, 0, bigSize), half: make(chan struct{}), goOn: make(chan struct{})}
}

func (b *big) Read(p []byte) (int, error) {
	n, err := b.SectionReader.Read(p)
	if at, _ := b.Seek(0, io.SeekCurrent); at > bigSize/2 && b.stopped.CompareAndSwap(false, true) {
		close(b.half)
		<-b.goOn
	}
	return n, err
}

func bigHash() (h asset.Hash) {
	sum := sha256.New()
	_, _ = io.Copy(sum, io.NewSectionReader(noise{}, 0, bigSize))
	copy(h[:], sum.Sum(nil))
	return h
}

// TestFaults_aClientMovesOn: in the middle of 100 MB, up or down, the node that the client uses is killed, stopped or drained. All
// comes through, with the right hash, as one version.
func TestFaults_aClientMovesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	w.begin()
	w.awaitWhole(w.nodes...)
	want := bigHash()
	for n := range rounds(t, 1) {
		for _, f := range troubles {
			name := fmt.Sprintf("moved/%s/%d.bin", f.name, n)
			t.Run(fmt.Sprintf("%s/%d", f.name, n), func(t *testing.T) {
				w.putThrough(t, f, name, want)
				w.getThrough(t, f, name, want)
			})
		}
	}
}

// using is a client, and the node that it uses.
func (w *world) using(t *testing.T) (*api.Client, func() *process) {
	t.Helper()
	var at atomic.Pointer[process]
	c, err := api.New([]string{w.nodes[0].addr, w.nodes[1].addr, w.nodes[2].addr}, api.Options{
		Patience: 2 * time.Minute,
		Moved: func(m api.Move) {
			for _, p := range w.nodes {
				if m.To == "http://"+p.addr {
					at.Store(p)
				}
			}
			t.Logf("from %s to %s: %v", m.From, m.To, m.Why)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, at.Load
}

func (w *world) putThrough(t *testing.T, f trouble, name string, want asset.Hash) {
	t.Helper()
	c, at := w.using(t)
	data := newBig()
	type done struct {
		got api.Stored
		err error
	}
	came := make(chan done, 1)
	go func() {
		got, err := c.Put(context.Background(), name, data, api.PutOptions{IfAbsent: true})
		came <- done{got, err}
	}()
	<-data.half
	p := at()
	after := f.do(t, p)
	close(data.goOn)
	var d done
	select {
	case d = <-came:
	case <-time.After(4 * time.Minute):
		t.Fatalf("the upload has no end\n%s", w)
	}
	if d.err != nil || d.got.Hash != want || d.got.Number != 1 {
		t.Errorf("%s: want version 1 with the right hash, got %+v, %v", p.id, d.got, d.err)
	}
	after()
	w.awaitWhole(w.nodes...)
	c2, _ := w.using(t) // what was in hand at a node that was stopped has come to its end
	c2.Follow(c.Index())
	if i, err := c2.Stat(t.Context(), name); err != nil || i.Number != 1 || i.Hash != want {
		t.Errorf("want one version, got %+v, %v", i, err)
	}
	if n := w.ledgerOf(name); n != 1 {
		t.Errorf("want one record, got %d", n)
	}
}

// ledgerOf counts the records of a name.
func (w *world) ledgerOf(name string) (n int) {
	for _, r := range w.ledger() {
		if r.Name == name {
			n++
		}
	}
	return n
}

func (w *world) getThrough(t *testing.T, f trouble, name string, want asset.Hash) {
	t.Helper()
	c, at := w.using(t)
	r, err := c.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	sum := sha256.New()
	if _, err := io.CopyN(sum, r, bigSize/3); err != nil {
		t.Fatal(err)
	}
	after := f.do(t, at())
	if _, err := io.Copy(sum, r); err != nil {
		t.Errorf("want all of it, got %v", err)
	}
	var h asset.Hash
	copy(h[:], sum.Sum(nil))
	if h != want {
		t.Errorf("want the right bytes, got %s", h)
	}
	after()
	w.awaitWhole(w.nodes...)
}

// TestFaults_aClientsIndexGoesWithIt: what it has written by one node it reads by another one, at once.
func TestFaults_aClientsIndexGoesWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	w.begin()
	w.awaitWhole(w.nodes...)
	var on [3]*api.Client
	for i, p := range w.nodes {
		c, err := api.New([]string{p.addr}, api.Options{Fixed: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		on[i] = c
	}
	stale := 0
	for n := range 60 {
		writer, reader := on[n%3], on[(n+1+rand.IntN(2))%3]
		stored, err := writer.Put(t.Context(), "read/your.writes", io.NewSectionReader(noise{}, int64(n), 1000), api.PutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		reader.Follow(writer.Index())
		if i, err := reader.Stat(t.Context(), "read/your.writes"); err != nil || i.Hash != stored.Hash {
			stale++
			t.Errorf("want %s, got %+v, %v", stored.Hash, i, err)
		}
	}
	if err := on[0].Remove(t.Context(), "read/your.writes"); err != nil {
		t.Error(err)
	}
	on[1].Follow(on[0].Index())
	if _, err := on[1].Stat(t.Context(), "read/your.writes"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want it gone, got %v", err)
	}
	t.Logf("%d of 60 stale", stale)
}
