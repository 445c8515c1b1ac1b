package storagetest

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
	"hotfolderd/storage"
)

// posixSuite is a store of files and the folder that it lies in, which the test changes behind its back.
type posixSuite struct {
	*suite
	dir string
}

// RunPosix holds a store of files to what the contract says about links, pipes, devices and people who write beside it.
// open gives an empty store for the folder that it is handed. As root it makes device nodes too; as somebody else it looks
// at unreadable folders instead.
func RunPosix(t *testing.T, open func(t *testing.T, dir string) storage.Store) {
	for _, c := range posixCases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			st := open(t, dir)
			c.run(t, &posixSuite{suite: &suite{Store: st, other: st}, dir: dir})
		})
	}
}

var posixCases = []struct {
	name string
	run  func(t *testing.T, s *posixSuite)
}{
	{"Links_areNeverFollowed", posixLinks},
	{"Links_onTheWayAreNeverFollowed", posixLinkOnTheWay},
	{"Special_isNeverOpened", posixSpecial},
	{"HardLinks_areToldApart", posixHardLinks},
	{"Open_neverReadsTheOutside", posixSwappedFile},
	{"List_neverWalksOutside", posixSwappedDir},
	{"List_unreadableFolderIsYielded", posixUnreadable},
	{"Check_seesAnAppend", posixAppend},
	{"Remove_keepsWhatWasAppendedTo", posixRemoveAppended},
	{"Remove_whileSomebodyAppends", posixRemoveRace},
	{"Copy_isNotTheSameFile", posixCopyApart},
	{"Move_keepsAWritersBytes", posixMoveAppended},
	{"Names_notWrittenByTheStore", posixForeignFiles},
}

const secret = "the secret outside"

// path is where key lies.
func (s *posixSuite) path(key asset.Key) string { return filepath.Join(s.dir, string(key)) }

// write makes a file behind the store's back.
func (s *posixSuite) write(t *testing.T, key asset.Key, content string) {
	t.Helper()
	must(t, "mkdir", os.MkdirAll(filepath.Dir(s.path(key)), 0o777))
	must(t, "write", os.WriteFile(s.path(key), []byte(content), 0o666))
}

func (s *posixSuite) appendTo(t *testing.T, key asset.Key, more string) {
	t.Helper()
	f, err := os.OpenFile(s.path(key), os.O_APPEND|os.O_WRONLY, 0)
	must(t, "open", err)
	_, err = f.WriteString(more)
	must(t, "append", errors.Join(err, f.Close()))
}

// outside makes a folder with a secret that no store may show.
func outside(t *testing.T) (dir string) {
	dir = t.TempDir()
	must(t, "write", os.WriteFile(filepath.Join(dir, "secret"), []byte(secret), 0o666))
	return dir
}

// wantUntouched asks for key in each way that would open it; each must be refused, soon.
func (s *posixSuite) wantUntouched(t *testing.T, key asset.Key, kind storage.Kind) {
	t.Helper()
	if got := s.stat(t, key); got.Kind != kind || got.Version != "" {
		t.Fatalf("stat %s: want %v without a version, got %+v", key.Quoted(), kind, got)
	}
	listed := all(t, s, key.Dir())[key]
	if listed.Kind != kind {
		t.Fatalf("list %s: want %v, got %v", key.Quoted(), kind, listed.Kind)
	}
	for obj, err := range s.List(t.Context(), key.Dir(), storage.ListOptions{NamesOnly: true}) {
		if must(t, "list", err); obj.Key == key && obj.Kind == storage.Regular {
			t.Fatalf("names only: %s is listed as regular", key.Quoted())
		}
	}
	for name, call := range map[string]func() error{
		"open": func() error { _, err := s.Open(t.Context(), key, ""); return err },
		"copy": func() error {
			_, err := s.Copy(t.Context(), storage.Object{Key: key}, "copied", storage.PutOptions{})
			return err
		},
		"copy shared": func() error {
			_, err := s.Copy(t.Context(), storage.Object{Key: key}, "copied", storage.PutOptions{Shared: true})
			return err
		},
		"move": func() error {
			_, err := s.Move(t.Context(), storage.Object{Key: key}, "moved", storage.PutOptions{})
			return err
		},
		"remove":  func() error { return s.Remove(t.Context(), key, "") },
		"writers": func() error { _, _, err := s.Writers(t.Context(), key, ""); return err },
	} {
		if err := soon(t, name+" "+key.Quoted(), call); !errors.Is(err, storage.ErrNotRegular) {
			t.Errorf("%s %s: want ErrNotRegular, got %v", name, key.Quoted(), err)
		}
	}
	s.wantAbsent(t, "copied")
	s.wantAbsent(t, "moved")
	if _, err := os.Lstat(s.path(key)); err != nil {
		t.Fatalf("%s is gone: %v", key.Quoted(), err)
	}
}

// soon fails the test when call takes longer than a second: it hangs on a pipe.
func soon(t *testing.T, what string, call func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Second):
		t.Fatalf("%s hangs", what)
		return nil
	}
}

func posixLinks(t *testing.T, s *posixSuite) {
	out := outside(t)
	s.write(t, "in/file", "inside")
	for name, target := range map[string]string{
		"absolute": filepath.Join(out, "secret"), "relative": "../../" + filepath.Base(filepath.Dir(out)) + "/secret",
		"inside": "file", "loop": "loop", "dangling": "nowhere", "directory": out, "up": "..",
	} {
		key := asset.Key("in").Join(asset.Key(name))
		must(t, "symlink", os.Symlink(target, s.path(key)))
		s.wantUntouched(t, key, storage.Link)
	}
	for key := range all(t, s, asset.Root) {
		if key.Base() == "secret" {
			t.Fatalf("the listing went through a link: %s", key.Quoted())
		}
	}
	// A put replaces the link itself, never what it points to.
	s.put(t, "in/absolute", "mine")
	s.wantContent(t, "in/absolute", "mine")
	if b, err := os.ReadFile(filepath.Join(out, "secret")); err != nil || string(b) != secret {
		t.Fatalf("a put wrote through a link: %q, %v", b, err)
	}
	_, err := s.Put(t.Context(), "in/dangling", strings.NewReader("x"), storage.PutOptions{IfAbsent: true})
	wantErr(t, "put if absent onto a dangling link", fs.ErrExist, err)
}

// posixLinkOnTheWay puts a link where a folder of the key should be, outside and inside of the tree.
func posixLinkOnTheWay(t *testing.T, s *posixSuite) {
	out := outside(t)
	s.write(t, "real/secret", "inside")
	must(t, "symlink", os.Symlink(out, s.path("away")))
	must(t, "symlink", os.Symlink("real", s.path("here")))
	for _, dir := range []asset.Key{"away", "here"} {
		key := dir.Join("secret")
		if obj, err := s.Stat(t.Context(), key); err == nil {
			t.Errorf("stat %s followed the link: %+v", key.Quoted(), obj)
		}
		if got, _, err := read(t.Context(), s, key, ""); err == nil {
			t.Errorf("open %s followed the link: %q", key.Quoted(), got)
		}
		if err := s.Remove(t.Context(), key, ""); err == nil {
			t.Errorf("remove %s followed the link", key.Quoted())
		}
		if _, err := s.Put(t.Context(), dir.Join("planted"), strings.NewReader("x"), storage.PutOptions{}); err == nil {
			t.Errorf("put below %s followed the link", dir.Quoted())
		}
		for obj, err := range s.List(t.Context(), dir, storage.ListOptions{Recursive: true}) {
			if err == nil {
				t.Errorf("list %s followed the link: %s", dir.Quoted(), obj.Key.Quoted())
			}
		}
	}
	for _, d := range []string{out, s.path("real")} {
		entries, err := os.ReadDir(d)
		if err != nil || len(entries) != 1 || entries[0].Name() != "secret" {
			t.Fatalf("%s holds %v, %v", d, entries, err)
		}
	}
}

func posixSpecial(t *testing.T, s *posixSuite) {
	must(t, "mkdir", os.Mkdir(s.path("in"), 0o777))
	must(t, "mkfifo", unix.Mkfifo(s.path("in/pipe"), 0o666))
	s.wantUntouched(t, "in/pipe", storage.Special)
	s.socket(t, "in/socket")
	s.wantUntouched(t, "in/socket", storage.Special)
	if os.Getuid() == 0 {
		zero := int(unix.Mkdev(1, 5))
		if err := unix.Mknod(s.path("in/zero"), unix.S_IFCHR|0o666, zero); err == nil { // a container may not be allowed to
			s.wantUntouched(t, "in/zero", storage.Special)
		}
	}
	must(t, "mkdir", os.Mkdir(s.path("in/dir"), 0o777))
	_, err := s.Open(t.Context(), "in/dir", "")
	wantErr(t, "open a directory", storage.ErrNotRegular, err)
	wantErr(t, "remove a directory", storage.ErrNotRegular, s.Remove(t.Context(), "in/dir", ""))
}

// socket makes one by its relative name: a path of a test's folder can be longer than an address may be.
func (s *posixSuite) socket(t *testing.T, key asset.Key) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, "socket", err)
	t.Cleanup(func() { unix.Close(fd) })
	dir, err := os.Open(filepath.Dir(s.path(key)))
	must(t, "open", err)
	defer dir.Close()
	name := filepath.Join("/proc/self/fd", strconv.Itoa(int(dir.Fd())), key.Base())
	must(t, "bind", unix.Bind(fd, &unix.SockaddrUnix{Name: name}))
}

// posixHardLinks: the kind is told, so that a hotfolder can refuse; what is opened says it too.
func posixHardLinks(t *testing.T, s *posixSuite) {
	out := outside(t)
	must(t, "mkdir", os.Mkdir(s.path("in"), 0o777))
	must(t, "link", os.Link(filepath.Join(out, "secret"), s.path("in/linked")))
	if got := s.stat(t, "in/linked"); got.Kind != storage.HardLinked {
		t.Fatalf("stat: want %v, got %v", storage.HardLinked, got.Kind)
	}
	if got := all(t, s, "in")["in/linked"]; got.Kind != storage.HardLinked {
		t.Fatalf("list: want %v, got %v", storage.HardLinked, got.Kind)
	}
	_, obj, err := read(t.Context(), s, "in/linked", "")
	if !errors.Is(err, storage.ErrNotRegular) && (err != nil || obj.Kind != storage.HardLinked) {
		t.Fatalf("open: want ErrNotRegular or a reader of a %v, got %v, %v", storage.HardLinked, obj.Kind, err)
	}
	s.write(t, "in/plain", "x")
	if got := s.stat(t, "in/plain"); got.Kind != storage.Regular {
		t.Fatalf("a file with one name is %v", got.Kind)
	}
}
