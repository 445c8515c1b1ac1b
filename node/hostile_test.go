package node

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
)

// oddNames are the names that people and machines really make, and worse; one Go string a line.
func oddNames(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("../testdata/odd-names.txt")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, err := strconv.Unquote(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		names = append(names, name)
	}
	return names
}

func TestHostile_everyOddNameIsImportedUnderItself(t *testing.T) {
	r := start(t, options(t, t.TempDir(), rule("inbox")))
	count := 0
	for i, name := range oddNames(t) {
		path := r.inbox("") + "/" + name
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		data := jpeg(2000, uint64(i))
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if why := r.room.Ignored("inbox", asset.Key(name)); why != "" {
			t.Logf("%q is ignored: %s", name, why)
			continue
		}
		count++
		within(t, 10*time.Second, strconv.Quote(name)+" imported", func() bool {
			return string(imported(t, r.Area(), asset.Key("inbox/"+name))) == string(data)
		})
	}
	if count < 20 {
		t.Errorf("want many odd names imported, got %d", count)
	}
}

func TestHostile_whatIsNoPlainFileIsLeftAloneAndReported(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.jpg")
	write(t, secret, jpeg(3000, 99))
	r := start(t, options(t, dir, rule("inbox")))
	inbox := r.inbox("")
	within(t, 5*time.Second, "hotfolder made", func() bool { _, err := os.Stat(inbox); return err == nil })
	hostile := map[string]func(path string) error{
		"absolute-link.jpg": func(p string) error { return os.Symlink(secret, p) },
		"relative-link.jpg": func(p string) error { return os.Symlink("../../secret.jpg", p) },
		"dangling-link.jpg": func(p string) error { return os.Symlink("nowhere", p) },
		"loop.jpg":          func(p string) error { return os.Symlink("loop.jpg", p) },
		"folder-link":       func(p string) error { return os.Symlink(dir, p) },
		"hard-link.jpg":     func(p string) error { return os.Link(secret, p) },
		"pipe.jpg":          func(p string) error { return unix.Mkfifo(p, 0o666) },
		"socket.jpg":        func(p string) error { return unix.Mknod(p, unix.S_IFSOCK|0o666, 0) },
		"zero.jpg":          func(p string) error { return unix.Mknod(p, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))) },
	}
	for name, make := range hostile {
		if err := make(filepath.Join(inbox, name)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	good := jpeg(4000, 5)
	write(t, r.inbox("good.jpg"), good)
	r.expect("good.jpg", good)
	if err := r.room.Scan("inbox"); err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, "all reported", func() bool { return r.room.Status()[0].Refused == len(hostile) })
	if err := r.Area().Journal().Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name := range hostile {
		if _, err := os.Lstat(filepath.Join(inbox, name)); err != nil {
			t.Errorf("%s: want it left where it is, got %v", name, err)
		}
		if _, _, err := r.Area().Current(t.Context(), asset.Key("inbox/"+name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: want no import, got %v", name, err)
		}
		reason := ""
		for e, err := range r.Area().Story(t.Context(), "inbox", asset.Key(name), time.Now().Add(-time.Hour)) {
			if err != nil {
				t.Fatal(err)
			}
			reason = e.Reason
		}
		if reason == "" {
			t.Errorf("%s: want its journal to say why it is left alone", name)
		}
	}
	if s := r.room.Status()[0]; s.Reason == "" {
		t.Error("want the hotfolder's status to speak of them")
	}
}
