package guard_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"testing/synctest"

	"hotfolderd/storage"
	"hotfolderd/storage/guard"
	"hotfolderd/storage/storagetest"
)

// receiving is a store whose stagings receive; to append hangs while it is away.
type receiving struct {
	storage.Store
	away chan struct{} // nil: it is there
}

func (s *receiving) Stage(ctx context.Context) (storage.Staged, error) {
	t, err := s.Store.Stage(ctx)
	return &receiver{Staged: t, s: s}, err
}

type receiver struct {
	storage.Staged
	s *receiving
}

func (r *receiver) Receive(syscall.Conn, int) (int, error) { return len("bytes"), nil }

func (r *receiver) Append() error {
	if r.s.away != nil {
		<-r.s.away
	}
	_, err := r.Write([]byte("bytes"))
	return err
}

func TestStaged_receivesAsItsStoreDoes(t *testing.T) {
	s := guard.New(&receiving{Store: storagetest.NewMem()}, guard.NewCalls(func(context.Context) error { return nil }, guard.Options{}))
	st, err := s.Stage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		n, err := st.(storage.Receiver).Receive(nil, 100)
		if err = errors.Join(err, st.(storage.Receiver).Append()); err != nil || n != 5 {
			t.Fatalf("want 5 bytes, got %d, %v", n, err)
		}
	}
	if o, err := st.Publish(t.Context(), "a", storage.PutOptions{}); err != nil || o.Size != 10 || st.Size() != 10 {
		t.Errorf("want 10 bytes, got %d and %d, %v", o.Size, st.Size(), err)
	}
	if err := st.Discard(); err != nil {
		t.Error(err)
	}
	plain, err := guard.New(storagetest.NewMem(), nil).Stage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.(storage.Receiver).Receive(nil, 100); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("want it said that this store cannot, got %v", err)
	}
	if err := plain.Discard(); err != nil {
		t.Error(err)
	}
}

// Whoever appends to a silent store is let go, and what the call that hangs may still be at is not touched.
func TestStaged_receivesNothingMoreWhenItsStoreIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := make(chan struct{})
		s := guard.New(&receiving{storagetest.NewMem(), away}, guard.NewCalls(func(context.Context) error { <-away; return nil }, guard.Options{}))
		st, err := s.Stage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r := st.(storage.Receiver)
		if _, err := r.Receive(nil, 100); err != nil {
			t.Fatal(err)
		}
		if err := r.Append(); !errors.Is(err, storage.ErrSilent) {
			t.Errorf("want it silent, got %v", err)
		}
		if _, err := r.Receive(nil, 100); !errors.Is(err, storage.ErrSilent) {
			t.Errorf("want nothing received any more, got %v", err)
		}
		close(away)
		synctest.Wait()
		if _, err := r.Receive(nil, 100); !errors.Is(err, storage.ErrSilent) {
			t.Errorf("want the staging lost for good, got %v", err)
		}
		if err := st.Discard(); err != nil {
			t.Error(err)
		}
	})
}
