package storagetest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// RunStreams holds a store to the text of [storage.Streamer], as [Run] does to that of the store. Options.Part must be set.
func RunStreams(t *testing.T, open func(t *testing.T) storage.Store, o Options) {
	runCases(t, []aCase{
		{"Stream_ofFewBytesIsAnObject", streamFew},
		{"Stream_isInvisibleUntilPublished", streamInvisible},
		{"Stream_readsBackWhatWasNotSent", streamReadAt},
		{"Stream_goesOnElsewhere", streamGoesOn},
		{"Stream_goesOnBehindAnyPart", streamRewinds},
		{"Stream_discardGivesUp", streamDiscard},
		{"Stream_hasOneWinner", streamWinner},
	}, open, o)
}

// streams are the store's.
func (s *suite) streams(t *testing.T, of storage.Store) storage.Streamer {
	t.Helper()
	st, ok := of.(storage.Streamer)
	if !ok {
		t.Fatal("it takes no streams")
	}
	return st
}

const streamKey asset.Key = "storagetest/streams/pending"

func (s *suite) stream(t *testing.T, content string) storage.Stream {
	t.Helper()
	st, err := s.streams(t, s.Store).Stream(t.Context(), streamKey)
	must(t, "stream", err)
	write(t, st, content)
	return st
}

func write(t *testing.T, st storage.Stream, content string) {
	t.Helper()
	before := st.Size()
	n, err := io.WriteString(st, content)
	if err != nil || n != len(content) || st.Size() != before+int64(n) {
		t.Fatalf("write: want %d bytes, got %d, %v; size %d", len(content), n, err, st.Size())
	}
}

// bytesOf makes a text of parts, and some more bytes, of which no two parts are alike.
func (s *suite) bytesOf(parts, more int) string {
	var b strings.Builder
	for i := range parts {
		b.WriteString(strings.Repeat(string(rune('a'+i)), s.opts.Part))
	}
	return b.String() + strings.Repeat("z", more)
}

func publishes(t *testing.T, s *suite, st storage.Stream, want string) {
	t.Helper()
	obj, err := st.Publish(t.Context(), streamKey, storage.PutOptions{IfAbsent: true})
	must(t, "publish", err)
	if stat := s.stat(t, streamKey); obj.Version != stat.Version || obj.Size != int64(len(want)) {
		t.Fatalf("publish answers %+v, stat %+v", obj, stat)
	}
	s.wantContent(t, streamKey, want)
	must(t, "discard after publish", st.Discard())
	s.wantContent(t, streamKey, want)
}

func streamFew(t *testing.T, s *suite) {
	for _, n := range []int{0, 1, s.opts.Part} {
		st := s.stream(t, s.bytesOf(0, n))
		if st.Token() != "" || st.Sent() != 0 {
			t.Fatalf("%d bytes: the store has %d already", n, st.Sent())
		}
		publishes(t, s, st, s.bytesOf(0, n))
		must(t, "remove", s.Remove(t.Context(), streamKey, ""))
	}
}

func streamInvisible(t *testing.T, s *suite) {
	before := all(t, s.other, asset.Root)
	content := s.bytesOf(3, 5)
	st := s.stream(t, content)
	must(t, "settle", st.Settle(t.Context()))
	if st.Sent() != int64(3*s.opts.Part) || st.Token() == "" {
		t.Fatalf("want three parts sent, got %d bytes", st.Sent())
	}
	sameFiles(t, "while it comes", before, all(t, s.other, asset.Root))
	s.wantAbsent(t, streamKey)
	publishes(t, s, st, content)
	_, err := s.streams(t, s.other).Streamed(t.Context(), st.Token())
	if err == nil {
		t.Fatal("it has a token still")
	}
}

func streamReadAt(t *testing.T, s *suite) {
	content := s.bytesOf(1, 50)
	st := s.stream(t, content)
	defer func() { must(t, "discard", st.Discard()) }()
	must(t, "settle", st.Settle(t.Context()))
	got, err := io.ReadAll(io.NewSectionReader(st, st.Sent(), st.Size()-st.Sent()))
	if want := content[st.Sent():]; err != nil || string(got) != want {
		t.Fatalf("want %s, got %s, %v", brief(want), brief(string(got)), err)
	}
	if _, err := st.ReadAt(make([]byte, 1), 0); err == nil {
		t.Fatal("want nothing read that was sent")
	}
}

func streamGoesOn(t *testing.T, s *suite) {
	content := s.bytesOf(3, 9)
	st := s.stream(t, content)
	must(t, "settle", st.Settle(t.Context()))
	token := st.Token()
	must(t, "leave", st.Leave())
	must(t, "discard what was left", st.Discard())
	there, err := s.streams(t, s.other).Streamed(t.Context(), token)
	must(t, "streamed", err)
	if len(there.Ends) != 3 || there.Ends[2] != int64(3*s.opts.Part) || there.Changed.IsZero() {
		t.Fatalf("want three parts, got %+v", there)
	}
	if _, err := s.streams(t, s.other).GoOn(t.Context(), token, int64(s.opts.Part)+1); err == nil {
		t.Fatal("want it to go on behind parts only")
	}
	again, err := s.streams(t, s.other).GoOn(t.Context(), token, there.Ends[2])
	must(t, "go on", err)
	if again.Key() != streamKey || again.Size() != there.Ends[2] || again.Token() != token {
		t.Fatalf("it goes on as %s with %d bytes", again.Key(), again.Size())
	}
	rest := content[3*s.opts.Part:] + s.bytesOf(1, 1)
	write(t, again, rest)
	publishes(t, s, again, content[:3*s.opts.Part]+rest)
	_, err = s.streams(t, s.Store).GoOn(t.Context(), token, 0)
	wantErr(t, "go on with what was published", fs.ErrNotExist, err)
}

func streamRewinds(t *testing.T, s *suite) {
	st := s.stream(t, s.bytesOf(3, 9))
	must(t, "settle", st.Settle(t.Context()))
	token := st.Token()
	must(t, "leave", st.Leave())
	again, err := s.streams(t, s.Store).GoOn(t.Context(), token, int64(s.opts.Part))
	must(t, "go on", err)
	write(t, again, "other bytes")
	publishes(t, s, again, s.bytesOf(1, 0)+"other bytes")
}

func streamDiscard(t *testing.T, s *suite) {
	st := s.stream(t, s.bytesOf(2, 2))
	token := st.Token()
	for range 2 {
		must(t, "discard", st.Discard())
	}
	_, err := s.streams(t, s.other).Streamed(t.Context(), token)
	wantErr(t, "streamed", fs.ErrNotExist, err)
	must(t, "give up what was", s.streams(t, s.other).GiveUp(t.Context(), token))
	s.wantAbsent(t, streamKey)
	if _, err := st.Write([]byte("x")); err == nil {
		t.Fatal("written after Discard")
	}

	st = s.stream(t, s.bytesOf(2, 2))
	token = st.Token()
	must(t, "leave", st.Leave())
	must(t, "give up", s.streams(t, s.other).GiveUp(t.Context(), token))
	_, err = s.streams(t, s.Store).GoOn(t.Context(), token, 0)
	wantErr(t, "go on", fs.ErrNotExist, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.streams(t, s.Store).Stream(ctx, streamKey)
	wantErr(t, "stream with a canceled context", context.Canceled, err)
}

// Two go on with one stream, as after a network that came back: at most one of them is told that it has published it.
func streamWinner(t *testing.T, s *suite) {
	for range s.rounds(8) {
		st := s.stream(t, s.bytesOf(2, 1))
		must(t, "settle", st.Settle(t.Context()))
		token := st.Token()
		other, err := s.streams(t, s.other).GoOn(t.Context(), token, int64(s.opts.Part))
		must(t, "go on", err)
		write(t, other, strings.Repeat("other", s.opts.Part/2))
		both := []storage.Stream{st, other}
		errs := make([]error, 2)
		done := make(chan int)
		for i := range both {
			go func() {
				_, errs[i] = both[i].Publish(t.Context(), streamKey, storage.PutOptions{IfAbsent: true})
				done <- i
			}()
		}
		<-done
		<-done
		if errs[0] == nil && errs[1] == nil {
			t.Fatal("both are told that they published it")
		}
		for i, want := range []string{s.bytesOf(2, 1), s.bytesOf(1, 0) + strings.Repeat("other", s.opts.Part/2)} {
			if errs[i] == nil {
				s.wantContent(t, streamKey, want)
			}
			must(t, "discard", both[i].Discard())
		}
		if err := s.Remove(t.Context(), streamKey, ""); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
}
