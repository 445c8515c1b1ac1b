package ftpgate_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"hotfolderd/ftpgate"
)

func TestUpload_becomesADropAsAWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run()
	c := login(t, g)
	d := c.begin("STOR a b.jpg")
	_, err := io.WriteString(d, "half of it, ")
	check(t, err)
	eventually(t, "the bytes to have come", func() bool { return len(g.Sessions()) == 1 && g.Sessions()[0].Moved == 12 })
	if got := w.content("inbox/a b.jpg"); got != "absent" {
		t.Errorf("want nothing to be seen before the end, got %q", got)
	}
	_, err = io.WriteString(d, "and the rest")
	check(t, err)
	check(t, d.Close())
	c.want(226)
	if got := c.do(213, "SIZE a b.jpg"); got != "213 24" {
		t.Errorf("want 213 24, got %q", got)
	}
	if got := w.content("inbox/a b.jpg"); got != "half of it, and the rest" {
		t.Errorf("want all of it, got %q", got)
	}
	if !g.hasHeard("inbox/a b.jpg") {
		t.Errorf("want the walk to be told, got %q", g.heard)
	}
	c.do(221, "QUIT")
}

func TestUpload_intoAnotherHotfolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run()
	c := login(t, g)
	c.upload("/products/p.jpg", "p")
	c.do(250, "CWD products")
	c.do(257, "MKD sub")
	c.upload("sub/q.jpg", "")
	c.do(200, "NOOP")
}

func TestUpload_isStillKnownToBeWholeAfterARename(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("inbox/others.jpg", "by a share")
	g := w.run()
	c := login(t, g)
	c.upload("a.part", "all")
	c.steps([]step{
		{"RNFR a.part", 350, ""},
		{"RNTO a.jpg", 250, ""},
		{"RNFR others.jpg", 350, ""},
		{"RNTO other.jpg", 250, ""},
		{"MKD new", 257, ""},
	})
	c.upload("new/b.jpg", "b")
	c.steps([]step{{"RNFR new", 350, ""}, {"RNTO done", 250, ""}})
	if !g.hasHeard("inbox/a.jpg") || !g.hasHeard("inbox/done/b.jpg") {
		t.Errorf("want the walk to be told under the new names, got %q", g.heard)
	}
	if g.hasHeard("inbox/other.jpg") {
		t.Error("want nothing told of what was not uploaded here")
	}
	if got := w.content("inbox/a.jpg") + w.content("inbox/done/b.jpg"); got != "allb" {
		t.Errorf("want both under their new names, got %q", got)
	}
}

// The bytes of a large upload go from its connection to the store without passing through the gate, with checkpoints between.
func TestUpload_aLargeOneIsWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run(func(o *ftpgate.Options) { o.Checkpoint = time.Millisecond })
	c := login(t, g)
	var b strings.Builder
	for i := range 600_000 {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	c.upload("large.txt", b.String())
	c.do(200, "NOOP")
	if got := w.content("inbox/large.txt"); got != b.String() {
		t.Errorf("want all %d bytes as they were, got %d", b.Len(), len(got))
	}
}
