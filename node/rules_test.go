package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// withRuleFiles runs a node by rule files in a folder.
func withRuleFiles(t *testing.T, files map[string]string) (*running, string) {
	t.Helper()
	rules := filepath.Join(t.TempDir(), "rules")
	for name, text := range files {
		write(t, filepath.Join(rules, name), []byte(text))
	}
	o := options(t, t.TempDir())
	o.Rules = RuleFolder(rules)
	return start(t, o), rules
}

const inboxRule = "hotfolder: inbox\ncomplete: { settle: 300ms }\nthumbnails: { sizes: [] }\n"

func TestRules_aNewHotfolderWorksWithoutARestart(t *testing.T) {
	r, rules := withRuleFiles(t, map[string]string{"inbox.yaml": inboxRule})
	within(t, 5*time.Second, "running", func() bool { return len(r.room.Status()) == 1 })
	write(t, filepath.Join(rules, "more.yaml"), []byte(strings.ReplaceAll(inboxRule, "inbox", "more")))
	within(t, 10*time.Second, "two hotfolders", func() bool { return len(r.room.Status()) == 2 })
	data := jpeg(2000, 1)
	write(t, filepath.Join(r.dir, "hotfolders", "more", "a.jpg"), data)
	within(t, 10*time.Second, "imported by the new rule", func() bool { return string(imported(t, r.Area(), "more/a.jpg")) == string(data) })
}

func TestRules_aBadSetIsRefusedAndTheOldOneStays(t *testing.T) {
	r, rules := withRuleFiles(t, map[string]string{"inbox.yaml": inboxRule})
	within(t, 5*time.Second, "running", func() bool { return len(r.room.Status()) == 1 })
	write(t, filepath.Join(rules, "bad.yaml"), []byte("hotfolder: bad\nmatch:\n  max_sise: 3\n"))
	within(t, 10*time.Second, "refused", func() bool { return r.view().RulesError != "" })
	if got := r.view().RulesError; !strings.Contains(got, "bad.yaml:3:3") || !strings.Contains(got, "max_size") {
		t.Errorf("want file, line, column and a suggestion, got %s", got)
	}
	data := jpeg(2000, 1)
	write(t, r.inbox("a.jpg"), data)
	r.expect("a.jpg", data)
	if err := os.Remove(filepath.Join(rules, "bad.yaml")); err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, "accepted again", func() bool { return r.view().RulesError == "" })
}

func TestRules_aHotfolderMayNotLieInTheWorkArea(t *testing.T) {
	dir := t.TempDir()
	o := options(t, dir, rule("inbox"))
	evil := rule("evil")
	evil.Path = "file://" + filepath.Join(dir, "workarea", "assets")
	write(t, filepath.Join(dir, "workarea", "assets", "x", "y"), nil)
	if err := os.RemoveAll(filepath.Join(dir, "workarea", "assets", "x")); err != nil {
		t.Fatal(err)
	}
	o.Rules = fixedRules{evil}
	if _, err := New(t.Context(), o); err == nil || !strings.Contains(err.Error(), "work area") {
		t.Errorf("want a refusal that names the work area, got %v", err)
	}
}
