package client

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

func hashOf(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }

// fleetOf knows these members, each with a weight and what waits there.
func fleetOf(o Options, members ...Member) *fleet {
	o.Role, o.Idle = DefaultRole, DefaultIdle
	f := newFleet([]string{"http://10.0.0.9:1"}, o)
	for i := range members {
		m := &members[i]
		m.Address, m.Instance, m.Share = fmt.Sprintf("10.0.0.%d:1", i+1), fmt.Sprintf("n%d.X", i+1), 1
		if m.State == "" {
			m.State = active
		}
		if m.Roles == nil {
			m.Roles = []string{"web"}
		}
	}
	f.take(members, "http://10.0.0.9:1")
	return f
}

// drawn is how often each was chosen, of many times anew.
func drawn(f *fleet, writes bool) map[string]int {
	got, now := map[string]int{}, time.Now()
	for range 3000 {
		f.current = ""
		base, _ := f.choose(now, writes)
		got[base]++
	}
	return got
}

func TestChoose_byWeightAndLoad(t *testing.T) {
	got := drawn(fleetOf(Options{}, Member{Weight: 1}, Member{Weight: 3}), true)
	if n := got["http://10.0.0.2:1"]; n < 1950 || got["http://10.0.0.9:1"] > 0 {
		t.Errorf("want three quarters or more for the one with three times the weight, got %v", got)
	}
	got = drawn(fleetOf(Options{}, Member{Weight: 1, Waiting: 1000}, Member{Weight: 1}, Member{Weight: 1}), true)
	if n := got["http://10.0.0.1:1"]; n > 600 {
		t.Errorf("want less than a fifth for the one that is behind, got %v", got)
	}
}

func TestChoose_roleAndState(t *testing.T) {
	f := fleetOf(Options{}, Member{Weight: 1, Roles: []string{"import"}}, Member{Weight: 1, State: readOnly}, Member{Weight: 1, State: "draining"}, Member{Weight: 1})
	if got := drawn(f, true); got["http://10.0.0.4:1"] != 3000 {
		t.Errorf("want writes at the active one only, got %v", got)
	}
	if got := drawn(f, false); got["http://10.0.0.4:1"]+got["http://10.0.0.2:1"] != 3000 {
		t.Errorf("want reads at the one that is read-only too, got %v", got)
	}
}

func TestChoose_staysUntilIdle(t *testing.T) {
	f := fleetOf(Options{}, Member{Weight: 1}, Member{Weight: 1})
	now := time.Now()
	first, _ := f.choose(now, false)
	for range 200 {
		now = now.Add(DefaultIdle - time.Second)
		if base, _ := f.choose(now, false); base != first {
			t.Fatal("want it to stay while it is used")
		}
	}
	moved := false
	for range 200 {
		now = now.Add(DefaultIdle)
		base, _ := f.choose(now, false)
		moved = moved || base != first
	}
	if !moved {
		t.Error("want it to choose anew after it was idle")
	}
}

func TestChoose_allLeftAloneIsToldUntilWhen(t *testing.T) {
	f := fleetOf(Options{}, Member{Weight: 1})
	why := errors.New("broken")
	f.failed("http://10.0.0.9:1", why, time.Minute)
	f.failed("http://10.0.0.1:1", why, 5*time.Second)
	now := time.Now()
	base, next := f.choose(now, true)
	if wait := next.Sub(now); base != "" || wait < 4*time.Second || wait > 7*time.Second {
		t.Errorf("want to wait for 5 s and a little, got %q, %s", base, wait)
	}
	f.take([]Member{{Instance: "n1.Y", Address: "10.0.0.1:1", State: active, Roles: []string{"web"}, Weight: 1, Share: 1}}, "http://10.0.0.9:1")
	if base, _ := f.choose(now, true); base != "http://10.0.0.1:1" {
		t.Errorf("want a new start of the node asked at once, got %q", base)
	}
}

func TestFailed_pausesGrowAndAreBounded(t *testing.T) {
	f := fleetOf(Options{}, Member{Weight: 1})
	var last time.Duration
	for n := range 40 {
		f.failed("http://10.0.0.1:1", errors.New("broken"), 0)
		last = time.Until(f.nodes["http://10.0.0.1:1"].until)
		if n == 0 && last > 2*firstHold {
			t.Errorf("want a short pause first, got %s", last)
		}
	}
	if last < longestHold/3 || last > longestHold+firstHold {
		t.Errorf("want about %s in the end, got %s", longestHold, last)
	}
}

func TestTake_membersThatCannotBeMeant(t *testing.T) {
	f := newFleet([]string{"http://10.0.0.9:1"}, Options{})
	f.take([]Member{{Address: "127.0.0.1:8480", Instance: "a.X"}, {Address: "", Instance: "b.X"}, {Address: "10.0.0.3:1", Instance: "c.X"}}, "http://10.0.0.9:1")
	if len(f.nodes) != 2 || f.nodes["http://10.0.0.3:1"] == nil {
		t.Errorf("want the given address and the one that can be reached, got %v", f.nodes)
	}
	f.take([]Member{{Address: "127.0.0.1:8480", Instance: "a.X"}}, "http://127.0.0.1:9")
	if f.nodes["http://127.0.0.1:8480"] == nil || f.nodes["http://10.0.0.3:1"] != nil {
		t.Errorf("want loopback taken of a node that is there itself, and the one forgotten that has left, got %v", f.nodes)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Unix(1000, 0)
	for text, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "100000": longestAfter, "-3": 0, "soon": 0, now.Add(9 * time.Second).UTC().Format(http.TimeFormat): 9 * time.Second,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q: want %s, got %s", text, want, got)
		}
	}
}
