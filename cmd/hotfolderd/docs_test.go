package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hotfolderd/admin/access"
	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/leases/consul"
)

const tree = "../.."

// documents are the README and all of docs/, by their path from the top.
func documents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{"README.md": readDoc(t, "README.md")}
	err := filepath.WalkDir(filepath.Join(tree, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			rel, _ := filepath.Rel(tree, path)
			all[rel] = readDoc(t, rel)
		}
		return err
	})
	if err != nil || len(all) < 4 {
		t.Fatalf("want README.md and docs/, got %d documents, %v", len(all), err)
	}
	return all
}

func readDoc(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(tree, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// blocks are the fenced blocks of one language.
func blocks(doc, language string) []string {
	var all []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(doc, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestDocs_everyYAMLBlockCanBeUsed(t *testing.T) {
	seen := 0
	for name, doc := range documents(t) {
		for _, block := range blocks(doc, "yaml") {
			seen++
			var err error
			switch {
			case regexp.MustCompile(`(?m)^hotfolder:`).MatchString(block):
				_, err = config.ParseRule(name, []byte(block))
			case strings.HasPrefix(block, "users:"):
				_, err = access.ParseUsers(name, []byte(block))
			default:
				_, err = config.ParseSettings(name, []byte(block))
			}
			if err != nil {
				t.Errorf("%v\nin\n%s", err, block)
			}
		}
	}
	if seen < 2 {
		t.Errorf("want at least 2 YAML blocks, found %d", seen)
	}
}

func TestDocs_theSettingsTableHasEveryKeyWithItsDefault(t *testing.T) {
	var want, got []string
	settingsRows(reflect.ValueOf(config.Default()), "", &want)
	rows := regexp.MustCompile("(?m)^\\| `([a-z._]+)` \\| (empty|`[^`]*`) \\|").FindAllStringSubmatch(readDoc(t, "README.md"), -1)
	for _, r := range rows {
		got = append(got, r[1]+" = "+strings.Trim(r[2], "`"))
	}
	if !slices.Equal(want, got) {
		t.Errorf("want the keys in the order of the settings\n%s\ngot\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
}

func settingsRows(v reflect.Value, section string, rows *[]string) {
	for i := range v.NumField() {
		key := strings.TrimPrefix(section+"."+v.Type().Field(i).Tag.Get("yaml"), ".")
		switch f := v.Field(i); {
		case f.Kind() == reflect.Struct:
			settingsRows(f, key, rows)
		case f.Kind() == reflect.Slice:
			var values []string
			for i := range f.Len() {
				values = append(values, fmt.Sprint(f.Index(i)))
			}
			*rows = append(*rows, key+" = "+orEmpty(strings.Join(values, ", ")))
		default:
			*rows = append(*rows, key+" = "+orEmpty(fmt.Sprint(f.Interface())))
		}
	}
}

func orEmpty(s string) string {
	if s == "" {
		return "empty"
	}
	return s
}

func TestDocs_linksLeadSomewhere(t *testing.T) {
	for name, doc := range documents(t) {
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(doc, -1) {
			if _, err := os.Stat(filepath.Join(tree, filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			}
		}
	}
}

var firstLine = regexp.MustCompile(`^# (added|changed|fixed|removed|security): [^A-Z\s].*[^.\s]$`)

func TestDocs_eachChangeSaysInItsFirstLineWhatItIs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(tree, "docs/changes/*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("want changes, got %v, %v", files, err)
	}
	for i, file := range files {
		if name := filepath.Base(file); !regexp.MustCompile(fmt.Sprintf(`^%04d-[a-z0-9-]+\.md$`, i+1)).MatchString(name) {
			t.Errorf("%s: want the name %04d-some-words.md: changes are numbered without a gap", name, i+1)
		}
		line, _, _ := strings.Cut(readDoc(t, filepath.Join("docs/changes", filepath.Base(file))), "\n")
		if !firstLine.MatchString(line) {
			t.Errorf("%s: want a first line as %s, got %q", file, firstLine, line)
		}
	}
}

func TestDocs_theLayoutOnDiskIsTheOneInUse(t *testing.T) {
	want := strings.Repeat("ab/", strings.Count(string(asset.Hash{0xab}.Shard()), "/"))
	for _, name := range []string{"assets/" + want + "<sha256> ", "ledger/" + want + "<drop id>.json ", "image-cache/" + want + "<sha256>/... "} {
		if !strings.Contains(readDoc(t, "docs/operating.md"), name) {
			t.Errorf("docs/operating.md does not show %s", name)
		}
	}
}

func TestDocs_thePolicyIsTheOneThatIsEnough(t *testing.T) {
	spaced := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	policies := blocks(readDoc(t, "docs/operating.md"), "hcl")
	if want := spaced(consul.Policy(config.DefaultNamespace)); len(policies) != 1 || spaced(policies[0]) != want {
		t.Errorf("want the policy %s, got %q", want, policies)
	}
}

// sources are the program's own Go files.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		base := d.Name()
		if d.IsDir() && (base == "testdata" || base == "tools" || base == "storagetest" || base == "leasestest" || strings.HasPrefix(base, ".git")) {
			return filepath.SkipDir
		}
		if err != nil || !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		all.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestDocs_everyMetricIsExplained(t *testing.T) {
	doc := readDoc(t, "docs/operating.md")
	documented := captured(doc, "(?m)^\\| `(hotfolder_[a-z_]+)` \\|")
	made := captured(sources(t), `"(hotfolder_[a-z_]+)"`)
	if !slices.Equal(made, documented) {
		t.Errorf("want a row in docs/operating.md for each of\n%v\ngot\n%v", made, documented)
	}
}

func TestDocs_everyWarningIsExplained(t *testing.T) {
	doc := readDoc(t, "docs/operating.md")
	messages := captured(sources(t), `\.(?:Warn|Error|Log\(s\.level)\((?:ctx\), )?\s*"([^"]+)"`)
	if len(messages) < 5 {
		t.Fatalf("only %v were found: this test looks in the wrong place", messages)
	}
	for _, m := range messages {
		if !strings.Contains(doc, "| `"+m+"` |") {
			t.Errorf("docs/operating.md does not say what to do about the log line %q", m)
		}
	}
}

// captured is the sorted set of what a pattern's group matches.
func captured(text, pattern string) []string {
	var all []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	slices.Sort(all)
	return slices.Compact(all)
}
