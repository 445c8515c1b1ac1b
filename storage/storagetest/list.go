package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

var listCases = []aCase{
	{"List_directChildren", listDirect},
	{"List_recursiveDirectoriesFirst", listRecursive},
	{"List_entersWhatItIsTold", listEnter},
	{"List_missingPrefix", listMissing},
	{"List_namesOnly", listNamesOnly},
	{"List_stopsWhenToldTo", listBreak},
	{"List_prefixIsAWholeComponent", listComponent},
	{"List_startsAfterAKey", listStartAfter},
	{"List_largeFolder", listLarge},
	{"List_whileItChanges", listWhileChanging},
	{"Names_areKeptByteForByte", oddNames},
}

var listed = []asset.Key{"storagetest/l/a", "storagetest/l/b/c", "storagetest/l/b/d/e", "storagetest/l/z/y"}

func (s *suite) putListed(t *testing.T) {
	t.Helper()
	for _, k := range listed {
		s.put(t, k, string(k))
	}
}

func listDirect(t *testing.T, s *suite) {
	s.putListed(t)
	got := map[asset.Key]storage.Object{}
	for obj, err := range s.other.List(t.Context(), "storagetest/l", storage.ListOptions{}) {
		must(t, "list", err)
		got[obj.Key] = obj
	}
	wantKeys(t, "direct children", []asset.Key{"storagetest/l/a", "storagetest/l/b", "storagetest/l/z"}, got)
	if k := got["storagetest/l/b"].Kind; k != storage.Directory {
		t.Fatalf("b is listed as %v", k)
	}
	stat := s.stat(t, "storagetest/l/a")
	if a := got["storagetest/l/a"]; a.Version != stat.Version || a.Size != stat.Size || a.Kind != stat.Kind {
		t.Fatalf("the listing says %+v, Stat %+v", a, stat)
	}
}

func listRecursive(t *testing.T, s *suite) {
	s.putListed(t)
	seen := map[asset.Key]bool{"storagetest/l": true}
	for obj, err := range s.List(t.Context(), "storagetest/l", storage.ListOptions{Recursive: true}) {
		must(t, "list", err)
		if !seen[obj.Key.Dir()] {
			t.Fatalf("%s comes before its directory", obj.Key.Quoted())
		}
		seen[obj.Key] = true
	}
	want := append([]asset.Key{"storagetest/l/b", "storagetest/l/b/d", "storagetest/l/z"}, listed...)
	wantKeys(t, "everything", want, all(t, s, "storagetest/l"))
	wantKeys(t, "from the root", append(want, "storagetest", "storagetest/l"), all(t, s, asset.Root))
}

func listEnter(t *testing.T, s *suite) {
	s.putListed(t)
	var asked []asset.Key
	got := map[asset.Key]storage.Object{}
	o := storage.ListOptions{Recursive: true, Enter: func(k asset.Key) bool {
		asked = append(asked, k)
		return k != "storagetest/l/b"
	}}
	for obj, err := range s.List(t.Context(), "storagetest/l", o) {
		must(t, "list", err)
		got[obj.Key] = obj
	}
	wantKeys(t, "without b", []asset.Key{"storagetest/l/a", "storagetest/l/b", "storagetest/l/z", "storagetest/l/z/y"}, got)
	for _, k := range asked {
		if k == "storagetest/l" || k == asset.Root || strings.HasPrefix(string(k), "storagetest/l/b/") {
			t.Fatalf("Enter was asked about %s", k.Quoted())
		}
	}
}

// listStartAfter: what comes after the key is always listed; what does not is left out by a flat store.
func listStartAfter(t *testing.T, s *suite) {
	s.putListed(t)
	for _, after := range []asset.Key{"storagetest/k", "storagetest/l", "storagetest/l/a", "storagetest/l/b/c", "storagetest/l/b/d/f", "storagetest/l/z/y", "storagetest/m"} {
		got := map[asset.Key]bool{}
		for obj, err := range s.List(t.Context(), "storagetest/l", storage.ListOptions{Recursive: true, StartAfter: after}) {
			must(t, "list after "+after.Quoted(), err)
			got[obj.Key] = true
		}
		for _, k := range listed {
			if want := k > after || !s.Properties().Flat; got[k] != want {
				t.Errorf("after %s: %s is listed: %v, want %v", after.Quoted(), k.Quoted(), got[k], want)
			}
		}
	}
}

func listMissing(t *testing.T, s *suite) {
	s.putListed(t)
	for _, o := range []storage.ListOptions{{}, {Recursive: true}, {NamesOnly: true}} {
		n := 0
		for obj, err := range s.List(t.Context(), "storagetest/no/such", o) {
			n++
			wantErr(t, "list a missing prefix", fs.ErrNotExist, err)
			if n > 1 {
				t.Fatalf("a missing prefix yields more: %+v", obj)
			}
		}
		if n == 0 {
			t.Fatal("a missing prefix yields nothing: an unmounted share would look like an empty one")
		}
	}
}

func listNamesOnly(t *testing.T, s *suite) {
	s.putListed(t)
	got := map[asset.Key]storage.Object{}
	for obj, err := range s.List(t.Context(), "storagetest/l", storage.ListOptions{Recursive: true, NamesOnly: true}) {
		must(t, "list", err)
		got[obj.Key] = obj
	}
	wantKeys(t, "names", append([]asset.Key{"storagetest/l/b", "storagetest/l/b/d", "storagetest/l/z"}, listed...), got)
	for k, obj := range got {
		if file := strings.Contains("a c e y", k.Base()); file != (obj.Kind == storage.Regular) {
			t.Fatalf("%s is listed as %v", k.Quoted(), obj.Kind)
		}
	}
}

func listBreak(t *testing.T, s *suite) {
	s.putListed(t)
	for stop := 1; stop <= len(listed); stop++ {
		n := 0
		for _, err := range s.List(t.Context(), "storagetest", storage.ListOptions{Recursive: true}) {
			must(t, "list", err)
			if n++; n == stop {
				break
			}
		}
	}
	if n := len(all(t, s, "storagetest/l")); n != len(listed)+3 {
		t.Fatalf("after broken listings a whole one has %d entries", n)
	}
}

func listComponent(t *testing.T, s *suite) {
	s.put(t, "storagetest/ab/x", "x")
	s.put(t, "storagetest/abc", "y")
	wantKeys(t, "below ab", []asset.Key{"storagetest/ab/x"}, all(t, s, "storagetest/ab"))
	for _, err := range s.List(t.Context(), "storagetest/a", storage.ListOptions{}) {
		wantErr(t, "list half a name", fs.ErrNotExist, err)
	}
}

func listLarge(t *testing.T, s *suite) {
	entries := s.opts.Entries
	if entries == 0 {
		entries = DefaultEntries
		if testing.Short() {
			entries /= 10
		}
	}
	keys := make([]asset.Key, entries)
	for i := range keys {
		keys[i] = asset.Key(fmt.Sprintf("storagetest/large/%06d", i))
	}
	fill := s.opts.Fill
	if fill == nil {
		fill = putMany
	}
	fill(t, s.Store, keys)
	wantKeys(t, "large folder", keys, all(t, s.other, "storagetest/large"))
	n := 0
	for _, err := range s.List(t.Context(), "storagetest/large", storage.ListOptions{NamesOnly: true}) {
		must(t, "list", err)
		n++
	}
	if n != entries {
		t.Fatalf("names only: want %d, got %d", entries, n)
	}
}

// putMany puts the keys from many goroutines, so that a store that shares the cost of a flush can.
func putMany(t *testing.T, s storage.Store, keys []asset.Key) {
	const writers = 64
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		wg.Go(func() {
			for i := w; i < len(keys) && errs[w] == nil; i += writers {
				_, errs[w] = s.Put(t.Context(), keys[i], strings.NewReader("x"), storage.PutOptions{Deferred: true})
			}
		})
	}
	wg.Wait()
	must(t, "fill", errors.Join(errs...))
}

// listWhileChanging: what stays is always listed, what comes and goes breaks nothing.
func listWhileChanging(t *testing.T, s *suite) {
	s.putListed(t)
	done := make(chan error, 1)
	go func() {
		for i := range s.rounds(100) {
			key := asset.Key(fmt.Sprintf("storagetest/l/coming/%d/file", i%7))
			_, err := s.other.Put(t.Context(), key, strings.NewReader("x"), storage.PutOptions{Deferred: true})
			if err == nil {
				err = s.other.Remove(t.Context(), key, "")
			}
			if err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		got := all(t, s, "storagetest/l")
		for _, k := range listed {
			if _, ok := got[k]; !ok {
				t.Fatalf("%s is missing while others come and go", k.Quoted())
			}
		}
		select {
		case err := <-done:
			must(t, "put and remove", err)
			return
		default:
		}
	}
}

// builtinNames are allowed by every file system of Linux, and each has broken some program.
var builtinNames = []string{
	"new\nline", "tab\tbed", "carriage\rreturn", "bell\a", "esc\x1b[31mred", " leading", "trailing ", "dot.", "...", "..a",
	"-rf", "--help", "'single'", `"double"`, "`tick`", "$(id)", "a;b&c|d", "*", "?", "[a]", "{a,b}", "%2F", "%", "a+b", "a&b",
	`back\slash`, "#hash", "~", "a:b", "<a>", "\u202egpj.exe", "zero\u200bwidth", "e\u0301", "\u00e9", "\U0001f4f7.jpg", "日本語.png",
	"Ünïcödé", "CON", "NUL.txt", "desktop.ini", ".hidden", "invalid\xff\xfeutf8", "half\xe2\x82", "A", "a",
	"DEL\x7f", "=cmd()", "base64:eA==", strings.Repeat("n", 255), strings.Repeat("ä", 127) + "x",
}

func oddNames(t *testing.T, s *suite) {
	var want []asset.Key
	for i, name := range append(namesFromFile(t), builtinNames...) {
		base, err := asset.ParseKey(name)
		must(t, "a name of the list", err)
		keys := []asset.Key{asset.Key("storagetest/odd").Join(base), asset.Key("storagetest/deep").Join(base).Join("in")}
		if s.opts.Slow {
			keys = keys[i%2 : i%2+1]
		}
		for _, key := range keys {
			if s.opts.Holds != nil && !s.opts.Holds(key) {
				if _, err := s.Put(t.Context(), key, strings.NewReader(name), storage.PutOptions{}); err == nil {
					t.Errorf("%s cannot be held, but was put", key.Quoted())
				}
				continue
			}
			if _, err := s.Put(t.Context(), key, strings.NewReader(name), storage.PutOptions{Deferred: true}); err != nil {
				t.Fatalf("put %s: %v", key.Quoted(), err)
			}
			want = append(want, key)
		}
	}
	s.wantNames(t, want)
}

// wantNames finds each key in the listing, reads it, and removes it again by what the listing said.
func (s *suite) wantNames(t *testing.T, want []asset.Key) {
	t.Helper()
	files := map[asset.Key]storage.Object{}
	for key, obj := range all(t, s.other, "storagetest") {
		if obj.Kind == storage.Regular {
			files[key] = obj
		}
	}
	wantKeys(t, "odd names", dedup(want), files)
	for key, obj := range files {
		content := key.Base()
		if content == "in" {
			content = key.Dir().Base()
		}
		s.wantContent(t, key, content)
		must(t, "remove "+key.Quoted(), s.Remove(t.Context(), key, obj.Version))
		s.wantAbsent(t, key)
	}
}

func dedup(keys []asset.Key) []asset.Key {
	var once []asset.Key
	seen := map[asset.Key]bool{}
	for _, k := range keys {
		if !seen[k] {
			once = append(once, k)
		}
		seen[k] = true
	}
	return once
}

// namesFromFile reads the list that all tests share, when the test runs where it is: one name a line, in Go's quotes or
// bare; # begins a comment.
func namesFromFile(t *testing.T) []string {
	b, err := os.ReadFile("../../testdata/odd-names.txt")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	must(t, "list of odd names", err)
	var names []string
	for line := range bytes.Lines(b) {
		name := strings.TrimSuffix(string(line), "\n")
		if name == "" || name[0] == '#' {
			continue
		}
		if unquoted, err := strconv.Unquote(name); err == nil {
			name = unquoted
		}
		if _, err := asset.ParseKey(name); err == nil && !strings.Contains(name, "/") {
			names = append(names, name)
		}
	}
	return names
}
