package invalidation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	fetchTime  = 5 * time.Second       // for one gap in all
	fetchWait  = time.Second           // how long a segment may be on its way
	fetchPause = 50 * time.Millisecond // between two looks
	maxSegment = 16*maxPending + 1     // bytes that are read of one object
)

var errNoSegment = errors.New("the store does not hold them")

// fetch returns the events after seq up to the head, from segments and the tail. The last segment may still be on its way.
func (r *reader) fetch(ctx context.Context, log string, seq uint64, h head) ([]uint64, error) {
	o := &r.l.o
	switch {
	case o.Store == nil:
		return nil, errors.New("this node has no store to fetch them from")
	case seq+1 < h.from:
		return nil, fmt.Errorf("the log begins at %d now, %d was the last seen", h.from, seq)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	for end := time.Now().Add(fetchWait); ; sleep(ctx, fetchPause) {
		marks, err := readSegments(ctx, o.Store, o.Prefix, log, seq, h.tailFrom())
		if err == nil {
			tail, _ := h.after(seq + uint64(len(marks)))
			return append(marks, tail...), nil
		}
		if !errors.Is(err, errNoSegment) || ctx.Err() != nil || time.Now().After(end) {
			return nil, err
		}
	}
}

// readSegments returns the events after seq, at least those before until.
func readSegments(ctx context.Context, store storage.Store, prefix asset.Key, log string, seq, until uint64) ([]uint64, error) {
	spans, err := listSegments(ctx, store, prefix, log)
	if err != nil {
		return nil, err
	}
	var all []uint64
	next := seq + 1
	for _, s := range spans {
		if s.last < next || next >= until {
			continue
		}
		if s.first > next {
			break
		}
		marks, err := readSegment(ctx, store, s.key(prefix, log), s)
		if err != nil {
			return nil, err
		}
		all = append(all, marks[next-s.first:]...)
		next = s.last + 1
	}
	if next < until {
		return nil, fmt.Errorf("%w: %d to %d", errNoSegment, next, until-1)
	}
	return all, nil
}

// listSegments finds the segments of one log, oldest first.
func listSegments(ctx context.Context, store storage.Store, prefix asset.Key, log string) ([]segment, error) {
	var spans []segment
	for o, err := range store.List(ctx, prefix.Join(asset.Key(nodeOf(log))), storage.ListOptions{NamesOnly: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if of, s, ok := parseSegment(string(o.Key.Base())); ok && of == log {
			spans = append(spans, s)
		}
	}
	slices.SortFunc(spans, func(a, b segment) int { return cmp.Compare(a.first, b.first) })
	return spans, nil
}

// readSegment reads one object. One that is gone or broken counts as missing.
func readSegment(ctx context.Context, store storage.Store, key asset.Key, s segment) ([]uint64, error) {
	f, err := store.Open(ctx, key, "")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", errNoSegment, err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSegment))
	if err != nil {
		return nil, err
	}
	marks, ok := decodeSegment(b, s)
	if !ok {
		return nil, fmt.Errorf("%w: %s is broken", errNoSegment, key.Quoted())
	}
	return marks, nil
}
