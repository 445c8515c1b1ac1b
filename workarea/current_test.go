package workarea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfolderd/asset"
	"hotfolderd/storage/storagetest"
)

// two are two nodes on one store: writes of the second are not told to the first.
func two(t testing.TB, o Options) (a *Area, f *storagetest.Fault, other *Area) {
	t.Helper()
	mem := storagetest.NewMem()
	f = storagetest.NewFault(mem)
	a, err := Open(t.Context(), f, o)
	if err != nil {
		t.Fatal(err)
	}
	return a, f, open(t, mem)
}

// number is what a name stands for, 0 when for nothing.
func number(t testing.TB, a *Area, name asset.Key) int {
	t.Helper()
	_, n, err := a.Current(t.Context(), name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return n
}

func bring(t testing.TB, a *Area, name asset.Key, n int) {
	t.Helper()
	if _, out := mustWalk(t, a, job{key: asset.Key(fmt.Sprint(name, n)), name: name, body: fmt.Sprint(n)}); out.Number != n {
		t.Fatalf("want version %d, got %+v", n, out)
	}
}

func TestCurrent_isAnsweredFromMemoryUntilForgotten(t *testing.T) {
	a, f, other := two(t, Options{})
	bring(t, other, "a", 1)
	for what, forget := range map[string]func(){
		"one name": func() { a.Forget(asset.Key("x").Mark(), asset.Key("a").Mark()) },
		"all":      a.ForgetAll,
	} {
		forget()
		n := number(t, a, "a")
		f.Reset()
		bring(t, other, "a", n+1)
		if got := number(t, a, "a"); got != n || f.Count("") != 0 {
			t.Errorf("%s: want the old answer from memory, got %d with %v", what, got, f.Ops())
		}
		forget()
		if got := number(t, a, "a"); got != n+1 {
			t.Errorf("%s: want version %d, got %d", what, n+1, got)
		}
	}
	if rec, _, err := a.Current(t.Context(), "a"); err != nil || rec.Key != "a3" || body(t, a, rec.Content.Hash) != "3" {
		t.Errorf("want the record of version 3, got %+v, %v", rec, err)
	}
}

func TestCurrent_ownWritesAreSeenAtOnce(t *testing.T) {
	a, _, _ := two(t, Options{})
	for n := 1; n < 4; n++ {
		bring(t, a, "a", n)
		if got := number(t, a, "a"); got != n {
			t.Errorf("want version %d, got %d", n, got)
		}
	}
	if err := a.Remove(t.Context(), "a"); err != nil || number(t, a, "a") != 0 {
		t.Errorf("want it gone, got %d, %v", number(t, a, "a"), err)
	}
	bring(t, a, "a", 1)
	if got := number(t, a, "a"); got != 1 {
		t.Errorf("want version 1, got %d", got)
	}
}

// The write fails after it took effect: whoever asks next must not get the old answer.
func TestCurrent_ownWritesThatFailAreForgottenToo(t *testing.T) {
	a, f, _ := two(t, Options{})
	bring(t, a, "a", 1)
	number(t, a, "a")
	f.Inject(storagetest.Rule{Op: storagetest.OpSync, Times: 1, Err: errors.New("broken")})
	if _, _, err := walk(t.Context(), a, job{key: "2", name: "a", body: "2"}); err == nil {
		t.Fatal("want it to fail")
	}
	if got := number(t, a, "a"); got != 2 {
		t.Errorf("want version 2, got %d", got)
	}
}

func TestCurrent_thatANameIsAbsentIsNeverRemembered(t *testing.T) {
	a, _, other := two(t, Options{})
	if got := number(t, a, "a"); got != 0 {
		t.Fatalf("want nothing, got %d", got)
	}
	bring(t, other, "a", 1)
	if got := number(t, a, "a"); got != 1 {
		t.Errorf("want version 1 without being told, got %d", got)
	}
}

// A slow reader has read the old bytes when the name changes and is forgotten; it must not put its answer back.
func TestCurrent_aReadFromBeforeAChangeIsNotKept(t *testing.T) {
	for what, forget := range map[string]func(*Area){
		"one name": func(a *Area) { a.Forget(asset.Key("a").Mark()) },
		"all":      (*Area).ForgetAll,
	} {
		t.Run(what, func(t *testing.T) {
			a, f, other := two(t, Options{})
			bring(t, other, "a", 1)
			f.Inject(storagetest.Rule{Op: storagetest.OpRead, Times: 1, Hang: true})
			slow := make(chan int)
			go func() { slow <- number(t, a, "a") }()
			for f.Fired() == 0 {
				time.Sleep(time.Millisecond) // until it is in the middle of its read
			}
			bring(t, other, "a", 2)
			forget(a)
			f.Release()
			if got := <-slow; got != 1 {
				t.Fatalf("want the slow reader to have read version 1, got %d", got)
			}
			if got := number(t, a, "a"); got != 2 {
				t.Errorf("want version 2, got %d: the slow reader put the old answer back", got)
			}
		})
	}
}

func TestCurrent_anotherNameOfTheSameMarkIsNotAnswered(t *testing.T) {
	a, _, _ := two(t, Options{})
	bring(t, a, "a", 1)
	bring(t, a, "b", 1)
	wrong, err := a.current(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	mark := asset.Key("a").Mark()
	a.answers.fill(mark, a.answers.generation(mark), &answer{"b", wrong, time.Now()})
	if rec, _, err := a.Current(t.Context(), "a"); err != nil || rec.Name != "a" {
		t.Errorf("want the record of a, got %s, %v", rec.Name.Quoted(), err)
	}
}

func TestCurrent_passesItsMemoryByWhileNobodyTells(t *testing.T) {
	var deaf atomic.Bool
	a, _, other := two(t, Options{Fresh: func() bool { return !deaf.Load() }})
	bring(t, other, "a", 1)
	number(t, a, "a")
	deaf.Store(true)
	bring(t, other, "a", 2)
	if got := number(t, a, "a"); got != 2 {
		t.Errorf("want the store read, got version %d", got)
	}
	bring(t, other, "b", 1)
	number(t, a, "b")
	deaf.Store(false)
	bring(t, other, "b", 2)
	if got := number(t, a, "b"); got != 2 {
		t.Errorf("want nothing kept of that time, got version %d", got)
	}
}

func TestCurrent_withoutMemoryReadsTheStore(t *testing.T) {
	a, _, other := two(t, Options{CacheBytes: -1})
	for n := 1; n < 3; n++ {
		bring(t, other, "a", n)
		if got := number(t, a, "a"); got != n {
			t.Errorf("want version %d, got %d", n, got)
		}
	}
	a.Forget(1)
	a.ForgetAll()
}

// What nobody tells is found out after a while: a person took the version away.
func TestCurrent_answersGrowOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, other := two(t, Options{})
		bring(t, other, "a", 1)
		number(t, a, "a")
		bring(t, other, "a", 2)
		time.Sleep(maxAnswerAge - time.Millisecond)
		if got := number(t, a, "a"); got != 1 {
			t.Errorf("want the answer from memory, got %d", got)
		}
		time.Sleep(time.Millisecond)
		if got := number(t, a, "a"); got != 2 {
			t.Errorf("want the store read again, got %d", got)
		}
		synctest.Wait()
	})
}

func TestCurrent_memoryIsBoundedAndCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	const bound = 20_000
	a, _, other := two(t, Options{CacheBytes: bound, Metrics: reg})
	for i := range 200 {
		name := asset.Key(fmt.Sprint("n", i))
		bring(t, other, name, 1)
		number(t, a, name)
		number(t, a, name)
	}
	got := map[string]float64{}
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if strings.HasPrefix(m.GetName(), "hotfolder_catalog_cache_") {
			got[m.GetName()] = m.Metric[0].GetCounter().GetValue() + m.Metric[0].GetGauge().GetValue()
		}
	}
	hits, misses := got["hotfolder_catalog_cache_hits_total"], got["hotfolder_catalog_cache_misses_total"]
	if hits == 0 || misses < 200 || hits+misses != 400 {
		t.Errorf("want 400 questions, half of them read, got %v", got)
	}
	if size := got["hotfolder_catalog_cache_bytes"]; size <= 0 || size > bound {
		t.Errorf("want at most %d bytes, got %v", bound, size)
	}
}

// everyone tells all nodes at once, as a cluster does.
type everyone struct{ nodes []*Area }

func (e *everyone) Begin(_ context.Context, name asset.Key) (func(context.Context) error, error) {
	return func(context.Context) error {
		for _, a := range e.nodes {
			a.Forget(name.Mark())
		}
		return nil
	}, nil
}

// Writers and readers on three nodes: what a write returned, or something newer, is what every node answers from then on.
func TestCurrent_isNeverOlderThanAWriteThatReturned(t *testing.T) {
	mem := storagetest.NewMem()
	all := &everyone{}
	for range 3 {
		a, err := Open(t.Context(), mem, Options{Changes: all})
		if err != nil {
			t.Fatal(err)
		}
		all.nodes = append(all.nodes, a)
	}
	names := []asset.Key{"a", "b", "c"}
	var newest [3]atomic.Int64
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for i, a := range all.nodes {
		writers.Go(func() {
			for n := range 150 {
				at := (i + n) % len(names)
				_, out, err := walk(t.Context(), a, job{key: asset.Key(fmt.Sprint(i, n)), name: names[at], body: fmt.Sprint(i, n)})
				if err != nil {
					t.Error(err)
					return
				}
				raise(&newest[at], int64(out.Number))
			}
		})
		readers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				at := n % len(names)
				least := newest[at].Load()
				if got := int64(number(t, a, names[at])); got < least {
					t.Errorf("node %d: want version %d or newer of %s, got %d", i, least, names[at], got)
					return
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	for at := range names {
		for i, a := range all.nodes {
			if got := int64(number(t, a, names[at])); got != newest[at].Load() {
				t.Errorf("node %d: want version %d of %s in the end, got %d", i, newest[at].Load(), names[at], got)
			}
		}
	}
}

func raise(to *atomic.Int64, n int64) {
	for old := to.Load(); old < n && !to.CompareAndSwap(old, n); old = to.Load() {
	}
}

// BenchmarkCurrent is what a name stands for: from memory, and read from a folder each time.
func BenchmarkCurrent(b *testing.B) {
	s := folder(b)
	for what, bytes := range map[string]int64{"cached": 0, "uncached": -1} {
		a, err := Open(b.Context(), s, Options{CacheBytes: bytes})
		if err != nil {
			b.Fatal(err)
		}
		for i := range 1000 {
			mustWalk(b, a, job{key: asset.Key(fmt.Sprint(i)), name: asset.Key(fmt.Sprintf("d%d/f%d.jpg", i%10, i)), body: "x"})
		}
		b.Run(what, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if _, _, err := a.Current(b.Context(), asset.Key(fmt.Sprintf("d%d/f%d.jpg", i%10, i%1000))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
