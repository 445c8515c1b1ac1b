package invalidation

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Bounds of a head. Consul hands every head to every reader at each change of one, so they are small.
const (
	maxTail    = 512  // events in a head: 4 KB
	maxIntents = 4096 // changes under way in one log
)

// clearMark as an event tells every reader to forget everything.
const clearMark = ^uint64(0)

// The layout of a head: version, flags, then numbers as varints, each list of marks after its length, 8 bytes a mark.
const (
	headVersion = 1
	flagClosed  = 1
)

var errHead = errors.New("not a head that this version can read")

// head is what a log shows of itself in Consul.
type head struct {
	closed  bool     // nothing will be added any more
	writes  uint64   // grows with each write, so that no two values are alike
	seq     uint64   // the newest event; the first one is 1
	from    uint64   // the oldest event that the tail or a segment still tells of; seq+1 when there is none
	tail    []uint64 // the marks of the newest events, ending at seq
	intents []uint64 // the marks of changes that were begun and not ended
}

// tailFrom is the first event in the tail.
func (h head) tailFrom() uint64 { return h.seq - uint64(len(h.tail)) + 1 }

// after returns the events later than seq; ok is false when the tail does not reach back so far.
func (h head) after(seq uint64) (marks []uint64, ok bool) {
	switch first := h.tailFrom(); {
	case seq >= h.seq:
		return nil, true
	case seq+1 < first:
		return nil, false
	default:
		return h.tail[seq+1-first:], true
	}
}

// next is the head after these events, with these changes open. from is the oldest event in a segment, or to be in one.
func (h head) next(events, intents []uint64, from uint64) head {
	n := head{writes: h.writes + 1, seq: h.seq + uint64(len(events)), intents: intents}
	n.tail = append(slices.Clone(h.tail), events...)
	if over := len(n.tail) - maxTail; over > 0 {
		n.tail = n.tail[over:]
	}
	n.from = min(from, n.tailFrom())
	return n
}

// shut is the head with nothing open any more.
func (h head) shut() head {
	h.closed, h.intents = true, nil
	h.writes++
	return h
}

func (h head) encode() []byte {
	b := make([]byte, 0, 48+8*(len(h.tail)+len(h.intents)))
	var flags byte
	if h.closed {
		flags |= flagClosed
	}
	b = append(b, headVersion, flags)
	for _, n := range []uint64{h.writes, h.seq, h.from} {
		b = binary.AppendUvarint(b, n)
	}
	return appendMarks(appendMarks(b, h.tail), h.intents)
}

func appendMarks(b []byte, marks []uint64) []byte {
	b = binary.AppendUvarint(b, uint64(len(marks)))
	for _, m := range marks {
		b = binary.LittleEndian.AppendUint64(b, m)
	}
	return b
}

// decodeHead is the inverse of encode. It trusts nothing.
func decodeHead(b []byte) (head, error) {
	if len(b) < 2 || b[0] != headVersion || b[1]&^flagClosed != 0 {
		return head{}, errHead
	}
	d := decoder{b: b[2:]}
	h := head{closed: b[1]&flagClosed != 0, writes: d.number(), seq: d.number(), from: d.number()}
	h.tail, h.intents = d.marks(maxTail), d.marks(maxIntents)
	switch {
	case d.bad || len(d.b) > 0:
		return head{}, fmt.Errorf("%w: its end is missing or too much", errHead)
	case h.seq == ^uint64(0) || uint64(len(h.tail)) > h.seq || h.from == 0 || h.from > h.tailFrom():
		return head{}, fmt.Errorf("%w: its numbers do not fit", errHead)
	}
	return h, nil
}

// decoder takes one value after another; bad sticks.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.b)
	if size <= 0 {
		d.bad = true
		return 0
	}
	d.b = d.b[size:]
	return n
}

func (d *decoder) marks(most uint64) []uint64 {
	n := d.number()
	if d.bad || n > most || uint64(len(d.b)) < 8*n {
		d.bad = true
		return nil
	}
	marks := make([]uint64, n)
	for i := range marks {
		marks[i] = binary.LittleEndian.Uint64(d.b[8*i:])
	}
	d.b = d.b[8*n:]
	return marks
}
