package workarea

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage/posix"
)

// manyNames makes a catalog by linking one entry under many names.
func manyNames(t testing.TB, n int) *Area {
	t.Helper()
	dir := t.TempDir()
	s, err := posix.Open(t.Context(), dir, posix.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	a := open(t, s)
	mustWalk(t, a, job{key: "0", name: "n/000000", body: "bytes"})
	folder := filepath.Join(dir, "workarea/catalog/n")
	entry, err := os.ReadFile(filepath.Join(folder, "000000.1.json"))
	if err != nil {
		t.Fatal(err)
	}
	from := ""
	for i := 1; i < n; i++ {
		to := filepath.Join(folder, fmt.Sprintf("%06d.1.json", i))
		if i%1000 == 1 { // a file has so many links at most
			from, err = to, os.WriteFile(to, entry, 0o600)
		} else {
			err = os.Link(from, to)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// TestList_of100000NamesHoldsAPage lists one folder of 100,000 names and looks at the memory in the middle of a page.
func TestList_of100000NamesHoldsAPage(t *testing.T) {
	const n = 100_000
	a := manyNames(t, n)
	held := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, most, looks, last := held(), int64(0), 0, asset.Key("")
	q := Query{Limit: 1000, Match: func(name asset.Key) bool {
		if looks++; looks%10_000 == 0 {
			most = max(most, held()-before)
		}
		return true
	}}
	count := 0
	for {
		page, err := a.List(t.Context(), q)
		if err != nil || page.Err != nil {
			t.Fatal(err, page.Err)
		}
		for _, l := range page.Listed {
			if l.Name <= last {
				t.Fatalf("%s comes after %s", l.Name, last)
			}
			last = l.Name
		}
		count += len(page.Listed)
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if count != n {
		t.Errorf("want %d names, got %d", n, count)
	}
	if most > 16<<20 {
		t.Errorf("want no more than a page in memory, got %d MB", most>>20)
	}
	t.Logf("%d kB held at most", most>>10)
}

// TestList_namesThatStayAreToldOnce changes the catalog between the pages.
func TestList_namesThatStayAreToldOnce(t *testing.T) {
	a := open(t, folder(t))
	stay := map[asset.Key]int{}
	for i := range 60 {
		name := asset.Key(fmt.Sprintf("%c/s%02d", 'a'+i%5, i))
		stay[name] = 0
		mustWalk(t, a, job{key: name, name: name, body: "s"})
		other := asset.Key(fmt.Sprintf("%c/t%02d", 'a'+i%5, i))
		mustWalk(t, a, job{key: other, name: other, body: "t"})
	}
	q := Query{Limit: 7}
	for i := 0; ; i++ {
		page, err := a.List(t.Context(), q)
		if err != nil || page.Err != nil {
			t.Fatal(err, page.Err)
		}
		for _, l := range page.Listed {
			if _, stays := stay[l.Name]; stays {
				stay[l.Name]++
			}
		}
		if q.After = page.Next; q.After == "" {
			break
		}
		if len(page.Listed) > 0 { // also the very name where the page ended, when it is one that goes
			if last := page.Listed[len(page.Listed)-1].Name; stay[last] == 0 {
				if err := a.Remove(t.Context(), last); err != nil {
					t.Fatal(err)
				}
			}
		}
		come := asset.Key(fmt.Sprintf("%c/new%d", 'a'+i%5, i))
		mustWalk(t, a, job{key: come, name: come, body: "new"})
	}
	for name, n := range stay {
		if n != 1 {
			t.Errorf("%s was told %d times", name, n)
		}
	}
}
