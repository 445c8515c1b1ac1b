package guard

import (
	"context"
	"sync"
)

const piece = 256 << 10 // of a read or a write at once

// pieces are the rooms that system calls read into and write from: the caller's own may be used for something else when it has left.
var pieces = sync.Pool{New: func() any { return new([piece]byte) }}

// held is what calls have to do with one thing that is to be closed: a call whose caller has left may still be at work on it.
type held struct {
	c   *Calls
	end func() error

	mu     sync.Mutex
	away   int  // calls that have not come back
	broken bool // one of them did not come back in time
	ended  bool // end is to be called when all have come back
}

// call makes a call on a thing. After one that did not come back there is no other: nobody knows what it did.
func call[T any](ctx context.Context, h *held, f func() (T, error)) (T, error) {
	if h.c == nil {
		return f()
	}
	return heldCall(ctx, h, h.c.quick, f)
}

func heldCall[T any](ctx context.Context, h *held, places chan struct{}, f func() (T, error)) (T, error) {
	var none T
	if h.isBroken() {
		return none, h.c.silence()
	}
	refused, err := h.c.enter(ctx, places)
	if err != nil {
		return none, err
	}
	h.mu.Lock()
	h.away++
	h.mu.Unlock()
	v, left, err := made(ctx, h.c, places, refused, func() (T, error) {
		defer h.back()
		return f()
	}, nil)
	if left {
		h.mu.Lock()
		h.broken = true
		h.mu.Unlock()
	}
	return v, err
}

func (h *held) isBroken() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.broken
}

func (h *held) back() {
	h.mu.Lock()
	h.away--
	end := h.ended && h.away == 0
	h.mu.Unlock()
	if end {
		_ = h.end() // whoever wanted it has left
	}
}

// finish closes the thing, or leaves that to the last call that comes back.
func (h *held) finish() error {
	h.mu.Lock()
	if h.away > 0 {
		h.ended = true
		h.mu.Unlock()
		return nil
	}
	h.mu.Unlock()
	return h.c.finish(h.end)
}

// readPieces reads into p by one piece after the other, until one is not whole.
func readPieces(ctx context.Context, h *held, p []byte, read func(p []byte, off int) (int, error)) (n int, err error) {
	if h.c == nil {
		return read(p, 0)
	}
	for {
		m, err := readPiece(ctx, h, p[n:min(n+piece, len(p))], func(b []byte) (int, error) { return read(b, n) })
		n += m
		if err != nil || m < piece || n == len(p) {
			return n, err
		}
	}
}

// count is what a read or a write says.
type count struct {
	n   int
	err error
}

func readPiece(ctx context.Context, h *held, p []byte, read func([]byte) (int, error)) (int, error) {
	room := pieces.Get().(*[piece]byte)
	got, err := call(ctx, h, func() (count, error) {
		n, err := read(room[:len(p)])
		return count{n, err}, nil
	})
	if err != nil {
		return 0, err // the room is not given back: somebody may still read into it
	}
	copy(p, room[:got.n])
	pieces.Put(room)
	return got.n, got.err
}

func writePiece(h *held, p []byte, write func([]byte) (int, error)) (int, error) {
	room := pieces.Get().(*[piece]byte)
	copy(room[:], p)
	got, err := call(unbound(), h, func() (count, error) {
		n, err := write(room[:len(p)])
		return count{n, err}, nil
	})
	if err != nil {
		return 0, err
	}
	pieces.Put(room)
	return got.n, got.err
}
