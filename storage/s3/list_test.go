package s3_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/s3"
	"hotfolderd/storage/s3/s3test"
	"hotfolderd/storage/storagetest"
)

// raw puts objects behind the store's back.
func raw(t *testing.T, s *s3test.Server, bucket string, names ...string) {
	t.Helper()
	client := minio.Core{Client: s.Client(t)}
	for _, name := range names {
		content := []byte(strings.TrimSuffix(name, "/"))
		if strings.HasSuffix(name, "/") {
			content = nil
		}
		_, err := client.PutObject(t.Context(), bucket, name, bytes.NewReader(content), int64(len(content)), "", "",
			minio.PutObjectOptions{DisableContentSha256: true})
		if err != nil {
			t.Fatalf("put %q: %v", name, err)
		}
	}
}

// lines are a listing as text: "file a", "dir b".
func lines(t *testing.T, st storage.Store, prefix asset.Key, o storage.ListOptions) []string {
	t.Helper()
	words := map[storage.Kind]string{storage.Regular: "file", storage.Directory: "dir", storage.Misnamed: "odd"}
	var got []string
	for obj, err := range st.List(t.Context(), prefix, o) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, words[obj.Kind]+" "+string(obj.Key))
	}
	return got
}

func wantLines(t *testing.T, what string, want, got []string) {
	t.Helper()
	if !slices.Equal(want, got) {
		t.Errorf("%s:\nwant %q\ngot  %q", what, want, got)
	}
}

const many = 5000

// TestList_ofManyPages fills one folder with 5,000 keys, and some beside it, and lists it in every way.
func TestList_ofManyPages(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		bucket := s.Bucket(t)
		p := s3test.NewProxy(t, s)
		c := config(t, s, bucket, "")
		c.URL = p.URL(bucket, "pre")
		st := opened(t, c)
		keys := make([]asset.Key, many)
		for i := range keys {
			keys[i] = asset.Key(fmt.Sprintf("in/%05d", i))
		}
		fill(t, s, bucket, st, append([]asset.Key{"a", "in-not", "z/y"}, keys...))
		for name, list := range map[string]func(*testing.T, *s3.Store, *s3test.Proxy, []asset.Key){
			"a page at a time": listPages, "after the last": listAfter, "not entered": listOver,
		} {
			t.Run(name, func(t *testing.T) {
				p.Reset()
				list(t, st, p, keys)
				p.Decide(nil)
			})
		}
	})
}

// A listing is a stream: no page is asked for before it is needed, whatever the folder holds.
func listPages(t *testing.T, st *s3.Store, p *s3test.Proxy, keys []asset.Key) {
	n := 0
	for obj, err := range st.List(t.Context(), "in", storage.ListOptions{Recursive: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if obj.Key != keys[n] {
			t.Fatalf("entry %d is %s", n, obj.Key)
		}
		if pages := p.Count("LIST"); pages > n/1000+1 {
			t.Fatalf("at entry %d %d pages have been asked for", n, pages)
		}
		n++
	}
	if pages := p.Count("LIST"); n != many || pages < 5 || pages > 6 { // MinIO shows an empty last page
		t.Errorf("want %d entries in 5 pages, got %d in %d", many, n, pages)
	}
}

// An idle poll of a folder whose names grow is one request, however many there are.
func listAfter(t *testing.T, st *s3.Store, p *s3test.Proxy, keys []asset.Key) {
	for _, o := range []storage.ListOptions{{}, {Recursive: true}} {
		p.Reset()
		o.StartAfter = keys[many-1]
		if got := lines(t, st, "in", o); len(got) != 0 || p.Count("") != 1 {
			t.Errorf("want nothing by 1 request, got %q by %d", got, p.Count(""))
		}
		o.StartAfter = keys[many-3]
		wantLines(t, "after the last but two", []string{"file in/04998", "file in/04999"}, lines(t, st, "in", o))
	}
}

// What is not entered costs a page of it, not all.
func listOver(t *testing.T, st *s3.Store, p *s3test.Proxy, _ []asset.Key) {
	got := lines(t, st, asset.Root, storage.ListOptions{Recursive: true, Enter: func(k asset.Key) bool { return k != "in" }})
	wantLines(t, "without in", []string{"file a", "file in-not", "dir in", "dir z", "file z/y"}, got)
	if n := p.Count("LIST"); n > 3 {
		t.Errorf("want 3 LIST at most, got %d", n)
	}
}

// Pages that do not come, or come in half, are asked for again: nothing is missing, nothing comes twice, files or folders.
func TestList_goesOnBehindWhatWasTold(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		bucket := s.Bucket(t)
		p := s3test.NewProxy(t, s)
		c := config(t, s, bucket, "")
		c.URL = p.URL(bucket, "pre")
		st := opened(t, c)
		var names []string
		for i := range 60 {
			names = append(names, fmt.Sprintf("pre/in/%02d", i), fmt.Sprintf("pre/in/%02d-/x", i), fmt.Sprintf("pre/in/%02d-/y", i))
		}
		raw(t, s, bucket, names...)
		st.SmallPages(20)
		for _, o := range []storage.ListOptions{{}, {Recursive: true}} {
			want := sorted(lines(t, st, "in", o))
			if n := len(want); n != 120 && n != 240 {
				t.Fatalf("%+v: %d entries", o, n)
			}
			for name, fate := range map[string]s3test.Fate{
				"lost": {Lose: true}, "in half": {CutAnswer: 2000}, "refused": {Status: 503}, "no answer": {LoseAnswer: true},
			} {
				lists := 0
				p.Decide(func(*http.Request) s3test.Fate {
					if lists++; lists%2 == 0 {
						return fate
					}
					return s3test.Fate{}
				})
				wantLines(t, fmt.Sprintf("%s, %+v", name, o), want, sorted(lines(t, st, "in", o)))
				p.Decide(nil)
			}
		}
	})
}

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}

func TestList_placeholdersAndOddNames(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		bucket := s.Bucket(t)
		st := opened(t, config(t, s, bucket, "pre"))
		raw(t, s, bucket, "pre/", "pre/in/", "pre/in/empty/", "pre/in/full/", "pre/in/full/x", "pre/in/Case", "pre/in/case", "pre/in/CASE",
			"pre/.hotfolderd/probe/left", "pre/in/.hotfolderd/x", "prefix-of-another", "other/y")
		direct := []string{"file in/CASE", "file in/Case", "file in/case", "dir in/.hotfolderd", "dir in/empty", "dir in/full"}
		wantLines(t, "direct", direct, lines(t, st, "in", storage.ListOptions{}))
		all := []string{
			"dir in", "dir in/.hotfolderd", "file in/.hotfolderd/x", "file in/CASE", "file in/Case", "file in/case", "dir in/empty",
			"dir in/full", "file in/full/x",
		}
		wantLines(t, "everything", all, lines(t, st, asset.Root, storage.ListOptions{Recursive: true}))
		wantLines(t, "the root", []string{"dir in"}, lines(t, st, asset.Root, storage.ListOptions{}))
		wantLines(t, "an empty folder", nil, lines(t, st, "in/empty", storage.ListOptions{}))
		for _, c := range []string{"CASE", "Case", "case"} {
			if got := storagetest.Content(t, st, asset.Key("in/"+c)); got != "pre/in/"+c {
				t.Errorf("%s holds %q", c, got)
			}
		}
	})
}

// A folder made by MakeFolder is there though it holds nothing, and is no drop.
func TestMakeFolder_isThereWhenItIsEmpty(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		st := opened(t, config(t, s, s.VersionedBucket(t), "pre"))
		for range 2 {
			if err := st.MakeFolder(t.Context(), "in/box"); err != nil {
				t.Fatal(err)
			}
		}
		wantLines(t, "empty", nil, lines(t, st, "in/box", storage.ListOptions{Recursive: true}))
		if _, err := put(t.Context(), st, "in/box/a", "x", storage.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := st.Remove(t.Context(), "in/box/a", ""); err != nil {
			t.Fatal(err)
		}
		wantLines(t, "empty again", nil, lines(t, st, "in/box", storage.ListOptions{Recursive: true}))
	})
}

// On servers that can have them, an object and a folder of one name are two things. MinIO shows what is below an object only when that
// is gone, and says so for the folder itself; versitygw refuses the second.
func TestList_keyAndFolderSideBySide(t *testing.T) {
	t.Parallel()
	t.Run("minio", func(t *testing.T) {
		s := shared(t, "minio")
		st := opened(t, config(t, s, s.Bucket(t), ""))
		for _, key := range []asset.Key{"in/a", "in/a/b", "in/a/c/d", "in"} {
			if _, err := put(t.Context(), st, key, string(key), ifAbsent); err != nil {
				t.Fatal(err)
			}
		}
		if got := storagetest.Content(t, st, "in/a/b"); got != "in/a/b" {
			t.Errorf("in/a/b holds %q", got)
		}
		for _, err := range st.List(t.Context(), "in", storage.ListOptions{}) {
			if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "an object has the name of the folder") {
				t.Errorf("list a folder that an object hides: %v", err)
			}
		}
		remove := func(key asset.Key) {
			if err := st.Remove(t.Context(), key, ""); err != nil {
				t.Fatal(err)
			}
		}
		remove("in")
		wantLines(t, "with in/a", []string{"file in/a"}, lines(t, st, "in", storage.ListOptions{Recursive: true}))
		remove("in/a")
		want := []string{"dir in/a", "file in/a/b", "dir in/a/c", "file in/a/c/d"}
		wantLines(t, "without in/a", want, lines(t, st, "in", storage.ListOptions{Recursive: true}))
	})
	t.Run("versitygw", func(t *testing.T) {
		s := shared(t, "versitygw")
		st := opened(t, config(t, s, s.Bucket(t), ""))
		if _, err := put(t.Context(), st, "in/a", "x", ifAbsent); err != nil {
			t.Fatal(err)
		}
		if _, err := put(t.Context(), st, "in/a/b", "x", ifAbsent); err == nil || errors.Is(err, fs.ErrExist) {
			t.Errorf("below an object: %v", err)
		}
		if _, err := put(t.Context(), st, "in", "x", ifAbsent); err == nil || errors.Is(err, fs.ErrExist) {
			t.Errorf("in place of a folder: %v", err)
		}
	})
}

// What a listing says of a name that no key can have is told, not left out. Neither server here takes such names, so the proxy lists
// them.
func TestList_namesThatNoKeyCanHave(t *testing.T) {
	t.Parallel()
	names := map[string]bool{"pre/in//x": true, "pre/in/./y": true, "pre/in/full/": true, "pre/in/ok": true, "pre/in/" + strings.Repeat("n", 256): true}
	st, p := behind(t, shared(t, "versitygw"))
	p.Decide(func(r *http.Request) s3test.Fate {
		if s3test.Kind(r) != "LIST" {
			return s3test.Fate{}
		}
		return s3test.Fate{Status: 200, Body: listing(slices.Sorted(maps.Keys(names)))}
	})
	want := []string{"odd in/%2E%2Fy", "odd in/%2Fx", "dir in/full", "odd in/full%2F", "odd in/" + strings.Repeat("n", 255), "file in/ok"}
	got := lines(t, st, "in", storage.ListOptions{Recursive: true})
	wantLines(t, "odd names", want, got)
	for _, line := range got {
		_, key, _ := strings.Cut(line, " ")
		if _, err := asset.ParseKey(key); err != nil {
			t.Error(err) // it goes into journals, which are read again
		}
	}
}

func listing(names []string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>`)
	for _, n := range names {
		fmt.Fprintf(&b, "<Contents><Key>%s</Key><LastModified>2026-01-02T03:04:05Z</LastModified><ETag>x</ETag><Size>3</Size></Contents>", n)
	}
	return b.String() + "</ListBucketResult>"
}
