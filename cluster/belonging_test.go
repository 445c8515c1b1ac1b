package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
	"hotfolderd/storage"
)

// house is a store that remembers its clusters, and its epoch.
type house struct {
	epochs
	mu    sync.Mutex
	homes []storage.Home
}

func (h *house) Home(context.Context) (storage.Home, uint64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.homes) == 0 {
		return storage.Home{}, 0, nil
	}
	return h.homes[len(h.homes)-1], uint64(len(h.homes)), nil
}

func (h *house) SetHome(_ context.Context, home storage.Home, after uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if after != uint64(len(h.homes)) {
		return fs.ErrExist
	}
	h.homes = append(h.homes, home)
	return nil
}

func settle(t testing.TB, b Belonging) string {
	t.Helper()
	id, err := b.Settle(t.Context())
	if err != nil || id == "" {
		t.Fatalf("settle: %q, %v", id, err)
	}
	return id
}

func TestSettle_allThatStartTogetherAreOneCluster(t *testing.T) {
	t.Parallel()
	conn, store := consultest.Start(t).Dial(t), new(house)
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			var err error
			if ids[i], err = (Belonging{Conn: conn, Namespace: "n", Store: "s", Home: store}).Settle(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] || id == "" {
			t.Fatalf("want one id, got %q", ids)
		}
	}
	if len(store.homes) != 1 || store.homes[0].Cluster != ids[0] || store.homes[0].Namespace != "n" {
		t.Errorf("the store says %+v", store.homes)
	}
}

// A store serves one namespace on one Consul, and a namespace one store.
func TestSettle_refusesASecondCluster(t *testing.T) {
	t.Parallel()
	conn, store := consultest.Start(t).Dial(t), new(house)
	first := Belonging{Conn: conn, Namespace: "n", Store: "s", Home: store}
	id := settle(t, first)
	for name, c := range map[string]struct {
		change func(*Belonging)
		want   error
		says   string
	}{
		"another namespace": {func(b *Belonging) { b.Namespace = "m" }, ErrHome, "knows no cluster"},
		"another Consul":    {func(b *Belonging) { b.Conn = consultest.Start(t).Dial(t) }, ErrHome, "its data were lost"},
		"another store":     {func(b *Belonging) { b.Store, b.Home = "s2", new(house) }, ErrStore, "s2"},
		"a namespace with its own": {func(b *Belonging) {
			b.Namespace = "full"
			settle(t, Belonging{Conn: conn, Namespace: "full", Store: "s", Home: new(house)})
		}, ErrHome, "has cluster"},
		"a member of another till now": {func(b *Belonging) { b.Cluster = "before" }, ErrHome, "adopt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := first
			c.change(&b)
			_, err := b.Settle(t.Context())
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("want %v with %q, got %v", c.want, c.says, err)
			}
			if errors.Is(err, ErrHome) && !strings.Contains(err.Error(), id) {
				t.Errorf("it does not name what the store says: %v", err)
			}
			if err := b.Check(t.Context()); !errors.Is(err, c.want) && b.Cluster == "" {
				t.Errorf("check: want %v, got %v", c.want, err)
			}
			if len(store.homes) != 1 {
				t.Errorf("the store says %+v", store.homes)
			}
		})
	}
}

// What Consul lost under a running cluster its members write again; a node that starts meanwhile waits for them.
func TestSettle_membersPutBackWhatConsulLost(t *testing.T) {
	t.Parallel()
	conn, store := consultest.Start(t).Dial(t), new(house)
	b := Belonging{Conn: conn, Namespace: "n", Store: "s", Home: store}
	id := settle(t, b)
	if err := conn.Delete(t.Context(), b.key()); err != nil {
		t.Fatal(err)
	}
	starts := make(chan error, 1)
	go func() {
		got, err := b.Settle(t.Context())
		if err == nil && got != id {
			err = fmt.Errorf("want %s, got %s", id, got)
		}
		starts <- err
	}()
	member := b
	member.Cluster = id
	if got := settle(t, member); got != id {
		t.Errorf("want %s, got %s", id, got)
	}
	if err := <-starts; err != nil {
		t.Error(err)
	}
}

// Moved there and back, a store never sees a token that is not above all before.
func TestTake_movesAStoreWithoutATokenGoingBack(t *testing.T) {
	t.Parallel()
	a, b, store := consultest.Start(t).Dial(t), consultest.Start(t).Dial(t), new(house)
	in := func(conn *consul.Conn) Belonging {
		return Belonging{Conn: conn, Namespace: "n", Store: "s", Home: store}
	}
	var epochs []uint64
	start := func(conn *consul.Conn) string {
		t.Helper()
		id := settle(t, in(conn))
		epoch, err := Epoch(t.Context(), conn, "n", store.raise)
		if err != nil {
			t.Fatal(err)
		}
		if len(epochs) > 0 && epoch <= epochs[len(epochs)-1] {
			t.Errorf("epoch %d after %v", epoch, epochs)
		}
		epochs = append(epochs, epoch)
		return id
	}
	ids := []string{start(a)}
	for _, conn := range []*consul.Conn{b, a, b} {
		taken, err := in(conn).Take(t.Context(), store.raise)
		if err != nil || !taken {
			t.Fatalf("take: %v, %v", taken, err)
		}
		if taken, err := in(conn).Take(t.Context(), store.raise); err != nil || taken {
			t.Fatalf("take again: %v, %v", taken, err)
		}
		before := in(conn)
		before.Cluster = ids[len(ids)-1]
		if _, err := before.Settle(t.Context()); !errors.Is(err, ErrHome) {
			t.Errorf("a member of the cluster before: want ErrHome, got %v", err)
		}
		ids = append(ids, start(conn))
	}
	if ids[0] != ids[2] || ids[1] != ids[3] || ids[0] == ids[1] {
		t.Errorf("each Consul has a cluster of its own: %q", ids)
	}
}
