package config

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"hotfolderd/asset"

	"go.yaml.in/yaml/v4"
)

func FuzzParseSettings(f *testing.F) {
	f.Add(withoutComments(readFile(f, "hotfolderd.yaml")))
	f.Add([]byte("node: {id: a, weight: 2}\nhttp: {listen: ':80', token_file: t}\n"))
	f.Add([]byte("storage: {url: 's3://b/p?endpoint=http://h:1'}\nimport: {workers: 1}\n"))
	f.Add([]byte("a: &a [*a]\n<<: *a\n---\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSettings("f.yaml", data)
		if err != nil {
			faultsAreWhole(t, err)
			return
		}
		switch {
		case !isLoopback(s.HTTP.Listen) && s.HTTP.TokenFile == "":
			t.Errorf("%q without a token", s.HTTP.Listen)
		case len(s.Node.ID) > MaxNodeID, s.Node.Weight < 1, s.Import.PerHotfolder > s.Import.Workers, len(s.Node.Roles) == 0, s.Storage.URL == "":
			t.Errorf("accepted: %+v", s)
		}
		if _, _, err := s.FTP.PortRange(); err != nil {
			t.Error(err)
		}
		again, err := ParseSettings("f.yaml", marshalYAML(t, s))
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Errorf("want the same settings again\n%+v\ngot\n%+v, %v", s, again, err)
		}
	})
}

func FuzzParseRule(f *testing.F) {
	f.Add(withoutComments(readFile(f, "hotfolders/inbox.yaml")))
	f.Add(withoutComments(readFile(f, "hotfolders/products.yaml.example")))
	f.Add([]byte("hotfolder: x\nmatch: {include: ['**/*.jpg'], max_size: 1.5GiB}\nname: 'a/{{.Meta.X}}/{{.Path}}'\n"))
	f.Add([]byte("hotfolder: x\nretry: {backoff: 1h}\npath: s3://b/c\nthumbnails:\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRule("f.yaml", data)
		if err != nil {
			faultsAreWhole(t, err)
			return
		}
		if err := CheckSet([]Rule{r}); err != nil {
			t.Errorf("the rule alone is no set: %v", err)
		}
		if r.Hotfolder == "" || len(r.Match.Include) == 0 || len(r.Thumbnails.Sizes) > 8 || r.Retry.Backoff > r.Retry.MaxBackoff || r.Match.MaxSize < 0 {
			t.Errorf("accepted: %+v", r)
		}
		if err := r.Name.Check(); err != nil {
			t.Error(err)
		}
		again, err := ParseRule("f.yaml", marshalYAML(t, r))
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Errorf("want the same rule again\n%+v\ngot\n%+v, %v", r, again, err)
		}
	})
}

// withoutComments keeps a seed small: the fuzzer would spend its time on the prose.
func withoutComments(data []byte) []byte {
	return regexp.MustCompile(`(?m)^ *(#.*)?\n`).ReplaceAll(data, nil)
}

func marshalYAML(t *testing.T, v any) []byte {
	t.Helper()
	text, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// faultsAreWhole: every fault has a place and a problem, and no foreign byte can forge a second line.
func faultsAreWhole(t *testing.T, err error) {
	t.Helper()
	var all Errors
	if !errors.As(err, &all) || len(all) == 0 || len(all) > maxFaults+1 {
		t.Fatalf("want Errors, got %T %v", err, err)
	}
	for _, e := range all {
		if (e.Line < 1 && !strings.HasPrefix(e.Problem, "more than")) || e.Problem == "" || strings.ContainsFunc(e.Error(), unicode.IsControl) {
			t.Errorf("%#v", e)
		}
	}
}

// FuzzName: whatever the template and the data are, a name is a clean key below the literal folder of its template.
func FuzzName(f *testing.F) {
	f.Add("products/{{.Path}}", "a/b.jpg", "x", int64(0))
	f.Add(`p/q/{{.Meta.M}}/{{.File | replace "_" "/"}}`, ".._.._x", "../..", int64(1e9))
	f.Add(`{{printf "%.4s" .Hash}}/{{.Dir}}/{{.Base | trim}}{{.Ext}}`, "a/ . ", "/", int64(-1e18))
	f.Add(`p/{{if .Meta.M}}{{.Meta.M | default "/"}}{{end}}{{with .Meta.M}}/{{.}}/..{{end}}`, "..", "\x00\n", int64(5))
	f.Add(`a//{{index .Meta "M" | lower | replace "a" "///"}}/./{{.Hotfolder}}{{.Date}}`, "x", "aA", int64(7))
	f.Fuzz(func(t *testing.T, template, path, meta string, when int64) {
		key, err := asset.ParseKey(path)
		if err != nil {
			return
		}
		n, err := CompileName(NameTemplate(template))
		if err != nil {
			return
		}
		d := NameData{Path: key, Arrived: time.Unix(when, 0), Hotfolder: meta, Meta: map[string]string{"M": meta, path: meta}}
		name, err := n.Name(d)
		if err != nil {
			if strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("%q", err)
			}
			return
		}
		if _, err := asset.ParseKey(string(name)); err != nil {
			t.Errorf("%s of %q: %v", template, path, err)
		}
		if prefix := literalFolder(template); prefix != "" && !strings.HasPrefix(string(name), prefix+"/") {
			t.Errorf("%s of %q: %q is not below %q", template, path, name, prefix)
		}
		if again, err := n.Name(d); err != nil || again != name {
			t.Errorf("want %q again, got %q, %v", name, again, err)
		}
	})
}

// literalFolder is what stands before the template's first action, up to its last slash, without empty parts.
func literalFolder(template string) string {
	text, _, _ := strings.Cut(template, "{{")
	folder := text[:strings.LastIndexByte(text, '/')+1]
	return strings.Join(strings.FieldsFunc(folder, func(r rune) bool { return r == '/' }), "/")
}

func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"0", "1.5GiB", "100 kb", "9223372036854775807", "1e9", "-1", "0.1TiB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		size, err := ParseSize(s)
		if err != nil {
			return
		}
		if again, err := ParseSize(size.String()); size < 0 || err != nil || again != size {
			t.Errorf("%q: want %d again, got %d, %v", s, size, again, err)
		}
	})
}

func FuzzGlob(f *testing.F) {
	for _, s := range []string{"**/*.{jpg,png}", "[a-z]*", `a\[b`, "{a,{b,c}}", ".*\\.jpg"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := glob(s); got == (fault{}) && (s == "" || len(s) > maxPattern) {
			t.Errorf("accepted %q", s)
		}
	})
}
