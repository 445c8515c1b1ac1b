package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestReadRules_readsTheFilesInTheOrderOfTheirNames(t *testing.T) {
	got, err := ReadRules(map[string]string{"b.yaml": "hotfolder: one", "a.yml": "hotfolder: two\npaused: true"})
	if err != nil {
		t.Fatal(err)
	}
	two, one := DefaultRule("two"), DefaultRule("one")
	two.File, two.Paused, one.File = "a.yml", true, "b.yaml"
	if want := []Rule{two, one}; !reflect.DeepEqual(want, got) {
		t.Errorf("want %+v, got %+v", want, got)
	}
}

func TestReadRules_noTextIsTheBuiltInRule(t *testing.T) {
	got, err := ReadRules(nil)
	if want := []Rule{DefaultRule("inbox")}; err != nil || !reflect.DeepEqual(want, got) {
		t.Errorf("want %+v, got %+v, %v", want, got, err)
	}
}

func TestReadRules_tellsEveryFaultOfEveryFile(t *testing.T) {
	got := faultsOf(t, second(ReadRules(map[string]string{
		"b.yaml": "hotfolder: b\nconflict: merge\nafter: delete", "a.yaml": "", "c.yaml": "hotfolder: c",
	})))
	want := []string{"a.yaml:1:1: the file is empty", "b.yaml:2:11: conflict: ", "b.yaml:3:8: after: "}
	if len(got) != len(want) {
		t.Fatalf("want %d faults, got\n%s", len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("want %s\n got %s", want[i], got[i])
		}
	}
	got = faultsOf(t, second(ReadRules(map[string]string{"a.yaml": "hotfolder: x", "b.yaml": "hotfolder: x"})))
	if len(got) != 2 || !strings.HasPrefix(got[0], `b.yaml: hotfolder: "x" is also the name in a.yaml`) {
		t.Errorf("want the files held against each other, got\n%s", strings.Join(got, "\n"))
	}
}

func second(_ []Rule, err error) error { return err }

func TestReadRules_hashDoesNotDependOnFilesAndSpelling(t *testing.T) {
	hash := func(texts map[string]string) string {
		t.Helper()
		rules, err := ReadRules(texts)
		if err != nil {
			t.Fatal(err)
		}
		return RulesHash(rules)
	}
	a := hash(map[string]string{"a.yaml": "hotfolder: a\n", "b.yaml": "hotfolder: b\nrun_on: [node-a]\n"})
	if b := hash(map[string]string{"1.yml": "# b\nrun_on:   ['node-a']\nhotfolder: 'b'", "2.yml": "{hotfolder: a}"}); a != b {
		t.Errorf("want one hash for one set, got %s and %s", a, b)
	}
	if c := hash(map[string]string{"a.yaml": "hotfolder: a\n", "b.yaml": "hotfolder: b\nrun_on: [node-b]\n"}); a == c {
		t.Error("another set has the same hash")
	}
}

func TestIsRuleFile(t *testing.T) {
	for name, want := range map[string]bool{"a.yaml": true, "a.yml": true, ".a.yaml": false, "a.yaml.example": false, "a.YAML": false, "yaml": false, ".yaml": false} {
		if got := IsRuleFile(name); want != got {
			t.Errorf("%s: want %v, got %v", name, want, got)
		}
	}
}
