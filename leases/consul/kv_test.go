package consul_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases/consul/consultest"
)

func TestCAS_writesOnlyWhatWasRead(t *testing.T) {
	t.Parallel()
	conn := consultest.Start(t).Dial(t)
	cas := func(value string, index uint64, want bool) uint64 {
		t.Helper()
		got, ok, err := conn.CAS(t.Context(), &api.KVPair{Key: "k", Value: []byte(value), ModifyIndex: index})
		if err != nil || ok != want || ok != (got != 0) {
			t.Fatalf("%s at %d: want %v, got %v, %d, %v", value, index, want, ok, got, err)
		}
		return got
	}
	first := cas("1", 0, true)
	cas("2", 0, false)
	second := cas("2", first, true)
	cas("3", first, false)
	pair, err := conn.Get(t.Context(), "k")
	if err != nil || pair.ModifyIndex != second || string(pair.Value) != "2" {
		t.Fatalf("want 2 at %d, got %+v, %v", second, pair, err)
	}
}

// A write whose answer was lost is found to be ours when it is repeated.
func TestCAS_knowsItsOwnWriteAgain(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link := consultest.NewLink(t, s)
	c := link.Config(t)
	c.Addresses, c.Timeout = append(c.Addresses, s.Addr), 300*time.Millisecond
	link.CutAnswers()
	conn := dial(t, c)
	index, ok, err := conn.CAS(t.Context(), &api.KVPair{Key: "k", Value: []byte("v")})
	if err != nil || !ok {
		t.Fatalf("want it done, got %v, %v", ok, err)
	}
	pair, err := conn.Get(t.Context(), "k")
	if err != nil || pair.ModifyIndex != index {
		t.Fatalf("want the index %d, got %+v, %v", index, pair, err)
	}
}

func TestAcquire_ofOneKey(t *testing.T) {
	t.Parallel()
	conn := consultest.Start(t).Dial(t)
	a, b := keep(t, conn, "a", long).Current().ID(), keep(t, conn, "b", long).Current().ID()
	var last uint64
	for i, c := range []struct {
		session string
		want    bool
	}{{a, true}, {b, false}, {a, true}} {
		index, ok, err := conn.Acquire(t.Context(), c.session, "k", fmt.Append(nil, i))
		if err != nil || ok != c.want || ok && index <= last {
			t.Fatalf("step %d: want %v, got %v, %d after %d, %v", i, c.want, ok, index, last, err)
		}
		last = index
	}
	if _, ok, err := conn.Acquire(t.Context(), b, "k", []byte("2")); err != nil || ok {
		t.Fatalf("the same value under another session: got %v, %v", ok, err)
	}
	if err := conn.DestroySession(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if pair, err := conn.Get(t.Context(), "k"); err != nil || pair != nil {
		t.Fatalf("after the session: %+v, %v", pair, err)
	}
}

func TestTxn_isAllOrNothing(t *testing.T) {
	t.Parallel()
	conn := consultest.Start(t).Dial(t)
	set := func(key string) *api.KVTxnOp { return &api.KVTxnOp{Verb: api.KVSet, Key: key, Value: []byte("v")} }
	missing := &api.KVTxnOp{Verb: api.KVCheckNotExists, Key: "a"}
	for i, c := range []struct {
		ops  api.KVTxnOps
		want bool
	}{{api.KVTxnOps{missing, set("a")}, true}, {api.KVTxnOps{set("b"), missing}, false}} {
		ok, results, err := conn.Txn(t.Context(), c.ops)
		if err != nil || ok != c.want || ok != (len(results) > 0) {
			t.Fatalf("step %d: want %v, got %v, %v, %v", i, c.want, ok, results, err)
		}
	}
	if pairs, err := conn.List(t.Context(), ""); err != nil || len(pairs) != 1 || pairs[0].Key != "a" {
		t.Fatalf("want a only, got %v, %v", pairs, err)
	}
	for range 2 {
		if err := conn.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
}
