package workarea

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/storage/storagetest"
)

func files(text string) map[string]string { return map[string]string{"inbox.yaml": text} }

func publish(t testing.TB, a *Area, text string) int {
	t.Helper()
	n, err := a.PublishRules(t.Context(), RuleSet{Files: files(text)})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRules_comeBackAsTheyWerePublished(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	if _, err := a.Rules(t.Context(), 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want no rules yet, got %v", err)
	}
	set := RuleSet{
		Version: 99, Published: time.Unix(1e9, 7), By: "ann", Note: "more <sizes> & \"such\"",
		Files: map[string]string{"inbox.yaml": "hotfolder: inbox\n# ü \u2028 <b>\n", "b.yml": ""},
	}
	if n, err := a.PublishRules(t.Context(), set); err != nil || n != 1 {
		t.Fatalf("want version 1, got %d, %v", n, err)
	}
	for what, got := range map[string]func() (RuleSet, error){
		"the same node": func() (RuleSet, error) { return a.Rules(t.Context(), 0) },
		"another node":  func() (RuleSet, error) { return open(t, s).Rules(t.Context(), 0) },
		"by its number": func() (RuleSet, error) { return a.RulesAt(t.Context(), 1) },
	} {
		rs, err := got()
		if err != nil || rs.Version != 1 || !rs.Published.Equal(set.Published) || rs.By != "ann" || rs.Note != set.Note ||
			!maps.Equal(rs.Files, set.Files) {
			t.Errorf("%s: want %+v, got %+v, %v", what, set, rs, err)
		}
	}
	if n, err := a.PublishRules(t.Context(), RuleSet{Files: files("2")}); err != nil || n != 2 {
		t.Fatalf("want version 2, got %d, %v", n, err)
	}
	if rs, err := a.Rules(t.Context(), 1); err != nil || rs.By != "node-a" || time.Since(rs.Published) > time.Minute {
		t.Errorf("want the node and now filled in, got %+v, %v", rs, err)
	}
}

func TestRules_thatAreNoTextAreRefused(t *testing.T) {
	a := open(t, folder(t))
	for _, set := range []map[string]string{{"a": "\xff"}, {"\xff": "a"}} {
		if _, err := a.PublishRules(t.Context(), RuleSet{Files: set}); err == nil || !strings.Contains(err.Error(), "UTF-8") {
			t.Errorf("%q: want it refused, got %v", set, err)
		}
	}
	if _, err := a.PublishRules(t.Context(), RuleSet{Files: files(strings.Repeat("x", maxRules))}); err == nil {
		t.Error("want too large a set refused")
	}
	if all, err := a.RuleVersions(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("want nothing published, got %v, %v", all, err)
	}
}

func TestRules_equalToTheNewestMakeNoVersion(t *testing.T) {
	s := folder(t)
	a, b := open(t, s), open(t, s)
	for i, c := range []struct {
		a    *Area
		text string
		want int
	}{{a, "x", 1}, {b, "x", 1}, {a, "y", 2}, {b, "x", 3}, {b, "x", 3}, {a, "x", 3}} {
		if got := publish(t, c.a, c.text); got != c.want {
			t.Errorf("%d: want version %d, got %d", i, c.want, got)
		}
	}
}

func TestRules_areFoundByOneLook(t *testing.T) {
	f := storagetest.NewFault(folder(t))
	a, other := open(t, f), open(t, f)
	for i := range 12 {
		publish(t, other, fmt.Sprint(i))
	}
	f.Reset()
	rs, err := a.Rules(t.Context(), 3)
	if err != nil || rs.Version != 12 || f.Count(storagetest.OpStat) != 1 {
		t.Fatalf("want version 12 by one look after a listing, got %d, %v by %v", rs.Version, err, f.Ops())
	}
	f.Reset()
	if _, err := a.Rules(t.Context(), 12); !errors.Is(err, fs.ErrNotExist) || f.Count("") != 1 {
		t.Errorf("want nothing newer, by one look, got %v by %v", err, f.Ops())
	}
	if _, err := a.Rules(t.Context(), 99); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want nothing newer, got %v", err)
	}
	publish(t, other, "new")
	if rs, err := a.Rules(t.Context(), 12); err != nil || rs.Version != 13 || rs.Files["inbox.yaml"] != "new" {
		t.Errorf("want version 13, got %+v, %v", rs, err)
	}
	if _, err := a.RulesAt(t.Context(), 14); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want none of that number, got %v", err)
	}
}

func TestRules_tornOrMovedFilesAreNamed(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	put(t, s, "workarea/rules/1.json", `{"version":2,"files":{}}`)
	put(t, s, "workarea/rules/2.json", `{"version":2,"fil`)
	put(t, s, "workarea/rules/03.json", "not ours")
	for n := range 2 {
		if _, err := a.RulesAt(t.Context(), n+1); !errors.Is(err, errTorn) {
			t.Errorf("version %d: want it named torn, got %v", n+1, err)
		}
	}
	if all, err := a.RuleVersions(t.Context()); err != nil || !slices.Equal(all, []int{1, 2}) {
		t.Errorf("want 1 and 2, got %v, %v", all, err)
	}
}

// Three nodes publish side by side: no number is given twice, and none is left out.
func TestPublishRules_sideBySideIsGaplessAndUnique(t *testing.T) {
	const each = 100
	s := folder(t)
	given := make([][]int, 3)
	var wg sync.WaitGroup
	for i := range given {
		a := open(t, s)
		wg.Go(func() {
			for n := range each {
				v, err := a.PublishRules(t.Context(), RuleSet{Files: files(fmt.Sprint(i, "-", n))})
				if err != nil {
					t.Error(err)
					return
				}
				given[i] = append(given[i], v)
				if rs, err := a.RulesAt(t.Context(), v); err != nil || rs.Files["inbox.yaml"] != fmt.Sprint(i, "-", n) {
					t.Errorf("version %d: want what was published under it, got %+v, %v", v, rs, err)
				}
			}
		})
	}
	wg.Wait()
	var all []int
	for _, g := range given {
		if !slices.IsSorted(g) {
			t.Errorf("want each node's numbers to grow, got %v", g)
		}
		all = append(all, g...)
	}
	slices.Sort(all)
	there, err := open(t, s).RuleVersions(t.Context())
	if err != nil || !slices.Equal(all, there) || len(all) != 3*each || all[0] != 1 || all[len(all)-1] != 3*each {
		t.Errorf("want 1 to %d, got %v given and %v there, %v", 3*each, all, there, err)
	}
	if rs, err := open(t, s).Rules(t.Context(), 0); err != nil || rs.Version != 3*each {
		t.Errorf("want version %d as the newest, got %d, %v", 3*each, rs.Version, err)
	}
}

func TestPublishRules_againAfterAnyFaultGivesOneVersion(t *testing.T) {
	for _, when := range []storagetest.When{storagetest.Before, storagetest.After} {
		for at := 0; ; at++ {
			mem := storagetest.NewMem()
			f := storagetest.NewFault(mem)
			a := open(t, f)
			publish(t, a, "old")
			f.Reset()
			f.Inject(storagetest.Rule{When: when, After: at, Times: 1, Err: errors.New("broken")})
			_, err := a.PublishRules(t.Context(), RuleSet{Files: files("new")})
			struck := f.Fired() > 0
			f.Clear()
			if err == nil {
				mem.PowerCut()
			}
			if got := publish(t, a, "new"); got != 2 {
				t.Errorf("fault at operation %d: want version 2, got %d", at, got)
			}
			if !struck {
				break
			}
		}
	}
}
