package ftpgate_test

import (
	"io"
	"strings"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/ftpgate"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// runFlat starts a gate on a store in which folders are only parts of names, as in a bucket.
func (w *world) runFlat() (*gate, storage.Store) {
	w.t.Helper()
	store := storagetest.NewMem()
	return w.run(func(o *ftpgate.Options) {
		o.Folders = func(name string) (ftpgate.Folder, bool) {
			return ftpgate.Folder{Store: store, Prefix: asset.Key("hotfolders/" + name), Aside: "ftp"}, true
		}
	}), store
}

func TestFlatStore_foldersAreJustNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g, store := w.runFlat()
	c := login(t, g)
	if got := c.download("NLST"); got != "products\r\n" {
		t.Errorf("want a new hotfolder to be there and empty, got %q", got)
	}
	c.steps([]step{
		{"CWD sub", 550, ""},
		{"MKD sub", 257, ""},
		{"MKD sub", 550, ""},
		{"CWD sub", 250, ""},
		{"MKD deeper", 257, ""},
		{"CDUP", 250, ""},
		{"RMD sub/deeper", 250, ""},
		{"CWD sub/deeper", 550, ""},
	})
	if got := c.download("NLST"); got != "products\r\nsub\r\n" {
		t.Errorf("want the folder that was made, got %q", got)
	}
	c.upload("sub/a.jpg", "12345")
	if got := c.download("MLSD"); !strings.Contains(got, " sub\r\n") || strings.Count(got, "\r\n") != 2 {
		t.Errorf("want the folder once, got %q", got)
	}
	c.steps([]step{
		{"RMD sub", 550, "not empty"},
		{"RNFR sub", 350, ""},
		{"RNTO sub/itself", 553, ""},
		{"RNFR sub", 350, ""},
		{"RNTO other", 250, ""},
		{"CWD sub", 550, ""},
		{"SIZE other/a.jpg", 213, "5"},
		{"RNFR other", 350, ""},
		{"RNTO sub", 250, ""},
		{"RNFR sub/a.jpg", 350, ""},
		{"RNTO elsewhere/b.jpg", 250, ""},
		{"SIZE elsewhere/b.jpg", 213, "5"},
	})
	if !g.hasHeard("inbox/other/a.jpg") || !g.hasHeard("inbox/elsewhere/b.jpg") {
		t.Errorf("want it known to be whole under its new name, too, got %q", g.heard)
	}
	if o, err := store.Stat(t.Context(), "hotfolders/inbox/elsewhere/b.jpg"); err != nil || o.Size != 5 {
		t.Errorf("want the file, got %+v, %v", o, err)
	}
}

func TestFlatStore_resumes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g, store := w.runFlat()
	breakOff(t, g, "STOR", "a.jpg", "12345")
	c := login(t, g)
	d := c.begin("APPE a.jpg")
	_, err := io.WriteString(d, "67")
	check(t, err)
	check(t, d.Close())
	c.want(226)
	c.do(200, "NOOP")
	if o, err := store.Stat(t.Context(), "hotfolders/inbox/a.jpg"); err != nil || o.Size != 7 {
		t.Errorf("want all, got %+v, %v", o, err)
	}
	for o, err := range store.List(t.Context(), "ftp", storage.ListOptions{Recursive: true}) {
		if err == nil && o.Kind == storage.Regular {
			t.Errorf("want nothing kept any more, got %q", o.Key)
		}
	}
}
