package ftp_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"hotfolderd/test/netns"
)

const (
	awayTogether = 40              // uploads that lose their network at the same moment
	awayStall    = 2 * time.Second // ftp.stall: what a data connection may be silent for
)

// wire is the only way between this machine and a gate that lives in a network of its own.
type wire struct {
	*netns.Space
	near, far string // addresses of its two ends
}

func newWire(t testing.TB) *wire {
	t.Helper()
	if !netns.Usable() {
		t.Skip("a network of its own needs root")
	}
	w := &wire{netns.New(t, fmt.Sprintf("hff%d", os.Getpid())), netns.Address(9), netns.Address(10)}
	w.Way("f", w.near, w.far)
	return w
}

// set has the wire be up or down. Its far end is what changes, so that nothing finds another way.
func (w *wire) set(state string) { w.Run(w.Inside("ip", "link", "set", "f0", state)...) }

// away is an upload whose network goes in the middle.
type away struct {
	c      *raw
	tcp    *net.TCPConn // of its data
	data   net.Conn
	name   string
	rest   string // what was not sent
	stored bool   // by the gate's own word
}

// afterwards are what clients do whose network has gone; up is closed when it is back.
var afterwards = []struct {
	name string
	do   func(a *away, up <-chan struct{})
}{
	{"dies, data first", func(a *away, _ <-chan struct{}) { a.tcp.Close(); a.c.tcp.Close() }},
	{"dies, control first", func(a *away, _ <-chan struct{}) { a.c.tcp.Close(); a.tcp.Close() }},
	{"dies, and nobody hears of it", func(a *away, _ <-chan struct{}) { reset(a.tcp); reset(a.c.tcp) }},
	{"dies when it is back", func(a *away, up <-chan struct{}) { <-up; a.tcp.Close(); a.c.tcp.Close() }},
	{"goes on when it is back", func(a *away, up <-chan struct{}) { <-up; a.finish() }},
	{"knows nothing of it", func(a *away, _ <-chan struct{}) { a.finish() }},
}

// startAway begins an upload.
func startAway(addr, local, name string, secure bool) (*away, error) {
	c, err := login(addr, local, user, secure)
	if err != nil {
		return nil, err
	}
	tcp, data, err := c.begin("STOR " + name)
	return &away{c: c, tcp: tcp, data: data, name: name, rest: contentOf(name)}, err
}

// sendUntil sends slowly, and never all of it, until down is closed.
func (a *away) sendUntil(down <-chan struct{}) error {
	for {
		select {
		case <-down:
			return nil
		case <-time.After(rand.N(4 * time.Millisecond)): // a slow client
		}
		n := min(len(a.rest)/2, 1+rand.IntN(16<<10))
		if _, err := io.WriteString(a.data, a.rest[:n]); err != nil {
			return err
		}
		a.rest = a.rest[n:]
	}
}

// finish sends the rest and hears what the gate says.
func (a *away) finish() {
	_, err := io.WriteString(a.data, a.rest)
	a.rest = ""
	if err = errors.Join(err, a.data.Close()); err == nil {
		_, err = a.c.want("226")
	}
	if a.stored = err == nil; a.stored {
		_, _ = a.c.do("221", "QUIT")
	}
	a.c.tcp.Close()
}

// lose has some uploads lose their network for a time.
func (w *wire) lose(t *testing.T, n *node, round int, long bool) (all []*away) {
	t.Helper()
	down, up := make(chan struct{}), make(chan struct{})
	all = make([]*away, awayTogether)
	var begun, ended sync.WaitGroup
	begun.Add(len(all))
	for i := range all {
		ended.Go(func() {
			a, err := startAway(n.addr, w.near, named("away", round*awayTogether+i, 1+rand.IntN(4<<20)), i/len(afterwards)%2 == 1)
			begun.Done()
			if err == nil {
				all[i] = a
				err = a.sendUntil(down)
			}
			if err != nil {
				t.Errorf("want it up to then, got %v", err)
				return
			}
			afterwards[i%len(afterwards)].do(a, up)
		})
	}
	begun.Wait()
	pause := rand.N(400 * time.Millisecond) // the moments are what is tested
	if long {
		pause += awayStall
	}
	time.Sleep(rand.N(100 * time.Millisecond))
	w.set("down")
	close(down)
	time.Sleep(pause)
	w.set("up")
	close(up)
	ended.Wait()
	return all
}

// The network of many uploads goes in their middle: for a moment, in which TCP goes on and tells of deaths late and in any order, or for
// longer than the gate waits for data.
func TestCut_noNetworkThatGoesLeavesPartOfAFile(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	n := begin(t, options{host: w.far, space: w.Space, ftp: crowded + fmt.Sprintf("  stall: %s\n", awayStall)})
	var all []*away
	for round := range (uploads(t, 2*awayTogether) + awayTogether - 1) / awayTogether {
		all = append(all, w.lose(t, n, round, round%2 == 1)...)
	}
	n.settle(t)
	got, stored := n.imported(t), 0
	for _, a := range all {
		switch {
		case a == nil:
		case a.stored && got[a.name] != 1:
			t.Errorf("%s was told to be stored, and was imported %d times\n%s", a.name, got[a.name], n.log.about(a.name))
		case a.rest != "" && got[a.name] > 0:
			t.Errorf("%s was imported, and %d bytes of it were never sent", a.name, len(a.rest))
		case a.stored:
			stored++
		}
	}
	t.Logf("%d uploads lost their network; %d of them went on to their end, %d were imported, whole", len(all), stored, len(got))
	if stored == 0 || stored == len(all) {
		t.Errorf("want some to go on to their end, got %d of %d", stored, len(all))
	}
}
