package ftpgate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/ftpgate"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// streaming is a world whose store takes uploads while they come.
type streaming struct {
	*world
	mem *storagetest.Mem
}

func newStreaming(t *testing.T) *streaming {
	t.Helper()
	return &streaming{newWorld(t), storagetest.NewMem()}
}

// gate is another node of it.
func (w *streaming) gate(node string, change ...func(*ftpgate.Options)) *gate {
	w.t.Helper()
	return w.run(append(change, func(o *ftpgate.Options) {
		o.Node = node
		o.Folders = func(name string) (ftpgate.Folder, bool) {
			return ftpgate.Folder{Store: w.mem, Streams: w.mem, Prefix: asset.Key("hotfolders/" + name), Aside: "ftp"}, true
		}
	})...)
}

func (w *streaming) has(key asset.Key) string {
	w.t.Helper()
	r, err := w.mem.Open(w.t.Context(), key, "")
	check(w.t, err)
	b, err := io.ReadAll(r)
	check(w.t, err)
	return string(b)
}

// wantNothingKept wants nothing of an upload left.
func (w *streaming) wantNothingKept() {
	w.t.Helper()
	eventually(w.t, "nothing to be kept", func() bool {
		kept := 0
		for o, err := range w.mem.List(w.t.Context(), "ftp", storage.ListOptions{Recursive: true}) {
			if err == nil && o.Kind == storage.Regular {
				kept++
			}
		}
		return kept+w.mem.Streams() == 0
	})
}

// parts are some parts of a stream and the beginning of another, of which no two are alike.
func parts(n, more int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(string(rune('a'+i)), storagetest.MemPart))
	}
	return b.String() + strings.Repeat("z", more)
}

func TestStreams_aBrokenUploadGoesOnAtAnotherNode(t *testing.T) {
	t.Parallel()
	sent := parts(3, 200)
	const part = storagetest.MemPart
	for name, c := range map[string]struct {
		verb, rest string
		at         int
	}{
		"where it ended":          {"STOR", "rest", len(sent)},
		"appended":                {"APPE", "rest", len(sent)},
		"by more parts":           {"APPE", parts(2, 1), len(sent)},
		"inside the last piece":   {"STOR", "rest", 3*part + 7},
		"behind an earlier part":  {"STOR", parts(1, 5), 2 * part},
		"when nothing is missing": {"APPE", "", len(sent)},
		"anew":                    {"STOR", parts(4, 4), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newStreaming(t)
			breakOff(t, w.gate("node-a"), "STOR", "a.bin", sent)
			if w.mem.Streams() != 1 {
				t.Fatalf("want a stream kept, got %d", w.mem.Streams())
			}
			g := w.gate("node-b")
			client := login(t, g)
			if got := client.do(213, "SIZE a.bin"); got != fmt.Sprintf("213 %d", len(sent)) {
				t.Errorf("want all that was sent, got %q", got)
			}
			d := client.data()
			if c.verb == "STOR" && c.at > 0 {
				client.do(350, "REST %d", c.at)
			}
			client.do(150, "%s a.bin", c.verb)
			_, err := io.WriteString(d, c.rest)
			check(t, err)
			check(t, d.Close())
			client.want(226)
			client.do(200, "NOOP")
			if got, want := w.has("hotfolders/inbox/a.bin"), sent[:c.at]+c.rest; got != want {
				t.Errorf("want %d bytes, got %d others", len(want), len(got))
			}
			w.wantNothingKept()
		})
	}
}

// What was sent before the store is asked is not here any more.
func TestStreams_canNotGoOnInsideAPart(t *testing.T) {
	t.Parallel()
	w := newStreaming(t)
	g := w.gate("node-a")
	breakOff(t, g, "STOR", "a.bin", parts(2, 10))
	c := login(t, g)
	for _, at := range []int{1, storagetest.MemPart + 1, 2*storagetest.MemPart + 11} {
		c.data()
		c.do(350, "REST %d", at)
		c.do(554, "STOR a.bin")
	}
	d := c.begin("APPE a.bin")
	check(t, d.Close())
	c.want(226)
	c.do(200, "NOOP")
	if got := w.has("hotfolders/inbox/a.bin"); got != parts(2, 10) {
		t.Errorf("want it as good as before, got %d bytes", len(got))
	}
	w.wantNothingKept()
}

// A node that hangs has the same upload in hand that goes on at another one. When it wakes up it changes nothing.
func TestStreams_aNodeThatHangsIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	w := newStreaming(t)
	a, b := w.gate("node-a", func(o *ftpgate.Options) { o.Checkpoint = time.Nanosecond }), w.gate("node-b")
	hanging := login(t, a)
	d := hanging.begin("STOR a.bin")
	sent := 0
	for _, piece := range []string{parts(2, 100), "more", "and more"} {
		_, err := io.WriteString(d, piece)
		check(t, err)
		sent += len(piece)
		eventually(t, "the bytes to have come", func() bool { return a.Sessions()[0].Moved == int64(sent) })
	}
	c := login(t, b)
	want := parts(2, 100) + "more" + "and more"
	eventually(t, "what came to be kept", func() bool { return c.do(213, "SIZE a.bin") == fmt.Sprintf("213 %d", len(want)) })
	d2 := c.begin("APPE a.bin")
	_, err := io.WriteString(d2, parts(2, 1))
	check(t, err)
	check(t, d2.Close())
	c.want(226)
	c.do(200, "NOOP")
	want += parts(2, 1)
	if got := w.has("hotfolders/inbox/a.bin"); got != want {
		t.Errorf("want all, got %d bytes", len(got))
	}
	_, _ = io.WriteString(d, "late")
	_, _ = hanging.raw.Close(), d.Close()
	eventually(t, "the first session to end", func() bool { return len(a.Sessions()) == 0 })
	if got := w.has("hotfolders/inbox/a.bin"); got != want {
		t.Errorf("want it untouched, got %d bytes", len(got))
	}
	if got := c.do(213, "SIZE a.bin"); got != fmt.Sprintf("213 %d", len(want)) {
		t.Errorf("want the size of the file, got %q", got)
	}
}

func TestStreams_areGivenUpInTheEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, w *streaming, g *gate){
		"deleted":    func(t *testing.T, w *streaming, g *gate) { login(t, g).do(250, "DELE a.bin") },
		"sent anew":  func(t *testing.T, w *streaming, g *gate) { login(t, g).upload("a.bin", parts(2, 2)) },
		"sent short": func(t *testing.T, w *streaming, g *gate) { login(t, g).upload("a.bin", "x") },
		"broken again": func(t *testing.T, w *streaming, g *gate) {
			breakOff(t, g, "STOR", "a.bin", parts(4, 4))
			if w.mem.Streams() != 1 {
				t.Errorf("want the newer one kept, got %d", w.mem.Streams())
			}
			login(t, g).do(250, "DELE a.bin")
		},
		"forgotten": func(t *testing.T, w *streaming, g *gate) {
			g.stop()
			w.gate("node-b", func(o *ftpgate.Options) { o.ResumeTTL = time.Nanosecond })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newStreaming(t)
			g := w.gate("node-a")
			breakOff(t, g, "STOR", "a.bin", parts(3, 3))
			end(t, w, g)
			w.wantNothingKept()
		})
	}
}

func TestStreams_ofWhichNothingIsToBeKeptLeaveNothing(t *testing.T) {
	t.Parallel()
	w := newStreaming(t)
	g := w.gate("node-a", func(o *ftpgate.Options) { o.ResumeTTL = -1 })
	breakOff(t, g, "STOR", "a.bin", parts(3, 3))
	w.wantNothingKept()
}

// A check that reads finds all bytes here; a stream that is there already is not gone on with.
func TestStreams_areNotMadeWhereTheBytesAreRead(t *testing.T) {
	t.Parallel()
	w := newStreaming(t)
	breakOff(t, w.gate("node-a"), "STOR", "a.bin", parts(3, 3))
	var seen string
	g := w.gate("node-b", func(o *ftpgate.Options) {
		o.Check = func(_ context.Context, u ftpgate.Upload) error {
			b, err := io.ReadAll(io.NewSectionReader(u.Bytes, 0, u.Size))
			if seen = string(b); strings.HasPrefix(seen, "bad") {
				err = errors.Join(err, errors.New("it is bad"))
			}
			return err
		}
	})
	c := login(t, g)
	c.do(550, "SIZE a.bin")
	c.upload("b.bin", parts(5, 5))
	if seen != parts(5, 5) {
		t.Errorf("want all bytes seen, got %d", len(seen))
	}
	d := c.begin("STOR c.bin")
	_, err := io.WriteString(d, "bad"+parts(2, 2))
	check(t, err)
	check(t, d.Close())
	c.want(553)
	c.do(550, "SIZE c.bin")
}
