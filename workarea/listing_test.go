package workarea

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// pages lists to the end, in the order in which it was told: a folder with a slash at its end.
func pages(t testing.TB, a *Area, q Query) (told []string) {
	t.Helper()
	for n := 0; ; n++ {
		page, err := a.List(t.Context(), q)
		if err = errors.Join(err, page.Err); err != nil {
			t.Fatal(err)
		}
		if len(page.Listed) > q.Limit {
			t.Fatalf("want at most %d in a page, got %d", q.Limit, len(page.Listed))
		}
		for _, l := range page.Listed {
			told = append(told, string(l.Name)+map[bool]string{true: "/"}[l.Folder])
		}
		if q.After = page.Next; page.Next == "" {
			return told
		}
		if n > 10_000 {
			t.Fatalf("no end in sight at %q", page.Next)
		}
	}
}

// wanted is what a listing must tell of these names, sorted.
func wanted(names []asset.Key, q Query) []string {
	told := map[string]bool{}
	for _, n := range names {
		rest, ok := strings.CutPrefix(string(n), q.Prefix)
		inner := strings.IndexByte(rest, '/')
		switch {
		case !ok:
		case q.Folders && inner >= 0:
			told[q.Prefix+rest[:inner+1]] = true
		default:
			told[string(n)] = q.Match == nil || q.Match(n)
		}
	}
	maps.DeleteFunc(told, func(_ string, ok bool) bool { return !ok })
	return slices.Sorted(maps.Keys(told))
}

func TestList_tellsEachNameOnceWhateverItIs(t *testing.T) {
	for kind, s := range map[string]storage.Store{"folder": folder(t), "flat": &flat{storagetest.NewMem()}} {
		t.Run(kind, func(t *testing.T) {
			a := open(t, s)
			names := append(oddNames(), "x/y/z", "x/y/zz", "x/yy", "xx", "x-y", "x.y", "x.7", "x.7.json.jpg", "x y/z")
			for i, name := range names {
				mustWalk(t, a, job{key: asset.Key(fmt.Sprint(i)), name: name, body: string(name)})
				if i%3 == 0 {
					mustWalk(t, a, job{key: asset.Key(fmt.Sprint(i, "b")), name: name, body: string(name) + "2"})
				}
			}
			for i, prefix := range prefixesOf(names) {
				for _, limit := range []int{1 + i%5, 1000} {
					for _, folders := range []bool{false, true} {
						q := Query{Prefix: prefix, Limit: limit, Folders: folders}
						got := pages(t, a, q)
						slices.Sort(got)
						if long := len(prefix) > maxPath-100; long {
							got = slices.Compact(got) // see List
						}
						if want := wanted(names, q); !slices.Equal(want, got) {
							t.Errorf("prefix %.80q, limit %d, folders %v: want %.300q\n got %.300q", prefix, limit, folders, want, got)
						}
					}
				}
			}
		})
	}
}

// prefixesOf are all beginnings of the names that are short, and some of those that are long.
func prefixesOf(names []asset.Key) []string {
	all := map[string]bool{"": true, "none": true, "none/": true, "x/y/z/": true}
	for _, n := range names {
		for _, end := range []int{1, 2, 3, 4, 5, 6, 7, 100, 179, 180, 181, 200, 249, 250, 254, 255, 256, 500, len(n) - 1, len(n)} {
			if end > 0 && end <= len(n) {
				all[string(n[:end])] = true
			}
		}
	}
	maps.DeleteFunc(all, func(p string, _ bool) bool { _, err := folderOf(p); return err != nil })
	return slices.Sorted(maps.Keys(all))
}

// flat is a store that lists in the order of bytes, as a bucket does.
type flat struct{ *storagetest.Mem }

func (f *flat) Properties() storage.Properties {
	p := f.Mem.Properties()
	p.Flat = true
	return p
}

func (f *flat) List(ctx context.Context, prefix asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		var files []storage.Object
		for obj, err := range f.Mem.List(ctx, prefix, storage.ListOptions{Recursive: true}) {
			if err != nil {
				yield(obj, err)
				return
			}
			if obj.Kind == storage.Regular && obj.Key > o.StartAfter {
				files = append(files, obj)
			}
		}
		slices.SortFunc(files, func(x, y storage.Object) int { return cmp.Compare(x.Key, y.Key) })
		told := map[asset.Key]bool{} // folders, and whether they are entered
		more := true
		tell := func(obj storage.Object) { more = more && yield(obj, nil) }
		for _, obj := range files {
			if f.folders(prefix, obj.Key, o, told, tell) {
				tell(obj)
			}
			if !more {
				return
			}
		}
	}
}

// folders tells the folders that a file is the first of, and whether the file is to be told.
func (f *flat) folders(prefix, file asset.Key, o storage.ListOptions, told map[asset.Key]bool, tell func(storage.Object)) bool {
	rest, deeper := file.Dir().Below(prefix)
	if !deeper {
		return true
	}
	dir := prefix
	for part := range strings.SplitSeq(string(rest), "/") {
		dir = dir.Join(asset.Key(part))
		entered, known := told[dir]
		if !known {
			entered = o.Recursive && (o.Enter == nil || o.Enter(dir))
			told[dir] = entered
			tell(storage.Object{Key: dir, Kind: storage.Directory})
		}
		if !entered {
			return false
		}
	}
	return true
}
