package ftpgate_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/ftpgate"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

var errDisk = errors.New("input/output error")

// faulty makes the world's store fail as it is told.
func (w *world) faulty() *storagetest.Fault {
	f := storagetest.NewFault(w.store)
	w.store, w.rename = f, nil // by the store's own Move
	return f
}

func TestFaults_areToldAndLeaveNoDrop(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule storagetest.Rule
		code int
	}{
		"stage":             {storagetest.Rule{Op: storagetest.OpStage, Err: errDisk}, 451},
		"write":             {storagetest.Rule{Op: storagetest.OpWrite, Err: errDisk, After: 1}, 451},
		"disk full":         {storagetest.Rule{Op: storagetest.OpWrite, Err: storage.ErrFull, After: 1}, 452},
		"not durable":       {storagetest.Rule{Op: storagetest.OpPublish, Err: errDisk}, 451},
		"full at the end":   {storagetest.Rule{Op: storagetest.OpPublish, Err: storage.ErrFull}, 452},
		"not now":           {storagetest.Rule{Op: storagetest.OpStage, Err: asset.ErrNotNow}, 450},
		"cannot be seen":    {storagetest.Rule{Op: storagetest.OpStat, Err: errDisk}, 451},
		"publish half done": {storagetest.Rule{Op: storagetest.OpPublish, Err: errDisk, When: storagetest.After}, 451},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f := w.faulty()
			g := w.run()
			client := login(t, g)
			lift := f.Inject(c.rule)
			d := client.data()
			client.send("STOR a.jpg")
			code, text, err := client.read()
			check(t, err)
			if code == 150 {
				_, _ = io.WriteString(d, strings.Repeat("x", 200_000))
				_ = d.Close()
				code, text, err = client.read()
				check(t, err)
			}
			if code != c.code {
				t.Errorf("want %d, got %q", c.code, text)
			}
			lift()
			if left := w.kept(); len(left) != 0 {
				t.Errorf("want nothing left that could become a drop, got %q", left)
			}
			if got := w.drops("inbox"); len(got) != 0 {
				t.Errorf("want no drop, got %v", got)
			}
			client.upload("a.jpg", "again")
			client.do(200, "NOOP")
			// A program that another test starts just now may hold the file open for a moment; then it gets its name a moment later.
			eventually(t, "the second one", func() bool { return w.content("inbox/a.jpg") == "again" })
		})
	}
}

func TestFaults_aStoredUploadGetsItsNameInTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.faulty()
	g := w.run()
	c := login(t, g)
	f.Inject(storagetest.Rule{Op: storagetest.OpMove, Err: errDisk, Times: 2})
	c.upload("a.jpg", "all")
	c.do(200, "NOOP")
	if got := w.content("inbox/a.jpg"); got != "absent" {
		t.Errorf("want it not there yet, got %q", got)
	}
	eventually(t, "the file to have its name", func() bool { return w.content("inbox/a.jpg") == "all" })
}

func TestCheck_refusesBeforeTheClientIsToldThatItIsStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run(func(o *ftpgate.Options) { o.Check = onlyX })
	c := login(t, g)
	d := c.begin("STOR a.jpg")
	_, err := io.WriteString(d, "y")
	check(t, err)
	check(t, d.Close())
	if got := c.want(553); !strings.Contains(got, "it does not begin with x") {
		t.Errorf("want the reason, got %q", got)
	}
	if left := w.kept(); len(left) != 0 {
		t.Errorf("want nothing kept of what was refused, got %q", left)
	}
	c.upload("a.jpg", "x")
}

// onlyX is a check of the bytes.
func onlyX(_ context.Context, u ftpgate.Upload) error {
	first := make([]byte, 1)
	if _, err := u.Bytes.ReadAt(first, 0); err != nil || first[0] != 'x' || u.Size != 1 || u.User != user {
		return errors.New("it does not begin with x")
	}
	return nil
}

// TestFaults_whatACrashHasCutIsNoDrop cuts one of two uploads that a dead gate has stored, as a power cut does that comes before their
// bytes are durable.
func TestFaults_whatACrashHasCutIsNoDrop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.faulty()
	g := w.run()
	c := login(t, g)
	lift := f.Inject(storagetest.Rule{Op: storagetest.OpMove, Err: errDisk})
	for _, name := range []string{"cut.jpg", "whole.jpg", strings.Repeat("long", 50) + ".jpg"} {
		c.upload(name, "all of "+name)
	}
	c.do(200, "NOOP")
	g.stop()
	pending, err := os.ReadDir(filepath.Join(w.dir, "workarea/ftp/pending/inbox"))
	if err != nil || len(pending) != 4 { // the long name is in a file of its own
		t.Fatalf("want three uploads pending, got %v, %v", pending, err)
	}
	for _, e := range pending {
		if file := filepath.Join(w.dir, "workarea/ftp/pending/inbox", e.Name()); contentAt(t, file) == "all of cut.jpg" {
			check(t, os.Truncate(file, 3))
		}
	}
	lift()
	w.run()
	eventually(t, "the whole ones to have their names", func() bool {
		return w.content("inbox/whole.jpg") == "all of whole.jpg" && len(w.drops("inbox")) == 2
	})
	eventually(t, "nothing to be left", func() bool {
		left, err := os.ReadDir(filepath.Join(w.dir, "workarea/ftp/pending/inbox"))
		return err == nil && len(left) == 0
	})
	if got := w.content("inbox/cut.jpg"); got != "absent" {
		t.Errorf("want nothing of what was cut, got %q", got)
	}
}

func contentAt(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	check(t, err)
	return string(data)
}
