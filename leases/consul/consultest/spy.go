package consultest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
)

// Spy counts how often each key was written, to tell who writes when something writes too much.
type Spy struct {
	kv     *api.KV
	at     map[string]uint64
	writes map[string]int
	stop   chan struct{}
	done   chan struct{}
}

// Spy begins to look at all keys, ten times a second: of writes that follow each other faster it sees some.
func (s *Server) Spy(t testing.TB) *Spy {
	spy := &Spy{
		kv: s.Client(t).KV(), at: map[string]uint64{}, writes: map[string]int{},
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	spy.look()
	clear(spy.writes)
	go spy.run()
	return spy
}

func (s *Spy) run() {
	defer close(s.done)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			s.look()
		}
	}
}

func (s *Spy) look() {
	pairs, _, err := s.kv.List("", nil)
	if err != nil {
		return // there is a next time
	}
	for _, p := range pairs {
		if s.at[p.Key] != p.ModifyIndex {
			s.at[p.Key] = p.ModifyIndex
			s.writes[p.Key]++
		}
	}
}

// Seen ends the look; call it once. It returns how many writes were seen, and a text that says of which keys.
func (s *Spy) Seen() (writes int, text string) {
	close(s.stop)
	<-s.done
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(s.writes)) {
		writes += s.writes[key]
		fmt.Fprintf(&b, "%5d %s\n", s.writes[key], key)
	}
	fmt.Fprintf(&b, "%d keys in all", len(s.at))
	return writes, b.String()
}
