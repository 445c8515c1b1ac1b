package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

//go:generate go test -run TestSchema_committedFilesAreCurrent -update .

var update = flag.Bool("update", false, "write the schema files again")

const configs = "../configs"

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(configs, path))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSettingsFile_documentsTheDefaults(t *testing.T) {
	got, err := ParseSettings("hotfolderd.yaml", readFile(t, "hotfolderd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if want := Default(); !reflect.DeepEqual(want, got) {
		t.Errorf("want the defaults\n%+v\ngot\n%+v", want, got)
	}
}

func TestInboxFile_documentsTheDefaults(t *testing.T) {
	got, err := ParseRule("", readFile(t, "hotfolders/inbox.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if want := DefaultRule("inbox"); !reflect.DeepEqual(want, got) {
		t.Errorf("want the defaults\n%+v\ngot\n%+v", want, got)
	}
}

func TestExampleFile_isARuleThatIsNotLoaded(t *testing.T) {
	if _, err := ParseRule("products.yaml", readFile(t, "hotfolders/products.yaml.example")); err != nil {
		t.Error(err)
	}
	loaded, err := filepath.Glob(filepath.Join(configs, "hotfolders", "*.y*ml"))
	if want := []string{filepath.Join(configs, "hotfolders", "inbox.yaml")}; err != nil || !reflect.DeepEqual(want, loaded) {
		t.Errorf("want only %q to be loaded, got %q, %v", want, loaded, err)
	}
}

func TestExampleFile_namesInItsCommentsWork(t *testing.T) {
	found := regexp.MustCompile(`(?m)^#   '(.*)'$`).FindAllSubmatch(readFile(t, "hotfolders/products.yaml.example"), -1)
	if len(found) != 3 {
		t.Errorf("want 3 names in comments, got %d", len(found))
	}
	for _, name := range found {
		if err := NameTemplate(name[1]).Check(); err != nil {
			t.Errorf("%s: %v", name[1], err)
		}
	}
}

// Every key of the table stands in the documented file with a comment of its own, whatever is added later.
func TestDocumentedFiles_explainEveryKey(t *testing.T) {
	s, r := Default(), DefaultRule("inbox")
	for file, table := range map[string][]entry{"hotfolderd.yaml": settingsTable(&s), "hotfolders/inbox.yaml": ruleTable(&r)} {
		var doc yaml.Node
		if err := yaml.Unmarshal(readFile(t, file), &doc); err != nil {
			t.Fatal(err)
		}
		explained(t, file, doc.Content[0], table)
	}
}

func explained(t *testing.T, file string, n *yaml.Node, keys []entry) {
	for _, e := range keys {
		found := false
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := n.Content[i]; key.Value == e.name {
				found = true
				// The first comment of the file is taken for its head by the parser, so look at the line above.
				if key.HeadComment == "" && !commentAbove(t, file, key.Line) {
					t.Errorf("%s:%d: %s has no comment", file, key.Line, e.name)
				}
				explained(t, file, n.Content[i+1], e.keys)
			}
		}
		if !found {
			t.Errorf("%s does not show %s", file, e.name)
		}
	}
}

func commentAbove(t *testing.T, file string, line int) bool {
	lines := strings.Split(string(readFile(t, file)), "\n")
	return line > 1 && strings.HasPrefix(strings.TrimSpace(lines[line-2]), "#")
}

func TestTable_hasEveryFieldOfTheTypes(t *testing.T) {
	s, r := Default(), DefaultRule("x")
	for _, c := range []struct {
		of    reflect.Type
		table []entry
	}{{reflect.TypeOf(s), settingsTable(&s)}, {reflect.TypeOf(r), ruleTable(&r)}} {
		var want, got []string
		fields(c.of, "", &want)
		walk(c.table, "", func(path string, _ entry) { got = append(got, path) })
		if strings.Join(want, " ") != strings.Join(got, " ") {
			t.Errorf("want the fields of %s in order\n%v\ngot\n%v", c.of, want, got)
		}
	}
}

func fields(of reflect.Type, section string, paths *[]string) {
	for i := range of.NumField() {
		f := of.Field(i)
		switch tag := f.Tag.Get("yaml"); {
		case tag == "-":
		case f.Type.Kind() == reflect.Struct:
			fields(f.Type, below(section, tag), paths)
		default:
			*paths = append(*paths, below(section, tag))
		}
	}
}

func TestSchema_committedFilesAreCurrent(t *testing.T) {
	for _, kind := range []string{SchemaSettings, SchemaRule} {
		path := "schema/" + kind + ".schema.json"
		if *update {
			if err := os.WriteFile(filepath.Join(configs, path), Schema(kind), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(Schema(kind), readFile(t, path)) {
			t.Errorf("%s differs from the table: run go generate ./config", path)
		}
	}
	if got := Schema("other"); got != nil {
		t.Errorf("want nil for an unknown kind, got %s", got)
	}
}

func compileSchema(t testing.TB, kind string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema(kind)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mem:///"+kind, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("mem:///" + kind)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// asJSON gives the values that an editor's check of a YAML file sees.
func asJSON(t testing.TB, data []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestSchema_acceptsTheDocumentedFiles(t *testing.T) {
	for file, kind := range map[string]string{
		"hotfolderd.yaml": SchemaSettings, "hotfolders/inbox.yaml": SchemaRule, "hotfolders/products.yaml.example": SchemaRule,
	} {
		if err := compileSchema(t, kind).Validate(asJSON(t, readFile(t, file))); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// What the schema refuses is what an editor underlines; reading must refuse it too, or people would chase ghosts.
func TestSchema_refusesOnlyWhatReadingRefuses(t *testing.T) {
	schema := compileSchema(t, SchemaRule)
	for _, more := range []string{
		"match: {max_sise: 1}", "match: {max_size: -1}", "match: {max_size: 1XB}", "match: {include: []}", "match: {include: x}",
		"match: {include: [a, a]}", "match: {empty: drop}", "complete: {settle: 5}", "complete: {settle: fast}", "complete: {prove: maybe}",
		"thumbnails: {sizes: [15]}", "thumbnails: {sizes: [1,2,3,4,5,6,7,8,9]}", "thumbnails: {quality: 101}",
		`thumbnails: {background: "#fff"}`, "retry: {attempts: 0}", "library: 1", "conflict: merge", "name: 5",
	} {
		text := []byte("hotfolder: x\n" + more + "\n")
		if schema.Validate(asJSON(t, text)) == nil {
			t.Errorf("the schema accepts %s", more)
		}
		if _, err := ParseRule("", text); err == nil {
			t.Errorf("reading accepts %s", more)
		}
	}
	for _, more := range []string{
		"match: {max_size: 0}", "match: {max_size: 1.5 gib}", "match:", "complete: {settle: 0}", "complete: {settle: 1h30m}", "complete: {settle: 1.5s}",
		"thumbnails: {sizes: []}", "match: {max_size: 10}", "paused: true",
	} {
		text := []byte("hotfolder: x\n" + more + "\n")
		if err := schema.Validate(asJSON(t, text)); err != nil {
			t.Errorf("the schema refuses %s: %v", more, err)
		}
		if _, err := ParseRule("", text); err != nil {
			t.Errorf("reading refuses %s: %v", more, err)
		}
	}
}
