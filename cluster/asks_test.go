package cluster

import (
	"context"
	"slices"
	"sync"
	"testing"

	"hotfolderd/leases/consul/consultest"
)

func TestAsks_areHeardByAllWhoListen(t *testing.T) {
	t.Parallel()
	server, namespace := consultest.Start(t), consultest.Namespace(t)
	conn := server.Dial(t)
	ask := func(what string) {
		t.Helper()
		if err := Ask(t.Context(), conn, namespace, what); err != nil {
			t.Fatal(err)
		}
	}
	ask("old") // nobody listens
	ctx, cancel := context.WithCancel(t.Context())
	var ears sync.WaitGroup
	defer ears.Wait()
	defer cancel()
	var all [2]ear
	for i := range all {
		ears.Go(func() { HearAsks(ctx, server.Dial(t), namespace, all[i].hear) })
	}
	for i := range all {
		// The first word that one hears tells that it listens.
		consultest.Eventually(t, "it listens", func() bool { ask("hello"); return all[i].has("hello") })
	}
	for range 3 { // the same again is heard again
		for i := range all {
			all[i].forget()
		}
		ask("scan/inbox")
		for i := range all {
			consultest.Eventually(t, "it is heard", func() bool { return all[i].has("scan/inbox") })
		}
	}
	for i := range all {
		if all[i].has("old") || all[i].has("") {
			t.Errorf("want only what was asked while it listened, got %q", all[i].heard)
		}
	}
}

// ear remembers what was heard.
type ear struct {
	mu    sync.Mutex
	heard []string
}

func (e *ear) hear(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, what)
}

func (e *ear) has(what string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.heard, what)
}

func (e *ear) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = nil
}
