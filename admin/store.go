package admin

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"time"
)

// ask runs fn, which may touch the store, and waits for it no longer than storeTimeout: a system call on a hung mount does not
// heed its context. What comes too late is given to drop. The places are bounded, so that a hung store costs maxStore
// goroutines and then quick refusals.
//
// The context that fn gets is canceled by the returned stop, by the client going away, or by the timeout; not by ask
// returning, since a reader lives on.
func ask[T any](ctx context.Context, gate chan struct{}, fn func(context.Context) (T, error), drop func(T)) (v T, stop func(), err error) {
	patience := time.NewTimer(storeTimeout)
	defer patience.Stop()
	return askFor(ctx, gate, patience, fn, drop)
}

// askFor is ask with a patience of its own, which may be renewed while fn runs.
func askFor[T any](
	ctx context.Context, gate chan struct{}, patience *time.Timer, fn func(context.Context) (T, error), drop func(T),
) (v T, stop func(), err error) {
	select {
	case gate <- struct{}{}:
	default:
		return v, func() {}, newProblem(http.StatusServiceUnavailable, "too many requests wait for the store").as(busy)
	}
	ctx, cancel := context.WithCancel(ctx)
	type result struct {
		v   T
		err error
	}
	came, late := make(chan result), make(chan struct{})
	go func() {
		defer func() { <-gate }()
		v, err := caught(ctx, fn)
		select {
		case came <- result{v, err}:
		case <-late:
			if err == nil && drop != nil {
				drop(v)
			}
		}
	}()
	select {
	case r := <-came:
		return r.v, cancel, r.err
	case <-patience.C:
		err = context.DeadlineExceeded
	case <-ctx.Done():
		err = ctx.Err()
	}
	close(late)
	cancel()
	return v, cancel, err
}

// caught keeps a panic in a goroutine of ours from ending the process.
func caught[T any](ctx context.Context, fn func(context.Context) (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the program has a fault here: %v", p)
		}
	}()
	return fn(ctx)
}

// fetch is ask for plain values: nothing to close, nothing that lives on.
func fetch[T any](ctx context.Context, s *Server, fn func(context.Context) (T, error)) (T, error) {
	v, stop, err := ask(ctx, s.gate, fn, nil)
	stop()
	return v, err
}

// do is fetch for what has no result.
func (s *Server) do(ctx context.Context, fn func(context.Context) error) error {
	_, err := fetch(ctx, s, func(ctx context.Context) (struct{}, error) { return struct{}{}, fn(ctx) })
	return err
}

// some holds the first values of a stream, and whether there were more.
type some[T any] struct {
	values []T
	more   bool
	err    error // the first that the stream told of; the rest was read all the same
}

// collect reads at most limit values. An error is kept, not returned: one unreadable file must not hide the others.
func collect[T any](ctx context.Context, seq iter.Seq2[T, error], limit int) (some[T], error) {
	out := some[T]{values: []T{}}
	for v, err := range seq {
		switch {
		case ctx.Err() != nil:
			return out, ctx.Err()
		case err != nil && out.err == nil:
			out.err = err
		case err != nil:
		case len(out.values) == limit:
			out.more = true
			return out, nil
		default:
			out.values = append(out.values, v)
		}
	}
	if len(out.values) == 0 && out.err != nil {
		return out, out.err
	}
	return out, nil
}
