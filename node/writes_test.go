package node

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/workarea"
)

// The node looked, the name was not there, and another write of it came first all the same.
func TestPutAsset_whoComesSecondToANameThatMustBeAbsentIsRefused(t *testing.T) {
	r := start(t, options(t, t.TempDir(), rule("inbox")))
	within(t, 20*time.Second, "active", func() bool { return r.State() == "active" })
	absent := &admin.Tags{Any: true}
	if _, n, err := r.putAsset(t.Context(), "x", strings.NewReader("first"), admin.PutOptions{IfNoneMatch: absent}); err != nil || n != 1 {
		t.Fatalf("want version 1, got %d, %v", n, err)
	}
	const once = "second-one"
	_, _, err := r.area.PutIf(t.Context(), "x", strings.NewReader("second"), workarea.PutOptions{Door: asset.DoorHTTP, Once: once, IfAbsent: true})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = r.putAsset(t.Context(), "x", strings.NewReader("second"), admin.PutOptions{IfNoneMatch: absent, Once: once})
	if !errors.Is(err, admin.ErrCondition) {
		t.Errorf("want the condition named, got %v", err)
	}
}

func TestMayWrite_saysOnceWhyNot(t *testing.T) {
	for state, want := range map[admin.State]string{
		admin.ReadOnly:   "this node is read-only now: Consul does not answer",
		admin.Recovering: "this node is read-only now: it is recovering: Consul does not answer",
	} {
		n := &Node{state: state, why: "Consul does not answer"}
		if err := n.mayWrite(); err == nil || err.Error() != want {
			t.Errorf("%s: want %q, got %v", state, want, err)
		}
	}
}
