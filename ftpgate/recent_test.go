package ftpgate_test

import (
	"os"
	"strings"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/ftpgate"
)

// take is the walk, which removes a drop when it has it.
func (w *world) take(name string) {
	w.t.Helper()
	check(w.t, os.Remove(w.path(name)))
}

// Clients look whether a file is there that they have just sent. The walk may have taken it by then.
func TestRecent_whatWasTakenInIsStillSeenByItsUploader(t *testing.T) {
	t.Parallel()
	g := newWorld(t).run()
	c, other := login(t, g), login(t, g)
	c.upload("a.jpg", "12345")
	when := strings.Fields(c.do(213, "MDTM a.jpg"))[1]
	eventually(t, "it heard", func() bool { return g.hasHeard("inbox/a.jpg") })
	g.w.take("inbox/a.jpg")
	for _, see := range []*client{c, other, login(t, g)} {
		see.steps([]step{
			{"SIZE a.jpg", 213, "5"},
			{"MDTM a.jpg", 213, when},
			{"MLST a.jpg", 250, "size=5"},
		})
		for _, list := range []string{"LIST", "NLST", "MLSD", "NLST *.jpg", "LIST a.jpg"} {
			if got := see.download("%s", list); strings.Count(got, "a.jpg") != 1 {
				t.Errorf("%s: want it once, got %q", list, got)
			}
		}
	}
	shop := loginAs(t, g, "box")
	shop.do(550, "SIZE a.jpg")
}

// Nothing can be done with it, and what would go on with it is refused: it would become a drop that is only the rest.
func TestRecent_whatWasTakenInCannotBeChanged(t *testing.T) {
	t.Parallel()
	g := newWorld(t).run()
	c := login(t, g)
	c.upload("a.jpg", "12345")
	c.do(200, "NOOP")
	g.w.take("inbox/a.jpg")
	for _, say := range []string{"DELE a.jpg", "RNFR a.jpg", "RETR a.jpg", "APPE a.jpg"} {
		if strings.HasSuffix(say, "R a.jpg") || strings.HasPrefix(say, "APPE") {
			c.data()
		}
		c.steps([]step{{say, 550, "taken in"}})
	}
	c.data()
	c.steps([]step{{"REST 5", 350, ""}, {"STOR a.jpg", 550, "taken in"}})
	if got := g.w.content("inbox/a.jpg"); got != "absent" {
		t.Errorf("want nothing made of it, got %q", got)
	}
	c.upload("a.jpg", "anew")
	c.do(200, "NOOP")
	if got := g.w.content("inbox/a.jpg"); got != "anew" {
		t.Errorf("want another upload taken, got %q", got)
	}
}

// What the uploader, or somebody else, has removed or moved away is gone for all.
func TestRecent_whatWasRemovedIsNotSeen(t *testing.T) {
	t.Parallel()
	g := newWorld(t).run()
	c := login(t, g)
	c.upload("a.jpg", "12345")
	c.upload("b.jpg", "12345")
	c.do(257, "MKD sub")
	c.upload("sub/c.jpg", "12345")
	c.steps([]step{
		{"DELE a.jpg", 250, ""},
		{"RNFR b.jpg", 350, ""},
		{"RNTO d.jpg", 250, ""},
		{"RNFR sub", 350, ""},
		{"RNTO dir", 250, ""},
		{"SIZE a.jpg", 550, ""},
		{"SIZE b.jpg", 550, ""},
		{"SIZE sub/c.jpg", 550, ""},
	})
	g.w.take("inbox/d.jpg")
	g.w.take("inbox/dir/c.jpg")
	c.steps([]step{{"SIZE d.jpg", 213, "5"}, {"SIZE dir/c.jpg", 213, "5"}, {"RMD dir", 250, ""}, {"SIZE dir/c.jpg", 550, ""}})
	if got := c.download("NLST"); strings.Count(got, "jpg") != 1 {
		t.Errorf("want what was renamed only, got %q", got)
	}
}

// In a bucket a folder is there because of what is in it.
func TestRecent_aFolderOfABucketStaysForItsUploader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g, store := w.runFlat()
	c := login(t, g)
	c.upload("sub/deep/a.jpg", "12345")
	c.do(200, "NOOP")
	check(t, store.Remove(t.Context(), "hotfolders/inbox/sub/deep/a.jpg", ""))
	c.steps([]step{{"CWD sub", 250, ""}, {"CWD deep", 250, ""}})
	if got := c.download("NLST"); got != "a.jpg\r\n" {
		t.Errorf("want the file, got %q", got)
	}
	c.do(250, "CWD /")
	if got := c.download("NLST"); got != "products\r\nsub\r\n" {
		t.Errorf("want the folder, got %q", got)
	}
	loginAs(t, g, "shop").do(550, "CWD sub")
}

// A name that the store cannot hold is refused before anything is sent; it would never get there.
func TestUpload_aNameThatTheStoreCannotHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run(func(o *ftpgate.Options) {
		o.Folders = func(name string) (ftpgate.Folder, bool) {
			f, ok := w.folder(name)
			f.Storable = func(key asset.Key) error {
				if strings.Contains(string(key), "\xff") {
					return asset.ErrKey
				}
				return nil
			}
			return f, ok
		}
	})
	c := login(t, g)
	c.upload("a", "1")
	c.data()
	c.steps([]step{{"STOR b\xff", 553, ""}, {"RNFR a", 350, ""}, {"RNTO b\xff", 553, ""}})
}
