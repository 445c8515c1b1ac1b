// Package leasestest holds every implementation of [leases.Leaser] to the text of package leases.
//
// It promises to use only names that begin with "leasestest" and to leave no lease behind. It is for tests.
package leasestest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"hotfolderd/leases"
)

// patience bounds every wait of the suite; soon is how long a call may take that must not wait.
const (
	patience = 30 * time.Second
	soon     = 5 * time.Second
)

// Run is the suite. open gives two leasers of one world, as two nodes have them; where the world has a single leaser, both
// are the same. Called again with the same t, after both were closed, it opens that world anew. The suite closes what open
// gave.
func Run(t *testing.T, open func(t *testing.T) (a, b leases.Leaser)) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := &world{open: open}
			w.reopen(t)
			t.Cleanup(func() { w.close(t) })
			c.run(t, w)
		})
	}
}

var cases = []struct {
	name string
	run  func(t *testing.T, w *world)
}{
	{"Acquire_grantsInOrder", grantsInOrder},
	{"Acquire_neverWaits", neverWaits},
	{"Acquire_ofNothing", ofNothing},
	{"Acquire_ofManyNames", ofManyNames},
	{"Acquire_oddNames", oddNames},
	{"Acquire_canceledGrantsNothing", canceledAcquire},
	{"Release_givesTheNameBack", releaseGivesBack},
	{"Release_isIdempotent", releaseIdempotent},
	{"Release_endsTheContextFirst", contextEndsFirst},
	{"Token_growsOverReleases", tokenGrows},
	{"Token_growsOverRestarts", tokenGrowsOverRestarts},
	{"Close_givesEverythingBack", closeGivesBack},
	{"Close_isIdempotent", closeIdempotent},
	{"Leases_haveOneHolder", oneHolder},
}

// world is the two leasers of one test.
type world struct {
	open func(t *testing.T) (a, b leases.Leaser)
	a, b leases.Leaser
}

func (w *world) reopen(t *testing.T) { w.a, w.b = w.open(t) }

func (w *world) close(t *testing.T) {
	t.Helper()
	if err := errors.Join(w.a.Close(), w.b.Close()); err != nil {
		t.Errorf("close: %v", err)
	}
}

// name is one that no other test of this run uses.
func name(t *testing.T, suffix string) string { return "leasestest/" + t.Name() + "/" + suffix }

// acquire asks for one name once.
func acquire(t *testing.T, l leases.Leaser, name string) (leases.Lease, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	grants, err := l.Acquire(ctx, name)
	if err != nil {
		t.Fatalf("acquire %q: %v", name, err)
	}
	if len(grants) != 1 || grants[0].Name != name {
		t.Fatalf("acquire %q: want one grant for it, got %+v", name, grants)
	}
	if (grants[0].Lease == nil) == (grants[0].Err == nil) {
		t.Fatalf("acquire %q: want a lease or an error, got %+v", name, grants[0])
	}
	return grants[0].Lease, grants[0].Err
}

// eventually asks until the name is free: a world may need a moment after a release.
func eventually(t *testing.T, l leases.Leaser, name string) leases.Lease {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		lease, err := acquire(t, l, name)
		switch {
		case err == nil:
			return lease
		case !errors.Is(err, leases.ErrHeld):
			t.Fatalf("acquire %q: %v", name, err)
		case time.Now().After(deadline):
			t.Fatalf("%q is not free after %v: %v", name, patience, err)
		}
		pause(t.Context(), 5*time.Millisecond)
	}
}

// pause keeps a poll from becoming a storm.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func release(t *testing.T, l leases.Lease) {
	t.Helper()
	if err := l.Release(t.Context()); err != nil {
		t.Fatalf("release %q: %v", l.Name(), err)
	}
}

func wantAlive(t *testing.T, l leases.Lease) {
	t.Helper()
	if l.Context().Err() != nil {
		t.Fatalf("%q ended: %v", l.Name(), context.Cause(l.Context()))
	}
}

func wantEnded(t *testing.T, l leases.Lease, cause error) {
	t.Helper()
	select {
	case <-l.Context().Done():
	default:
		t.Fatalf("the context of %q has not ended", l.Name())
	}
	if got := context.Cause(l.Context()); !errors.Is(got, cause) {
		t.Fatalf("%q: want cause %q, got %v", l.Name(), cause, got)
	}
}

func names(t *testing.T, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = name(t, fmt.Sprint(i))
	}
	return list
}
