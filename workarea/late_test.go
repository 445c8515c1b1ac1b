package workarea

import (
	"testing"
	"time"
)

// A node commits an import and is stopped; the file is replaced and imported by another; the first goes on.
func TestApply_anOlderDropNeverCoversANewerOne(t *testing.T) {
	a := open(t, folder(t))
	older, _, err := commit(t.Context(), a, job{key: "a.txt", version: "1", body: "older"})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond) // the store's clock goes on
	if _, out := mustWalk(t, a, job{key: "a.txt", version: "2", body: "newer"}); out.Number != 1 {
		t.Fatalf("want version 1, got %+v", out)
	}
	for range 2 {
		if out, err := a.Apply(t.Context(), older); err != nil || !out.Superseded || out.Number != 0 {
			t.Fatalf("want it superseded, got %+v, %v", out, err)
		}
	}
	if got := versions(t, a, "a.txt"); got != "1:newer" {
		t.Fatalf("want the newer drop only, got %s", got)
	}
	// Another file that has the same name by its rule is no older version of it.
	early, _, err := commit(t.Context(), a, job{key: "b.txt", version: "1", name: "c.txt", body: "b"})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	mustWalk(t, a, job{key: "c.txt", version: "1", body: "c"})
	if out, err := a.Apply(t.Context(), early); err != nil || out.Number != 2 {
		t.Fatalf("want version 2, got %+v, %v", out, err)
	}
}
