package invalidation

import (
	"errors"
	"reflect"
	"slices"
	"testing"
)

func TestHead_survivesItsEncoding(t *testing.T) {
	full := head{}
	for range 10 {
		full = full.next(marksUpTo(300), marksUpTo(maxIntents), 1)
	}
	for _, h := range []head{
		{from: 1, tail: []uint64{}, intents: []uint64{}},
		{writes: 1, seq: 3, from: 2, tail: []uint64{7, 8}, intents: []uint64{9}},
		{closed: true, writes: 300, seq: 1 << 40, from: 1 << 39, tail: []uint64{clearMark}, intents: []uint64{}},
		full,
	} {
		got, err := decodeHead(h.encode())
		if err != nil || !reflect.DeepEqual(h, got) {
			t.Errorf("want %+v, got %+v, %v", h, got, err)
		}
	}
	if size := len(full.encode()); size > 38<<10 {
		t.Errorf("the largest head has %d bytes", size)
	}
}

func marksUpTo(n int) []uint64 {
	marks := make([]uint64, n)
	for i := range marks {
		marks[i] = uint64(i + 1)
	}
	return marks
}

func TestHead_after(t *testing.T) {
	h := head{seq: 10, from: 3, tail: []uint64{8, 9, 10}}
	for _, c := range []struct {
		seq  uint64
		want []uint64
		ok   bool
	}{
		{6, nil, false},
		{7, []uint64{8, 9, 10}, true},
		{9, []uint64{10}, true},
		{10, nil, true},
		{11, nil, true},
	} {
		if got, ok := h.after(c.seq); ok != c.ok || !slices.Equal(c.want, got) {
			t.Errorf("after %d: want %v %v, got %v %v", c.seq, c.want, c.ok, got, ok)
		}
	}
}

func TestHead_nextKeepsTheNewestEvents(t *testing.T) {
	h := head{}.next(marksUpTo(500), nil, 1).next([]uint64{1000, 1001}, []uint64{5}, 1)
	want := head{writes: 2, seq: 502, from: 1, tail: append(marksUpTo(500), 1000, 1001), intents: []uint64{5}}
	if !reflect.DeepEqual(want, h) {
		t.Errorf("want %+v, got %+v", want, h)
	}
	h = h.next(marksUpTo(511), nil, 900)
	if h.seq != 1013 || len(h.tail) != maxTail || h.tail[0] != 1001 || h.from != h.tailFrom() || h.from != 502 {
		t.Errorf("seq %d, %d in the tail from %d, first %d, from %d", h.seq, len(h.tail), h.tailFrom(), h.tail[0], h.from)
	}
}

func TestDecodeHead_refuses(t *testing.T) {
	good := head{writes: 1, seq: 3, from: 2, tail: []uint64{7, 8}, intents: []uint64{9}}
	for what, b := range map[string][]byte{
		"nothing":                nil,
		"one byte":               {headVersion},
		"another version":        append([]byte{headVersion + 1}, good.encode()[1:]...),
		"an unknown flag":        append([]byte{headVersion, 2}, good.encode()[2:]...),
		"a cut end":              good.encode()[:len(good.encode())-1],
		"more than its end":      append(good.encode(), 0),
		"more events than seq":   head{seq: 1, from: 1, tail: []uint64{7, 8}}.encode(),
		"an impossible from":     head{seq: 3, from: 4, tail: []uint64{7}}.encode(),
		"from 0":                 head{seq: 3, from: 0, tail: []uint64{7}}.encode(),
		"too long a tail":        head{seq: 9999, from: 1, tail: marksUpTo(maxTail + 1)}.encode(),
		"too many intents":       head{seq: 1, from: 1, intents: marksUpTo(maxIntents + 1)}.encode(),
		"a number without end":   {headVersion, 0, 0x80, 0x80},
		"a number of 11 bytes":   {headVersion, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		"the last of all events": head{seq: ^uint64(0), from: 1}.encode(),
	} {
		if h, err := decodeHead(b); !errors.Is(err, errHead) {
			t.Errorf("%s: want errHead, got %v, %+v", what, err, h)
		}
	}
}

func FuzzDecodeHead(f *testing.F) {
	f.Add(head{}.next(nil, nil, 1).encode())
	f.Add(head{}.next(marksUpTo(3), marksUpTo(2), 1).shut().encode())
	f.Add([]byte{headVersion, 0, 1, 2, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := decodeHead(b)
		if err != nil {
			return
		}
		again, err := decodeHead(h.encode())
		if err != nil || !reflect.DeepEqual(h, again) {
			t.Errorf("want %+v, got %+v, %v", h, again, err)
		}
		for seq := range min(h.seq, 2*maxTail) {
			if marks, ok := h.after(seq); ok && uint64(len(marks)) != h.seq-seq {
				t.Errorf("%d events after %d of %d", len(marks), seq, h.seq)
			}
		}
	})
}

func TestSegment_survivesItsEncoding(t *testing.T) {
	s := segment{first: 257, last: 259}
	key := s.key("work/inv", "n.o.0123456789ab~3")
	if want := "work/inv/n.o/n.o.0123456789ab~3,000000000257-000000000259"; string(key) != want {
		t.Errorf("want %q, got %q", want, key)
	}
	log, got, ok := parseSegment(string(key.Base()))
	if log != "n.o.0123456789ab~3" || got != s || !ok {
		t.Errorf("got %q %v %v", log, got, ok)
	}
	marks, ok := decodeSegment(encodeSegment([]uint64{1, 2, clearMark}), s)
	if !ok || !slices.Equal([]uint64{1, 2, clearMark}, marks) {
		t.Errorf("got %v %v", marks, ok)
	}
}

func TestParseSegment_refuses(t *testing.T) {
	for _, base := range []string{
		"", "log", "log,", "log,isolated", ",000000000001-000000000002", "log,1-2", "log,000000000003-000000000002",
		"log,000000000000-000000000002", "log,000000000001-002305843009213693952", "log,000000000001-000000000002.tmp", "log,000000000001",
	} {
		if log, s, ok := parseSegment(base); ok {
			t.Errorf("%q was taken as %q %v", base, log, s)
		}
	}
}

func FuzzDecodeSegment(f *testing.F) {
	f.Add("log,000000000001-000000000002", encodeSegment(marksUpTo(2)))
	f.Fuzz(func(t *testing.T, base string, b []byte) {
		log, s, ok := parseSegment(base)
		if !ok {
			return
		}
		if got := string(s.key("", log).Base()); got != base {
			t.Errorf("want %q, got %q", base, got)
		}
		if marks, ok := decodeSegment(b, s); ok && uint64(len(marks)) != s.last-s.first+1 {
			t.Errorf("%d marks in %v", len(marks), s)
		}
	})
}
