package workarea

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"hotfolderd/asset"
	"hotfolderd/storage/storagetest"
)

// events reads a story whole.
func events(t *testing.T, a *Area, key asset.Key, since time.Time) []asset.Event {
	t.Helper()
	var all []asset.Event
	for e, err := range a.Story(t.Context(), "inbox", key, since) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func event(key asset.Key, reason string) asset.Event {
	return asset.Event{Hotfolder: "inbox", Key: key, Result: asset.Imported, Reason: reason}
}

func TestStory_ofOneKeyOverNodesAndDays(t *testing.T) {
	s := folder(t)
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	begin := now
	var areas []*Area
	for _, node := range []string{"a", "b/../x"} {
		a, err := Open(t.Context(), s, Options{Node: node, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		areas = append(areas, a)
	}
	keys := append(oddNames(), `quo"te`, "back\\slash", "<&>")
	for i := range 3 {
		for n, a := range areas {
			for _, k := range keys {
				a.Journal().Record(event(k, fmt.Sprint(i, n)))
				other := event(k, "another hotfolder")
				other.Hotfolder = "other"
				a.Journal().Record(other)
			}
			now = now.Add(time.Second)
		}
		for _, a := range []*Area{areas[1], areas[0]} {
			if err := a.Journal().Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(24 * time.Hour)
	}
	for _, k := range keys {
		for _, c := range []struct {
			since time.Time
			want  string
		}{{begin, "0 0,0 1,1 0,1 1,2 0,2 1"}, {begin.Add(24 * time.Hour), "1 0,1 1,2 0,2 1"}, {now, ""}} {
			var got []string
			for _, e := range events(t, areas[0], k, c.since) {
				got = append(got, e.Reason)
			}
			if strings.Join(got, ",") != c.want {
				t.Errorf("%s since %v: want %q, got %q", k.Quoted(), c.since, c.want, got)
			}
		}
	}
	if err := areas[0].PruneJournal(t.Context(), begin.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := events(t, areas[0], "a", begin); len(got) != 4 {
		t.Errorf("want the first day pruned, got %d events", len(got))
	}
}

func TestJournal_runWritesSoonAndInFewObjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := storagetest.NewMem()
		a := open(t, mem)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Journal().Run(ctx) }()

		a.Journal().Record(event("a", "alone"))
		time.Sleep(batchWait + time.Millisecond)
		synctest.Wait()
		if got := len(events(t, a, "a", time.Time{})); got != 1 {
			t.Errorf("want a lone event written after %v, got %d events", batchWait, got)
		}
		time.Sleep(time.Minute)
		before := len(tree(t, mem, "workarea/journal"))
		for range 600 { // about a minute of ten events a second, none just when a batch is due
			a.Journal().Record(event("b", "stream"))
			time.Sleep(97 * time.Millisecond)
		}
		if got := len(tree(t, mem, "workarea/journal")) - before; got > 40 {
			t.Errorf("want at most 40 objects for a minute, got %d", got)
		}
		a.Journal().Record(event("c", "last"))
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := len(events(t, a, "c", time.Time{})); got != 1 {
			t.Errorf("want the rest written at the end, got %d events", got)
		}
		if got := len(events(t, a, "b", time.Time{})); got != 600 {
			t.Errorf("want 600 events, got %d", got)
		}
	})
}

func TestJournal_nothingIsLostOrDoubledWhileTheStoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := storagetest.NewFault(storagetest.NewMem())
		a := open(t, f)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Journal().Run(ctx) }()
		lift := f.Inject(storagetest.Rule{Op: storagetest.OpPut, When: storagetest.After, Err: errors.New("reply lost")})
		for i := range 50 {
			a.Journal().Record(event("a", fmt.Sprint(i)))
			time.Sleep(time.Second)
		}
		lift()
		time.Sleep(2 * maxRetryWait)
		synctest.Wait()
		all := events(t, a, "a", time.Time{})
		if len(all) != 50 {
			t.Errorf("want 50 events, got %d", len(all))
		}
		for i, e := range all {
			if e.Reason != fmt.Sprint(i) {
				t.Errorf("want event %d in order, got %s", i, e.Reason)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestJournal_endsInTimeWhenTheStoreHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := storagetest.NewFault(storagetest.NewMem())
		a := open(t, f)
		f.Inject(storagetest.Rule{Op: storagetest.OpPut, Hang: true})
		ctx, cancel := context.WithCancel(t.Context())
		a.Journal().Record(event("a", "x"))
		cancel()
		begin := time.Now()
		if err := a.Journal().Run(ctx); err == nil {
			t.Error("want the error of the batch that was lost")
		}
		if took := time.Since(begin); took > finishTime+time.Second {
			t.Errorf("want an end after %v, got %v", finishTime, took)
		}
	})
}

func TestJournal_overflowDropsTheLeastTelling(t *testing.T) {
	a := open(t, storagetest.NewMem())
	j := a.Journal()
	const minor, major = 100_000, 20_000
	for i := range minor {
		e := event("a", "")
		e.Result = asset.Waiting
		j.Record(e)
		if i%(minor/major) == 0 {
			j.Record(event("a", "telling"))
		}
	}
	if len(j.queue) > maxBufferedEvents || j.bytes > maxBufferedBytes {
		t.Errorf("want a bounded buffer, got %d events, %d bytes", len(j.queue), j.bytes)
	}
	kept, size := 0, 0
	for _, q := range j.queue {
		size += len(q.line)
		if !q.minor {
			kept++
		}
	}
	if kept != major || size != j.bytes {
		t.Errorf("want all %d telling events kept, got %d; want %d bytes, got %d", major, kept, size, j.bytes)
	}
	if want, got := float64(minor+major-len(j.queue)), testutil.ToFloat64(a.count.journalDropped); want != got {
		t.Errorf("want %v counted as dropped, got %v", want, got)
	}
	for range 2 * maxBufferedEvents {
		j.Record(event("a", "telling too"))
	}
	if len(j.queue) > maxBufferedEvents {
		t.Errorf("want a bounded buffer of telling events too, got %d", len(j.queue))
	}
}

func TestJournal_manyWritersUnderLoad(t *testing.T) {
	a := open(t, folder(t))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Journal().Run(ctx) }()
	var wg sync.WaitGroup
	var sent atomic.Int64
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				a.Journal().Record(event("a", strings.Repeat("x", 100)))
				sent.Add(1)
			}
		})
	}
	wg.Wait()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := int64(len(events(t, a, "a", time.Time{}))); got != sent.Load() {
		t.Errorf("want %d events, got %d", sent.Load(), got)
	}
}

// After a crash a batch may be torn, or something else may lie there: the rest is told all the same.
func TestStory_skipsWhatIsNoEvent(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	a.Journal().Record(event("a", "whole"))
	if err := a.Journal().Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	day := string(a.journalDay(dayOf(time.Now())))
	put(t, s, asset.Key(day+"/na-1-1.jsonl"), "{\"hotfolder\":\"inbox\",\"key\":\"a\",\"result\":\"seen\"}\n\x00\x00\n{\"key\":\"a\",\"resu")
	put(t, s, asset.Key(day+"/notes.txt"), "\"key\":\"a\"")
	put(t, s, "workarea/journal/yesterday/x.jsonl", "\"key\":\"a\"")
	if got := events(t, a, "a", time.Time{}); len(got) != 2 {
		t.Errorf("want two events, got %+v", got)
	}
}

func FuzzStory(f *testing.F) {
	f.Add([]byte("{\"hotfolder\":\"inbox\",\"key\":\"a\",\"result\":\"seen\"}\n"))
	f.Add([]byte("{\"key\":\"a\"\n\n\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := searchLines(strings.NewReader(string(data)), []byte(`"key":"a"`), func(e asset.Event) bool { return e.Key == "a" }, nil)
		if err != nil && len(data) < maxEventLine {
			t.Fatal(err)
		}
		for _, e := range found {
			if e.Key != "a" {
				t.Fatalf("want only events of a, got %+v", e)
			}
		}
	})
}
