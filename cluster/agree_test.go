package cluster

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"

	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
)

// epochs is the epoch on a shared store.
type epochs struct {
	mu  sync.Mutex
	now uint64
}

func (e *epochs) raise(_ context.Context, atLeast uint64) (uint64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = max(e.now, atLeast)
	return e.now, nil
}

func TestEpoch(t *testing.T) {
	t.Parallel()
	conn := consultest.Start(t).Dial(t)
	for _, row := range []struct {
		name, kv string // "": missing
		stored   uint64
		want     uint64
	}{
		{"the first start of all", "", 0, 1},
		{"Consul was rebuilt", "", 7, 8},
		{"Consul was restored from an old copy", "3", 7, 8},
		{"as it was", "7", 7, 7},
		{"a crash before the store was raised", "8", 7, 8},
		{"another store", "8", 0, 8},
		{"zero is none", "0", 0, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			namespace, store := consultest.Namespace(t), &epochs{now: row.stored}
			key := consul.Root(namespace) + "epoch"
			if row.kv != "" {
				if err := conn.Put(t.Context(), key, []byte(row.kv)); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 { // the second start finds all as it is
				got, err := Epoch(t.Context(), conn, namespace, store.raise)
				if err != nil || got != row.want || store.now != row.want {
					t.Fatalf("want %d, got %d (store %d), %v", row.want, got, store.now, err)
				}
			}
			if pair, err := conn.Get(t.Context(), key); err != nil || string(pair.Value) != strconv.FormatUint(row.want, 10) {
				t.Fatalf("want %d in Consul, got %+v, %v", row.want, pair, err)
			}
		})
	}
}

func TestEpoch_allThatStartTogetherAgree(t *testing.T) {
	t.Parallel()
	conn := consultest.Start(t).Dial(t)
	for round := range uint64(10) {
		store := &epochs{now: round}
		namespace := consultest.Namespace(t) + strconv.FormatUint(round, 10)
		var got [16]uint64
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				var err error
				if got[i], err = Epoch(t.Context(), conn, namespace, store.raise); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, e := range got {
			if e != round+1 {
				t.Fatalf("want %d of all, got %v", round+1, got)
			}
		}
	}
}

func TestEpoch_faults(t *testing.T) {
	t.Parallel()
	conn := consultest.Start(t).Dial(t)
	if err := conn.Put(t.Context(), consul.Root("damaged")+"epoch", []byte("seven")); err != nil {
		t.Fatal(err)
	}
	if _, err := Epoch(t.Context(), conn, "damaged", new(epochs).raise); err == nil || !strings.Contains(err.Error(), "hotfolderd/damaged/epoch") {
		t.Errorf("want an error that names the key, got %v", err)
	}
	broken := errors.New("the store is away")
	if _, err := Epoch(t.Context(), conn, "n", func(context.Context, uint64) (uint64, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("want the store's error, got %v", err)
	}
}

// TestRun_consulIsRebuilt: a server that keeps nothing is started again under a running cluster.
func TestRun_consulIsRebuilt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shortTTL)
	store := &epochs{now: 4}
	with := func(o *Options) { o.Isolation, o.Epoch = Static, store.raise }
	conn := w.server.Dial(t)
	if e, err := Epoch(t.Context(), conn, w.namespace, store.raise); err != nil || e != 5 {
		t.Fatal(e, err)
	}
	a, b := w.start("a", with), w.start("b", with)
	w.sees("a b", a, b)
	w.server.Kill()
	for _, n := range []*node{a, b} {
		w.until(n, "contact is lost", func(v View) bool { return !v.Contact })
	}
	w.server.Restart(t)
	w.sees("a b", a, b)
	for _, n := range []*node{a, b} {
		w.until(n, "it is read-write", func(v View) bool { ok, _ := v.Writable(); return ok && v.Main == "a" })
	}
	if _, e, err := readEpoch(t.Context(), conn, a.root+"epoch"); err != nil || e != 6 || store.now != 6 {
		t.Errorf("want one new epoch, 6, got %d in Consul and %d on the store, %v", e, store.now, err)
	}
}
