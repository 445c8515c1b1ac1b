package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

func TestCommit_manyNodesOneRecord(t *testing.T) {
	s := folder(t)
	reg := prometheus.NewRegistry()
	a, err := Open(t.Context(), s, Options{Node: "node-a", Metrics: reg})
	if err != nil {
		t.Fatal(err)
	}
	const nodes = 32
	var wg sync.WaitGroup
	var mu sync.Mutex
	winners := 0
	var standing []asset.Record
	for i := range nodes {
		wg.Go(func() {
			c, staged, err := a.Stage(t.Context(), strings.NewReader("the same bytes"))
			if err != nil {
				t.Error(err)
				return
			}
			defer staged.Discard()
			rec := job{key: "a.jpg", version: "v"}.record()
			rec.Content, rec.Node, rec.Token = c, fmt.Sprintf("node-%d", i), fmt.Sprintf("1.%d", i)
			got, found, err := a.Commit(t.Context(), rec, staged)
			if err == nil {
				_, err = a.Apply(t.Context(), got)
			}
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			standing = append(standing, got)
			if !found {
				winners++
			}
		})
	}
	wg.Wait()
	if winners != 1 {
		t.Errorf("want one winner, got %d", winners)
	}
	for _, r := range standing {
		if r.Node != standing[0].Node || !r.Committed.Equal(standing[0].Committed) {
			t.Errorf("want the same standing record for all, got %+v and %+v", standing[0], r)
		}
	}
	if got := tree(t, s, "workarea/ledger"); len(got) != 1 {
		t.Errorf("want one ledger record, got %q", got)
	}
	if want, got := "1:the same bytes", versions(t, a, "a.jpg"); want != got {
		t.Errorf("want %q, got %q", want, got)
	}
	want := `
# HELP hotfolder_commits_total Commits by result: new, found (the drop was committed before), again (its id came back with other bytes).
# TYPE hotfolder_commits_total counter
hotfolder_commits_total{result="found"} 31
hotfolder_commits_total{result="new"} 1
# HELP hotfolder_assets_bytes_total Bytes of assets that were not in the work area before.
# TYPE hotfolder_assets_bytes_total counter
hotfolder_assets_bytes_total 14
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "hotfolder_commits_total", "hotfolder_assets_bytes_total"); err != nil {
		t.Error(err)
	}
}

func TestCommit_sameIDOtherBytesIsAnotherDrop(t *testing.T) {
	a := open(t, folder(t))
	first, _ := mustWalk(t, a, job{key: "a", version: "v", body: "old"})
	second, out := mustWalk(t, a, job{key: "a", version: "v", body: "new"})
	if second.Drop != first.Drop.Again(second.Content.Hash) {
		t.Errorf("want the id made from the bytes too, got %s", second.Drop)
	}
	if out.Number != 2 {
		t.Errorf("want version 2, got %+v", out)
	}
	third, found, err := commit(t.Context(), a, job{key: "a", version: "v", body: "new"})
	if err != nil || !found || third.Drop != second.Drop {
		t.Errorf("want the second record found again, got %s %v %v", third.Drop, found, err)
	}
	if want, got := "1:old 2:new", versions(t, a, "a"); want != got {
		t.Errorf("want %q, got %q", want, got)
	}
}

func TestCommit_lateHolderIsFenced(t *testing.T) {
	s := folder(t)
	lost := errors.New("lease lost")
	f := storagetest.NewFault(s)
	a := open(t, f)
	for _, op := range []string{"", storagetest.OpFlush, storagetest.OpPublish} {
		ctx, cancel := context.WithCancelCause(t.Context())
		c, staged, err := a.Stage(ctx, strings.NewReader("late"))
		if err != nil {
			t.Fatal(err)
		}
		lift := func() {}
		if op == "" {
			cancel(lost)
		} else {
			// The node is paused right before the operation and comes back when the lease is gone.
			lift = f.Inject(storagetest.Rule{Op: op, Hang: true, Times: 1})
			go cancel(lost)
		}
		rec := job{key: "late"}.record()
		rec.Content = c
		_, _, err = a.Commit(ctx, rec, staged)
		if !errors.Is(err, lost) {
			t.Errorf("%q: want the cause of the lost lease, got %v", op, err)
		}
		lift()
		if err := staged.Discard(); err != nil {
			t.Error(err)
		}
		if got := tree(t, s, "workarea/ledger"); len(got) != 0 {
			t.Errorf("%q: want no ledger record, got %q", op, got)
		}
	}
}

func TestCommit_leaseEndsBetweenBytesAndRecord(t *testing.T) {
	s := folder(t)
	lost := errors.New("lease lost")
	ctx, cancel := context.WithCancelCause(t.Context())
	a := open(t, &publishHook{Store: s, after: func(k asset.Key) {
		if _, ok := k.Below("workarea/assets"); ok {
			cancel(lost)
		}
	}})
	if _, _, err := commit(ctx, a, job{key: "x", body: "x"}); !errors.Is(err, lost) {
		t.Errorf("want the cause of the lost lease, got %v", err)
	}
	if got := tree(t, s, "workarea/ledger"); len(got) != 0 {
		t.Errorf("want no ledger record, got %q", got)
	}
}

// publishHook calls after each successful publish. It does not look at the context: the check must not be left to the store.
type publishHook struct {
	storage.Store
	after func(asset.Key)
}

func (h *publishHook) Stage(ctx context.Context) (storage.Staged, error) {
	s, err := h.Store.Stage(ctx)
	return &hookedStaged{s, h}, err
}

type hookedStaged struct {
	storage.Staged
	h *publishHook
}

func (s *hookedStaged) Publish(ctx context.Context, k asset.Key, o storage.PutOptions) (storage.Object, error) {
	obj, err := s.Staged.Publish(context.WithoutCancel(ctx), k, o)
	if err == nil {
		s.h.after(k)
	}
	return obj, err
}

func TestCommit_lostAnswerIsRecognizedAsOurs(t *testing.T) {
	for _, where := range []asset.Key{"workarea/ledger", "workarea/assets"} {
		f := storagetest.NewFault(folder(t))
		a := open(t, f)
		f.Inject(storagetest.Rule{
			Op: storagetest.OpPublish, Match: storagetest.Below(where), When: storagetest.After, Times: 1, Err: errors.New("reply lost"),
		})
		_, found, err := commit(t.Context(), a, job{key: "x", body: "x"})
		if err != nil || found {
			t.Errorf("%s: want a new commit, got found=%v %v", where, found, err)
		}
		if f.Fired() != 1 {
			t.Errorf("%s: the fault did not strike", where)
		}
	}
}

func TestCommit_brokenRecordIsAnErrorNotAZeroRecord(t *testing.T) {
	whole, err := encodeLine(job{key: "other"}.record())
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"empty": "", "torn": string(whole[:len(whole)/2]), "no end": strings.TrimSpace(string(whole)), "foreign": "{}\n",
		"huge": strings.Repeat(" ", maxSmall+1),
	} {
		s := folder(t)
		a := open(t, s)
		j := job{key: "x", body: "x"}
		put(t, s, a.ledgerKey(j.record().Drop), text)
		if rec, _, err := commit(t.Context(), a, j); !errors.Is(err, errTorn) || rec.Drop != "" {
			t.Errorf("%s: want a torn record to be named, got %v", what, err)
		}
	}
}

func TestCommit_recordOfAnotherDropIsRefused(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	other, _ := mustWalk(t, a, job{key: "other", body: "o"})
	id := job{key: "x"}.record().Drop
	put(t, s, a.ledgerKey(id), storagetest.Content(t, s, a.ledgerKey(other.Drop)))
	if _, err := a.Record(t.Context(), id); !errors.Is(err, errTorn) {
		t.Errorf("want the wrong record to be refused, got %v", err)
	}
}

func TestCommit_damagedAssetIsNotTakenForTheBytes(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	j := job{key: "x", body: "whole"}
	h, err := asset.ParseHash(hashOf(j.body))
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, a.AssetKey(h), "cut")
	if _, _, err := commit(t.Context(), a, j); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("want the damaged asset to be named, got %v", err)
	}
	if _, err := a.Record(t.Context(), j.record().Drop); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want no record, got %v", err)
	}
}

func TestCommit_sizeMustBeThatOfTheBytes(t *testing.T) {
	a := open(t, folder(t))
	c, staged, err := a.Stage(t.Context(), strings.NewReader("four"))
	if err != nil {
		t.Fatal(err)
	}
	defer staged.Discard()
	rec := job{key: "x"}.record()
	rec.Content = c
	rec.Content.Size = 3
	if _, _, err := a.Commit(t.Context(), rec, staged); err == nil {
		t.Error("want a record of other bytes to be refused")
	}
}

func FuzzRecord(f *testing.F) {
	rec := job{key: "a\xff.jpg", version: "v", body: "x"}.record()
	rec.Content = asset.Content{Hash: asset.Hash{1}, Size: 1, Type: "t", Meta: map[string]string{"Make": "x"}}
	line, err := encodeLine(rec)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decodeEntry(data)
		if err != nil {
			return
		}
		if err := checkRecord(&e.Record); err != nil {
			t.Fatalf("a record was accepted that cannot be applied: %v", err)
		}
		line, err := encodeLine(e)
		if err != nil {
			return // its time may be one that JSON cannot hold
		}
		back, err := decodeEntry(line)
		if err != nil || back.Drop != e.Drop || back.Name != e.Name || back.Content.Hash != e.Content.Hash {
			t.Fatalf("want the same record back, got %+v %v", back, err)
		}
	})
}
