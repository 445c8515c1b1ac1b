package invalidation

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	segmentVersion = 1
	segmentLeast   = 256                    // events that are worth an object
	segmentPace    = 250 * time.Millisecond // between two objects at least
	segmentRetry   = time.Second
	maxSegments    = 64       // of one log
	maxPending     = 64 << 10 // events that the store has not taken; they are given up then
)

// segment is a run of events in one object.
type segment struct{ first, last uint64 }

// key is <prefix>/<node>/<log>,<first>-<last>.
func (s segment) key(prefix asset.Key, log string) asset.Key {
	return prefix.Join(asset.Key(nodeOf(log))).Join(asset.Key(fmt.Sprintf("%s,%012d-%012d", log, s.first, s.last)))
}

// parseSegment reads the last component of a key, as segment.key wrote it.
func parseSegment(base string) (log string, s segment, ok bool) {
	log, span, ok := strings.Cut(base, ",")
	if !ok || nameFault(log) != "" {
		return "", s, false
	}
	if n, err := fmt.Sscanf(span, "%d-%d", &s.first, &s.last); err != nil || n != 2 {
		return "", s, false
	}
	sound := s.first > 0 && s.first <= s.last && s.last-s.first < 2*maxPending
	return log, s, sound && string(s.key("", log).Base()) == base
}

// segments writes the events of the own log to the store, for readers that come when the head does not hold them any more. It is
// no part of the promise: what it cannot write makes late readers forget everything.
type segments struct {
	o    *Options
	kick chan struct{} // holds a token when there is enough for an object

	mu      sync.Mutex
	log     string
	pending []uint64 // events that are in no object
	first   uint64   // the first of them, or the next event
	kept    []segment
}

// begin starts over for a new log.
func (s *segments) begin(log string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log, s.pending, s.first, s.kept = log, nil, 1, nil
}

// oldest is the first event that is in an object, or will be soon.
func (s *segments) oldest() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.Store == nil {
		return ^uint64(0)
	}
	if len(s.kept) > 0 {
		return s.kept[0].first
	}
	return s.first
}

// add takes events that were published.
func (s *segments) add(events []uint64) {
	if s.o.Store == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) > maxPending {
		s.first += uint64(len(s.pending))
		s.pending, s.kept = nil, nil // the kept ones are of no use before a hole
	}
	s.pending = append(s.pending, events...)
	if len(s.pending) >= segmentLeast {
		signal(s.kick)
	}
}

// run writes objects until ctx ends, then the last one.
func (s *segments) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			s.finish(ctx)
			return
		case <-s.kick:
		}
		pause := segmentPace
		if err := s.write(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Warn("a segment of the log of invalidations could not be written", zap.Error(err))
			pause = segmentRetry
			signal(s.kick)
		}
		sleep(ctx, pause)
	}
}

// finish writes what the tail of a closed log may not hold.
func (s *segments) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), segmentRetry)
	defer cancel()
	s.mu.Lock()
	enough := len(s.pending) >= segmentLeast
	s.mu.Unlock()
	if enough {
		_ = s.write(ctx) // no part of the promise
	}
}

// write makes one object of all that is pending, and removes the oldest one over the bound.
func (s *segments) write(ctx context.Context) error {
	s.mu.Lock()
	log, marks := s.log, s.pending
	span := segment{s.first, s.first + uint64(len(marks)) - 1}
	s.mu.Unlock()
	if len(marks) == 0 {
		return nil
	}
	key := span.key(s.o.Prefix, log)
	_, err := s.o.Store.Put(ctx, key, bytes.NewReader(encodeSegment(marks)), storage.PutOptions{Deferred: true, Brief: true})
	if err != nil {
		return err
	}
	return s.removeOld(ctx, log, s.wrote(log, span))
}

// wrote notes an object, and returns those that are too many.
func (s *segments) wrote(log string, span segment) (old []segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log != log || s.first != span.first {
		return nil // begun anew, or given up, meanwhile
	}
	s.pending = s.pending[span.last-span.first+1:]
	s.first = span.last + 1
	s.kept = append(s.kept, span)
	if over := len(s.kept) - maxSegments; over > 0 {
		old, s.kept = s.kept[:over], s.kept[over:]
	}
	return old
}

func (s *segments) removeOld(ctx context.Context, log string, old []segment) error {
	for _, span := range old {
		if err := remove(ctx, s.o.Store, span.key(s.o.Prefix, log)); err != nil {
			return err
		}
	}
	return nil
}

func encodeSegment(marks []uint64) []byte {
	b := append(make([]byte, 0, 1+8*len(marks)), segmentVersion)
	for _, m := range marks {
		b = binary.LittleEndian.AppendUint64(b, m)
	}
	return b
}

// decodeSegment reads the marks of s; ok is false when the bytes do not fit it.
func decodeSegment(b []byte, s segment) (marks []uint64, ok bool) {
	if len(b) == 0 || b[0] != segmentVersion || uint64(len(b)-1) != 8*(s.last-s.first+1) {
		return nil, false
	}
	for b = b[1:]; len(b) > 0; b = b[8:] {
		marks = append(marks, binary.LittleEndian.Uint64(b))
	}
	return marks, true
}
