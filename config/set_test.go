package config

import (
	"strings"
	"testing"
)

func ruleAt(name, path string) Rule {
	r := DefaultRule(name)
	r.File, r.Path = name+".yaml", path
	return r
}

func TestCheckSet_acceptsFoldersApart(t *testing.T) {
	rules := []Rule{
		ruleAt("a", "hotfolders/a"), ruleAt("b", "hotfolders/ab"), ruleAt("c", "hotfolders/a b"), ruleAt("d", "file:///hotfolders/a"),
		ruleAt("e", "s3://one/a"), ruleAt("f", "s3://two/a"), ruleAt("g", "s3://one/a?endpoint=https://other"),
		ruleAt("h", "s3://one/A"),
	}
	if err := CheckSet(rules); err != nil {
		t.Error(err)
	}
	if err := CheckSet(nil); err != nil {
		t.Error(err)
	}
}

func TestCheckSet_refusesSharedNamesAndFolders(t *testing.T) {
	for _, c := range []struct {
		a, b Rule
		want string
	}{
		{ruleAt("a", "x"), ruleAt("a", "y"), `a.yaml: hotfolder: "a" is also the name in a.yaml`},
		{ruleAt("a", "x"), ruleAt("b", "x"), `b.yaml: path: "x" is the same as "x", the path in a.yaml`},
		{ruleAt("a", "x"), ruleAt("b", "X"), `b.yaml: path: "X" is the same as "x", the path in a.yaml`},
		{ruleAt("a", "x"), ruleAt("b", "x/y"), `b.yaml: path: "x/y" lies below "x", the path in a.yaml`},
		{ruleAt("a", "x/y/z"), ruleAt("b", "x"), `b.yaml: path: "x" holds "x/y/z", the path in a.yaml`},
		{ruleAt("a", "file:///x"), ruleAt("b", "file://localhost/x/y/"), `b.yaml: path: "file://localhost/x/y/" lies below "file:///x"`},
		{ruleAt("a", "s3://one"), ruleAt("b", "s3://one/y"), `b.yaml: path: "s3://one/y" lies below "s3://one"`},
		{ruleAt("a", "x"), ruleAt("b", "workarea/assets"), `b.yaml: path: "workarea/assets" lies in a tree that the program owns`},
		{ruleAt("a", "x"), ruleAt("b", ".HOTFOLDERD"), `b.yaml: path: ".HOTFOLDERD" lies in a tree that the program owns`},
	} {
		got := faultsOf(t, CheckSet([]Rule{c.a, c.b}))
		if len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
			t.Errorf("want %s\ngot %s", c.want, strings.Join(got, "\n"))
		}
	}
}

func TestRulesHash_dependsOnValuesOnly(t *testing.T) {
	a, b := DefaultRule("a"), DefaultRule("b")
	want := RulesHash([]Rule{a, b})
	written, err := ParseRule("elsewhere.yaml", []byte("{hotfolder: a, match: {exclude: []}, complete: {settle: 2000ms}}"))
	if err != nil {
		t.Fatal(err)
	}
	if got := RulesHash([]Rule{b, written}); got != want {
		t.Errorf("want the same hash for the same rules, got %s and %s", want, got)
	}
	if len(want) != 64 {
		t.Errorf("want 64 digits, got %q", want)
	}
	for _, other := range [][]Rule{nil, {a}, {a, b, b}, {a, DefaultRule("c")}} {
		if RulesHash(other) == want {
			t.Errorf("%d other rules have the same hash", len(other))
		}
	}
}

// Every key of a rule changes the hash, so that no change of a rule set goes unseen.
func TestRulesHash_seesEveryKey(t *testing.T) {
	base, r := RulesHash([]Rule{DefaultRule("x")}), DefaultRule("x")
	walk(ruleTable(&r), "", func(path string, e entry) {
		old := r
		switch to := e.to.(type) {
		case *string:
			*to += "2"
		case *bool:
			*to = !*to
		case *int:
			*to++
		case *Size:
			*to++
		case *Duration:
			*to++
		case *[]string:
			*to = append([]string{"more"}, *to...)
		case *[]int:
			*to = append([]int{99}, *to...)
		default:
			t.Fatalf("%s is a %T", path, to)
		}
		if RulesHash([]Rule{r}) == base {
			t.Errorf("a change of %s gives the same hash", path)
		}
		r = old
	})
}
