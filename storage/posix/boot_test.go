package posix

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// startChild runs a process that has something staged in the store; end kills it and waits.
func startChild(t *testing.T, dir string) (staged string, end func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait()
		_ = stdin.Close()
	})
	t.Cleanup(end)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the child said %q, %v", line, err)
	}
	return filepath.Join(dir, strings.TrimSpace(line)), end
}

func TestOpen_keepsWhatALivingProcessStages(t *testing.T) {
	dir := t.TempDir()
	staged, end := startChild(t, dir)
	reopen := func() {
		s, err := Open(t.Context(), dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	reopen()
	if b, err := os.ReadFile(staged); err != nil || string(b) != "half of a fi" {
		t.Fatalf("want the living process's bytes kept, got %q, %v", b, err)
	}
	end()
	reopen()
	if _, err := os.Stat(filepath.Dir(filepath.Dir(staged))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want the killed process's folder gone, got %v", err)
	}
}

func TestOpen_onAShareAFolderOfUnknownAgeIsKept(t *testing.T) {
	dir := t.TempDir()
	staged, end := startChild(t, dir)
	end()
	s, err := Open(t.Context(), dir, Options{Remote: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := os.Stat(staged); err != nil {
		t.Errorf("want it kept for a day, since its process may live on another machine, got %v", err)
	}
}

// A server of a share that has just started gives no locks for a while, and some never do.
func TestOpen_onAShareNoLockIsTaken(t *testing.T) {
	for remote, want := range map[bool]error{true: nil, false: unix.EWOULDBLOCK} {
		s, err := Open(t.Context(), t.TempDir(), Options{Create: true, Remote: remote})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		lock, err := os.Open(filepath.Join(s.Dir(), string(s.boot.key), lockName))
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, want) {
			t.Errorf("remote %v: want the lock of its process's folder taken by others with %v, got %v", remote, want, err)
		}
	}
}

// Daemons and commands come and go on one store at the same time; none may take another for dead.
func TestOpen_manyAtOnceDoNotTakeEachOtherForDead(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 40 {
				s, err := Open(t.Context(), dir, Options{})
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				key := asset.Key("k").Join(asset.Key(rune('a' + i)))
				_, err = s.Put(t.Context(), key, strings.NewReader("x"), storage.PutOptions{Deferred: true})
				if err == nil {
					err = s.Remove(t.Context(), key, "")
				}
				if err != nil {
					t.Errorf("round %d: put and remove: %v", n, err)
				}
				if err := s.Close(); err != nil {
					t.Errorf("close: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	left, err := os.ReadDir(filepath.Join(dir, string(Private)))
	if err != nil || len(left) != 0 {
		t.Errorf("want nothing left of any process, got %v, %v", left, err)
	}
}

func TestClose_isIdempotentAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "a/b", "x", storage.PutOptions{})
	if err := s.Remove(t.Context(), "a/b", ""); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("want no error, got %v", err)
		}
	}
	if left, err := os.ReadDir(filepath.Join(dir, string(Private))); err != nil || len(left) != 0 {
		t.Errorf("want nothing left, got %v, %v", left, err)
	}
	if _, err := s.Stat(t.Context(), "a"); err == nil {
		t.Error("want an error after Close, got none")
	}
}

func TestRestoredName_isAlwaysANameThatFits(t *testing.T) {
	long := strings.Repeat("n", asset.MaxComponent)
	for _, c := range []struct {
		key  asset.Key
		n    int
		want asset.Key // empty: only that it fits
	}{
		{"a/b.jpg", 1, "a/b.jpg"},
		{"a/b.jpg", 2, "a/b (restored 2).jpg"},
		{"a/b", 3, "a/b (restored 3)"},
		{".hidden", 2, ".hidden (restored 2)"},
		{"B.JPG", 2, "B (restored 2).JPG"},
		{"x.", 2, "x (restored 2)."},
		{asset.Key(long), 999, asset.Key(long[:asset.MaxComponent-len(" (restored 999)")] + " (restored 999)")},
		{asset.Key("a/" + long[:251] + ".jpg"), 2, asset.Key("a/" + long[:238] + " (restored 2).jpg")},
		{asset.Key("a." + long[:253]), 2, ""},
		{asset.Key("." + long[:254]), 2, ""},
		{"x.\xff\xff\xff\xff", 2, "x (restored 2).\xff\xff\xff\xff"}, // the extension grows when it is made lower case
		{"x.ȺȺȺȺ", 2, "x (restored 2).ȺȺȺȺ"},
		{"x.İİ", 2, "x (restored 2).İİ"},
		{asset.Key("é" + strings.Repeat("é", 125) + ".png"), 2, ""},
	} {
		got := restoredName(c.key, c.n)
		if c.want != "" && got != c.want {
			t.Errorf("%.40q: want %q, got %q", c.key, c.want, got)
		}
		if _, err := asset.ParseKey(string(got)); err != nil || got.Dir() != c.key.Dir() || c.n > 1 && got == c.key {
			t.Errorf("%.40q: want another usable name in the same folder, got %q, %v", c.key, got, err)
		}
	}
}

func TestOpen_putsBackEveryNameThatAFileCanHave(t *testing.T) {
	dir := t.TempDir()
	aside := filepath.Join(dir, string(Private), "DEADBOOT", asideName)
	names := []string{"x.\xff\xff\xff", "x." + strings.Repeat("e", 253), strings.Repeat("n", 255), "a b\n.jpg", ".h"}
	for _, d := range []string{dir, aside} {
		if err := os.MkdirAll(d, 0o777); err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			if err := os.WriteFile(filepath.Join(d, n), []byte(d), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	files := 0
	for o, err := range s.List(t.Context(), asset.Root, storage.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == storage.Regular {
			files++
		}
	}
	if files != 2*len(names) {
		t.Errorf("want all %d files, got %d", 2*len(names), files)
	}
}

// removeInPart sets an object aside as a process does that is killed before it has deleted it.
func removeInPart(t *testing.T, s *Store, key asset.Key) {
	t.Helper()
	killed := errors.New("killed")
	err := s.takeAway(key, "", s.boot.toGo, func(aside asset.Key) error {
		dead := filepath.Join(s.Dir(), string(Private), "DEADBOOT", strings.TrimPrefix(string(aside), string(s.boot.key)))
		if err := os.MkdirAll(filepath.Dir(dead), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(s.Dir(), string(aside)), dead); err != nil {
			t.Fatal(err)
		}
		return killed
	})
	if !errors.Is(err, killed) {
		t.Fatal(err)
	}
}

// TestOpen_endsTheRemovalOfADeadProcess: what was to go goes, also when something new has its name by now. What was written to
// meanwhile stays.
func TestOpen_endsTheRemovalOfADeadProcess(t *testing.T) {
	s := open(t)
	long := asset.Key("in/" + strings.Repeat("n", 250))
	changed := filepath.Join(s.Dir(), "in", "changed.jpg")
	for _, key := range []asset.Key{"in/old.jpg", "in/again.jpg", "in/changed.jpg", "in/.h", "x", long} {
		put(t, s, key, "old", storage.PutOptions{})
	}
	writer, err := os.OpenFile(changed, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	for _, key := range []asset.Key{"in/old.jpg", "in/again.jpg", "in/changed.jpg", "in/.h", "x", long} {
		removeInPart(t, s, key)
	}
	put(t, s, "in/again.jpg", "new", storage.PutOptions{})
	if _, err := writer.WriteString(" and more"); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), s.Dir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	got := map[asset.Key]string{}
	for o, err := range again.List(t.Context(), asset.Root, storage.ListOptions{Recursive: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == storage.Regular {
			got[o.Key] = storagetest.Content(t, again, o.Key)
		}
	}
	want := map[asset.Key]string{"in/again.jpg": "new", "in/changed.jpg": "old and more", long: "old"}
	if !maps.Equal(got, want) {
		t.Errorf("want %v, got %v", want, got)
	}
}
