package jobs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/workarea/jobs"
)

var hour = jobs.Limits{TTL: time.Hour, MaxTTL: 2 * time.Hour, Quota: 1 << 20, MaxQuota: 2 << 20}

func TestCreate_asTheLimitsSay(t *testing.T) {
	onStores(t, hour, func(t *testing.T, h *house) {
		j := h.create(jobs.Wanted{Owner: "me", Labels: map[string]string{"a": "b"}})
		if j.TTL != time.Hour || j.Quota != 1<<20 || j.Expires.Sub(j.Renewed) != time.Hour {
			t.Errorf("want what the limits say, got %+v", j)
		}
		got, err := h.nodes[1].Get(t.Context(), j.ID)
		if err != nil || got.Owner != "me" || got.Labels["a"] != "b" {
			t.Errorf("want another node to know it, got %+v, %v", got, err)
		}
		for _, w := range []jobs.Wanted{
			{TTL: 3 * time.Hour},
			{TTL: time.Millisecond},
			{Quota: 3 << 20},
			{Quota: -1},
			{Owner: strings.Repeat("x", 300)},
			{Labels: map[string]string{"": "x"}},
		} {
			if _, err := h.nodes[0].Create(t.Context(), w); !errors.Is(err, jobs.ErrAsked) {
				t.Errorf("%+v: want it refused, got %v", w, err)
			}
		}
		for _, id := range []string{"", "../jobs", "nosuchjob", strings.ToUpper(j.ID)} {
			if _, err := h.nodes[0].Get(t.Context(), id); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%q: want no job, got %v", id, err)
			}
		}
	})
}

func TestCreate_neverPromisesMoreThanTheTotal(t *testing.T) {
	l := hour
	l.Total = 10 << 20
	onStores(t, l, func(t *testing.T, h *house) {
		var all sync.WaitGroup
		for i := range 24 {
			all.Go(func() {
				if _, err := h.nodes[i%3].Create(t.Context(), jobs.Wanted{}); err != nil && !errors.Is(err, storage.ErrFull) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		var sum int64
		for j, err := range h.nodes[0].All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			sum += j.Quota
		}
		if sum > l.Total {
			t.Errorf("want at most %d promised, got %d", l.Total, sum)
		}
	})
}

// TestQuota_holdsUnderWritersOnThreeNodes lets them write until nothing fits any more.
func TestQuota_holdsUnderWritersOnThreeNodes(t *testing.T) {
	onStores(t, hour, func(t *testing.T, h *house) {
		const size, quota = 20_000, 500_000
		j := h.create(jobs.Wanted{Quota: quota})
		var all sync.WaitGroup
		var mu sync.Mutex
		wrote, refused := 0, 0
		for w := range 9 {
			all.Go(func() {
				for i := range 5 {
					err := h.put(w%3, j.ID, asset.Key(fmt.Sprintf("w%d/f%d", w, i)), strings.Repeat("x", size))
					mu.Lock()
					switch {
					case err == nil:
						wrote++
					case errors.Is(err, jobs.ErrQuota):
						refused++
					default:
						t.Error(err)
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		got := h.bytes(j.ID)
		if got > quota || got != int64(wrote*size) || refused == 0 {
			t.Errorf("want at most %d bytes and what was acknowledged, got %d of %d writes, %d refused", quota, got, wrote, refused)
		}
		// What is left can be had, what was replaced or removed comes back, and nothing more.
		fits := 0
		for i := range 30 {
			if err := h.put(i%3, j.ID, asset.Key(fmt.Sprintf("more/%d", i)), strings.Repeat("x", size)); err == nil {
				fits++
			} else if !errors.Is(err, jobs.ErrQuota) {
				t.Fatal(err)
			}
			if (wrote+fits)*size == quota {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if (wrote+fits)*size != quota {
			t.Errorf("want the quota used to its end, got %d of %d", (wrote+fits)*size, quota)
		}
		tree, budget, done, err := h.nodes[2].Files(t.Context(), j.ID)
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		folders, err := tree.List(t.Context(), asset.Root, filesQuery)
		if err != nil || len(folders.Files) == 0 {
			t.Fatalf("want folders, got %v", err)
		}
		page, err := tree.List(t.Context(), folders.Files[0].Path, filesQuery)
		if err != nil || len(page.Files) == 0 {
			t.Fatalf("want files to remove, got %v", err)
		}
		if err := tree.Remove(t.Context(), page.Files[0].Path, always, budget); err != nil {
			t.Fatal(err)
		}
		within(t, "what was removed can be used", func() bool { return h.put(0, j.ID, "again", strings.Repeat("y", size)) == nil })
		if err := h.put(1, j.ID, "one more", "z"); !errors.Is(err, jobs.ErrQuota) {
			t.Errorf("want it full, got %v", err)
		}
		if got := h.bytes(j.ID); got != quota {
			t.Errorf("want %d bytes, got %d", quota, got)
		}
	})
}

func TestQuota_countsWhatWasWrittenByHandAndFreesWhatTheDeadHeld(t *testing.T) {
	onStores(t, hour, func(t *testing.T, h *house) {
		j := h.create(jobs.Wanted{Quota: 1000})
		byHand := func(path asset.Key, n int) {
			key := asset.Key("workarea/jobs").Join(asset.Key(j.ID)).Join(path)
			if _, err := h.stores[2].Put(t.Context(), key, strings.NewReader(strings.Repeat("h", n)), storage.PutOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		byHand("theirs", 600)
		if err := h.put(0, j.ID, "ours", strings.Repeat("x", 500)); !errors.Is(err, jobs.ErrQuota) {
			t.Errorf("want what is there counted, got %v", err)
		}
		if err := h.put(0, j.ID, "ours", strings.Repeat("x", 400)); err != nil {
			t.Error(err)
		}
		if err := h.stores[2].Remove(t.Context(), asset.Key("workarea/jobs/"+j.ID+"/theirs"), ""); err != nil {
			t.Fatal(err)
		}
		within(t, "what was removed by hand is free", func() bool { return h.put(1, j.ID, "more", strings.Repeat("x", 600)) == nil })

		// A node that took bytes and died before it wrote gives them back.
		dead := jobs.New(jobs.Options{Store: h.stores[1], Node: "dead", Instance: "dead-1", Limits: hour})
		t.Cleanup(dead.Close)
		k := h.create(jobs.Wanted{Quota: 1000})
		_, budget, _, err := dead.Files(t.Context(), k.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := budget.Hold(t.Context(), 1000); err != nil {
			t.Fatal(err)
		}
		if err := h.put(0, k.ID, "all of it", strings.Repeat("x", 1000)); err != nil {
			t.Errorf("want the dead one's bytes free, got %v", err)
		}
	})
}

func TestSweep_endsWhatIsNotUsedAndNothingElse(t *testing.T) {
	const ttl = 3 * time.Second
	onStores(t, hour, func(t *testing.T, h *house) {
		dead, read, renewed, touched, ended := h.create(jobs.Wanted{TTL: ttl}), h.create(jobs.Wanted{TTL: ttl}), h.create(jobs.Wanted{TTL: ttl}),
			h.create(jobs.Wanted{TTL: ttl}), h.create(jobs.Wanted{})
		for i, j := range []jobs.Job{dead, read, renewed, touched, ended} {
			if err := h.put(i%3, j.ID, "a/b/c", "bytes"); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.nodes[2].End(t.Context(), ended.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.put(0, ended.ID, "late", "x"); !errors.Is(err, asset.ErrJobEnded) {
			t.Errorf("want a job that has ended refused, got %v", err)
		}
		within(t, "the dead one is gone, and the ended", func() bool {
			_, _, done, err := h.nodes[1].Files(t.Context(), read.ID)
			if err != nil {
				t.Fatalf("a job that is read was ended: %v", err)
			}
			done()
			if _, err := h.nodes[2].Renew(t.Context(), renewed.ID); err != nil {
				t.Fatalf("a job that is renewed was ended: %v", err)
			}
			key := asset.Key("workarea/jobs/" + touched.ID + "/by/hand")
			if _, err := h.stores[2].Put(t.Context(), key, strings.NewReader("hand"), storage.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			h.sweep(0)
			return h.gone(dead.ID) && h.gone(ended.ID)
		})
		for _, j := range []jobs.Job{read, renewed, touched} {
			if got, err := h.nodes[0].Get(t.Context(), j.ID); err != nil || h.bytes(j.ID) == 0 {
				t.Errorf("a job that is used is gone: %+v, %v", got, err)
			}
		}
		within(t, "those that are used no more are gone too", func() bool {
			h.sweep(1)
			return h.gone(read.ID) && h.gone(renewed.ID) && h.gone(touched.ID)
		})
	})
}

// TestSweep_goesOnWhereAnotherOneDied breaks a sweep off before each operation on the store, and lets another node go on.
func TestSweep_goesOnWhereAnotherOneDied(t *testing.T) {
	onStores(t, hour, func(t *testing.T, h *house) {
		for op := 0; ; op++ {
			j := h.create(jobs.Wanted{TTL: time.Second})
			alive := h.create(jobs.Wanted{})
			for i := range 3 {
				if err := errors.Join(h.put(i, j.ID, asset.Key(fmt.Sprintf("d%d/f", i)), "bytes"), h.put(i, alive.ID, asset.Key(fmt.Sprintf("d%d/f", i)), "bytes")); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(3 * time.Second)
			breaking := &breakingStore{Store: h.stores[1], left: op}
			_, err := h.node(1, breaking).Sweep(t.Context())
			if err == nil && breaking.left >= 0 {
				return // it came to its end
			}
			within(t, fmt.Sprintf("the next one finishes after operation %d", op), func() bool {
				h.sweep(2)
				return h.gone(j.ID)
			})
			if h.bytes(alive.ID) != 15 {
				t.Fatalf("operation %d: a job that lives lost files", op)
			}
			if err := h.nodes[0].End(t.Context(), alive.ID); err != nil {
				t.Fatal(err)
			}
			h.sweep(0)
			if op > 40 {
				t.Fatal("a sweep never comes to its end")
			}
			op++ // every other one: a server takes its time
		}
	})
}

func TestSweep_aRenewalBetweenTheLookAndTheEndWins(t *testing.T) {
	onStores(t, hour, func(t *testing.T, h *house) {
		j := h.create(jobs.Wanted{TTL: time.Second})
		time.Sleep(3 * time.Second)
		between := &hookedStore{Store: h.stores[1], before: func(op string) {
			if op == "list jobs/"+j.ID { // the look at its folder, after the note was read
				if _, err := h.nodes[2].Renew(t.Context(), j.ID); err != nil {
					t.Error(err)
				}
			}
		}}
		if n, err := h.node(1, between).Sweep(t.Context()); n != 0 || err != nil || between.hits == 0 {
			t.Errorf("want nothing ended, got %d, %v", n, err)
		}
		if _, err := h.nodes[0].Get(t.Context(), j.ID); err != nil {
			t.Errorf("want it alive, got %v", err)
		}
	})
}

func TestSweep_aFileThatComesByHandAfterTheLookBringsTheJobBack(t *testing.T) {
	onStores(t, hour, func(t *testing.T, h *house) {
		j := h.create(jobs.Wanted{TTL: time.Second})
		if err := h.put(0, j.ID, "old", "old"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second)
		late := &hookedStore{Store: h.stores[1], before: func(op string) {
			if op == "put job-notes/"+j.ID+".json" {
				key := asset.Key("workarea/jobs/" + j.ID + "/by hand")
				if _, err := h.stores[2].Put(t.Context(), key, strings.NewReader("just now"), storage.PutOptions{}); err != nil {
					t.Error(err)
				}
			}
		}}
		if _, err := h.node(1, late).Sweep(t.Context()); err != nil || late.hits == 0 {
			t.Fatalf("want a sweep that was disturbed, got %v", err)
		}
		if _, err := h.nodes[0].Get(t.Context(), j.ID); err != nil || h.bytes(j.ID) != int64(len("oldjust now")) {
			t.Errorf("want the job back with both files, got %v, %d bytes", err, h.bytes(j.ID))
		}
	})
}

func TestSweep_takesAwayLinksAndUnreadableFoldersWithoutFollowing(t *testing.T) {
	outside := t.TempDir()
	kept := filepath.Join(outside, "kept")
	if err := os.WriteFile(kept, []byte("kept"), 0o666); err != nil {
		t.Fatal(err)
	}
	onFolder(t, hour, func(t *testing.T, h *house) {
		j := h.create(jobs.Wanted{TTL: time.Second})
		dir := h.folder(j.ID)
		err := errors.Join(
			os.Symlink(outside, filepath.Join(dir, "link")), os.Symlink("nowhere", filepath.Join(dir, "broken")),
			os.MkdirAll(filepath.Join(dir, "closed", "deep"), 0o777), os.WriteFile(filepath.Join(dir, "closed", "deep", "f"), nil, 0o444),
			os.Link(kept, filepath.Join(dir, "second name")), os.Chmod(filepath.Join(dir, "closed"), 0o000),
		)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "it is gone", func() bool { h.sweep(0); return h.gone(j.ID) })
		if b, err := os.ReadFile(kept); err != nil || string(b) != "kept" {
			t.Errorf("want what a link led to untouched, got %q, %v", b, err)
		}
	})
}

func TestSweep_adoptsFoldersWithoutANote(t *testing.T) {
	l := hour
	l.TTL = time.Second
	onFolder(t, l, func(t *testing.T, h *house) {
		j := h.create(jobs.Wanted{})
		if err := errors.Join(
			os.WriteFile(filepath.Join(h.folder(j.ID), "f"), []byte("x"), 0o666), os.Mkdir(h.folder("a folder of people"), 0o777),
			h.stores[0].Remove(t.Context(), asset.Key("workarea/job-notes/"+j.ID+".json"), ""),
		); err != nil {
			t.Fatal(err)
		}
		within(t, "the folder of the lost job is gone", func() bool {
			h.nodes[0] = h.node(0, h.stores[0])
			h.sweep(0)
			_, err := os.Stat(h.folder(j.ID))
			return errors.Is(err, fs.ErrNotExist)
		})
		if _, err := os.Stat(h.folder("a folder of people")); err != nil {
			t.Errorf("want what is no job's left alone, got %v", err)
		}
	})
}

func TestSweep_waitsForAWriteThatIsUnderWayAndNoLonger(t *testing.T) {
	onFolder(t, hour, func(t *testing.T, h *house) {
		j := h.create(jobs.Wanted{})
		_, budget, done, err := h.nodes[0].Files(t.Context(), j.ID)
		if err != nil {
			t.Fatal(err)
		}
		settle, err := budget.Hold(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.nodes[1].End(t.Context(), j.ID); err != nil {
			t.Fatal(err)
		}
		h.sweep(2)
		late := asset.Key("workarea/jobs/" + j.ID + "/late")
		if _, err := h.stores[0].Put(t.Context(), late, strings.NewReader("late"), storage.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		settle(true)
		done()
		within(t, "nothing is left, not even of the late write", func() bool { h.sweep(2); return h.gone(j.ID) })
	})
}
