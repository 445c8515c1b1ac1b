package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

func put(ctx context.Context, s storage.Store, key asset.Key, content string) error {
	_, err := s.Put(ctx, key, strings.NewReader(content), storage.PutOptions{})
	return err
}

func TestFault_hitsTheNthMatchingOperation(t *testing.T) {
	f := NewFault(NewMem())
	f.Inject(Rule{Op: OpPut, Match: Glob("a/*"), After: 1, Times: 2, Err: syscall.EIO})
	var got []string
	for _, key := range []asset.Key{"a/1", "b/1", "a/2", "a/3", "b/2", "a/4"} {
		if err := put(t.Context(), f, key, "x"); errors.Is(err, syscall.EIO) {
			got = append(got, string(key))
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"a/2", "a/3"}; !slices.Equal(want, got) {
		t.Fatalf("want EIO for %q, got it for %q", want, got)
	}
	if f.Count(OpPut) != 6 || f.Fired() != 2 || f.Ops()[1] != `put "b/1"` {
		t.Fatalf("recorded %q, counted %v, fired %d", f.Ops(), f.Counts(), f.Fired())
	}
}

func TestFault_beforeNothingHappened_afterItDid(t *testing.T) {
	for when, want := range map[When]error{Before: fs.ErrNotExist, After: nil} {
		m := NewMem()
		f := NewFault(m)
		f.Inject(Rule{Op: OpPut, When: when, Err: syscall.ETIMEDOUT})
		if err := put(t.Context(), f, "k", "x"); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Fatalf("want ETIMEDOUT, got %v", err)
		}
		if _, err := m.Stat(t.Context(), "k"); !errors.Is(err, want) {
			t.Fatalf("when %d: want %v, got %v", when, want, err)
		}
	}
}

func TestFault_partial(t *testing.T) {
	m := NewMem()
	if err := put(t.Context(), m, "d/a", "0123456789"); err != nil {
		t.Fatal(err)
	}
	if err := put(t.Context(), m, "d/b", "x"); err != nil {
		t.Fatal(err)
	}
	f := NewFault(m)
	full := fmt.Errorf("%w: %w", storage.ErrFull, syscall.ENOSPC)
	for _, op := range []string{OpPut, OpList, OpRead} {
		f.Inject(Rule{Op: op, Partial: true, Err: full})
	}

	if err := put(t.Context(), f, "d/c", "half of this"); !errors.Is(err, storage.ErrFull) {
		t.Errorf("put: want ErrFull, got %v", err)
	}
	if _, err := m.Stat(t.Context(), "d/c"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a put is there: %v", err)
	}
	entries, failed := 0, 0
	for _, err := range f.List(t.Context(), "d", storage.ListOptions{}) {
		if err != nil {
			failed++
		} else {
			entries++
		}
	}
	if entries != 1 || failed != 1 {
		t.Errorf("a half listing has %d entries and %d errors", entries, failed)
	}
	r, err := f.Open(t.Context(), "d/a", "")
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 10)
	n, err := r.Read(p)
	if string(p[:n]) != "01234" || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("half a read: %q, %v", p[:n], err)
	}
}

func TestFault_eofStaysBare(t *testing.T) {
	f := NewFault(NewMem())
	if err := put(t.Context(), f, "k", "content"); err != nil {
		t.Fatal(err)
	}
	if got, _, err := read(t.Context(), f, "k", ""); got != "content" || err != nil {
		t.Fatalf("got %q, %v", got, err)
	}
	r, err := f.Open(t.Context(), "k", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadAt(make([]byte, 1), 7); err != io.EOF { //nolint:errorlint // the bare value is the promise
		t.Fatalf("want io.EOF itself, got %v", err)
	}
}

func TestFault_hangEndsWithItsContextOrRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFault(NewMem())
		f.Inject(Rule{Op: OpPut, Hang: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := put(ctx, f, "k", "x"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("want the deadline, got %v", err)
		}
		got := make(chan error)
		go func() { got <- put(t.Context(), f, "k", "x") }()
		synctest.Wait()
		select {
		case err := <-got:
			t.Fatalf("did not hang: %v", err)
		default:
		}
		f.Release()
		if err := <-got; err != nil {
			t.Fatalf("after Release: %v", err)
		}
	})
}

func TestFault_latency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFault(NewMem())
		lift := f.Inject(Rule{Latency: 3 * time.Second})
		start := time.Now()
		if err := put(t.Context(), f, "k", "x"); err != nil || time.Since(start) != 3*time.Second {
			t.Fatalf("took %v, %v", time.Since(start), err)
		}
		lift()
		if err := put(t.Context(), f, "k", "x"); err != nil || time.Since(start) != 3*time.Second {
			t.Fatalf("a lifted rule still strikes: %v, %v", time.Since(start), err)
		}
	})
}

func TestFault_crashPanicsAndTheStoreIsDead(t *testing.T) {
	m := NewMem()
	f := NewFault(m)
	f.Inject(Rule{Op: OpPut, When: After, Crash: true})
	func() {
		defer func() {
			if got := recover(); got != (Crashed{Op: OpPut, Key: "k"}) {
				t.Fatalf("want a panic with Crashed, got %v", got)
			}
		}()
		_ = put(t.Context(), f, "k", "x")
	}()
	if _, err := m.Stat(t.Context(), "k"); err != nil {
		t.Fatalf("a crash after the put undid it: %v", err)
	}
	if _, err := f.Stat(t.Context(), "k"); !errors.Is(err, ErrCrashed) {
		t.Fatalf("want ErrCrashed from a dead store, got %v", err)
	}
}

// TestFault_sweep is how a test crashes a walk at each of its operations, on both sides of it.
func TestFault_sweep(t *testing.T) {
	walk := func(s storage.Store) error {
		st, err := s.Stage(t.Context())
		if err != nil {
			return err
		}
		defer st.Discard()
		if _, err := io.WriteString(st, "content"); err != nil {
			return err
		}
		_, err = st.Publish(t.Context(), "k", storage.PutOptions{IfAbsent: true})
		if errors.Is(err, fs.ErrExist) {
			err = nil
		}
		return err
	}
	count := NewFault(NewMem())
	if err := walk(count); err != nil {
		t.Fatal(err)
	}
	for _, when := range []When{Before, After} {
		for n := range count.Count("") - 1 { // the last one is the discard, which cannot fail
			m := NewMem()
			f := NewFault(m)
			f.OnCrash = func(string, asset.Key) {}
			f.Inject(Rule{After: n, Times: 1, When: when, Crash: true})
			if err := walk(f); !errors.Is(err, ErrCrashed) || f.Fired() != 1 {
				t.Fatalf("operation %d: want ErrCrashed, got %v after %q", n, err, f.Ops())
			}
			if err := walk(m); err != nil {
				t.Fatalf("operation %d: the walk after the crash: %v", n, err)
			}
			if got, _, err := read(t.Context(), m, "k", ""); got != "content" {
				t.Fatalf("operation %d: got %q, %v", n, got, err)
			}
		}
	}
}

func TestMem_powerCutForgetsWhatWasNotDurable(t *testing.T) {
	m := NewMem()
	later := func(key asset.Key) {
		if _, err := m.Put(t.Context(), key, strings.NewReader("x"), storage.PutOptions{Deferred: true}); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(t.Context(), m, "durable", "x"); err != nil {
		t.Fatal(err)
	}
	later("synced")
	later("forgotten")
	if err := m.Sync(t.Context(), "synced"); err != nil {
		t.Fatal(err)
	}
	if err := m.Remove(t.Context(), "durable", ""); err != nil {
		t.Fatal(err)
	}
	m.PowerCut()
	wantKeys(t, "after a power cut", []asset.Key{"durable", "synced"}, all(t, m, asset.Root))
}
