package config

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
)

func sample() NameData {
	h, _ := asset.ParseHash(strings.Repeat("ab12", 16))
	return NameData{
		Path: "Shoes/Red Shoe.v2.JPG", Arrived: time.Date(2026, 3, 9, 23, 30, 0, 0, time.FixedZone("", -7200)), Hash: h, Hotfolder: "in",
		Meta: map[string]string{"Model": "X/100\x00\n", "Blank": " ", "Exif:Lens": "50 mm", "Up": ".."},
	}
}

func TestName_hasEveryFieldAndFunction(t *testing.T) {
	for template, want := range map[NameTemplate]asset.Key{
		"products/{{.Path}}":                      "products/Shoes/Red Shoe.v2.JPG",
		"{{.Dir}}|{{.File}}|{{.Base}}|{{.Ext}}":   "Shoes|Red Shoe.v2.JPG|Red Shoe.v2|.JPG",
		"{{.Date}} {{.Year}} {{.Month}} {{.Day}}": "2026-03-10 2026 03 10",
		"{{.Hash}}":                                    asset.Key(strings.Repeat("ab12", 16)),
		`{{printf "%.4s" .Hash}}/{{.Hotfolder}}`:       "ab12/in",
		"{{.Path | lower}}":                            "shoes/red shoe.v2.jpg",
		"{{upper .Base}}":                              "RED SHOE.V2",
		`{{.File | replace " " "-"}}`:                  "Red-Shoe.v2.JPG",
		`{{trim "  x "}}{{.Ext}}`:                      "x.JPG",
		"{{.Meta.Model}}{{.Ext}}":                      "X_100.JPG",
		`{{index .Meta "Exif:Lens"}}`:                  "50 mm",
		"{{.Meta.Missing}}/{{.File}}":                  "unknown/Red Shoe.v2.JPG",
		"{{.Meta.Missing | lower}}":                    "unknown",
		"{{.Meta.Blank}}":                              "unknown",
		`{{.Meta.Missing | lower | default "none"}}`:   "none",
		`{{printf "%s-%s" .Meta.Missing .Meta.Model}}`: "unknown-X_100",
		`{{.Dir | trim | default "top"}}`:              "Shoes", `{{.Base | replace "Red Shoe.v2" "" | default "top"}}`: "top",
		`{{if .Meta.Missing}}a{{else}}b{{end}}`:              "b",
		`{{with .Meta.Model}}{{.}}{{end}}`:                   "X_100",
		`{{if eq .Ext ".JPG"}}photos{{end}}`:                 "photos",
		`{{if and (ne .Ext ".png") (not .Meta.No)}}x{{end}}`: "x",
		`{{or .Meta.Missing .Base}}`:                         "Red Shoe.v2",
		`{{$b := .Base}}{{$b}}{{$.Ext}}`:                     "Red Shoe.v2.JPG",
		"a//{{.Dir}}//{{.File}}":                             "a/Shoes/Red Shoe.v2.JPG",
		"/{{.File}}":                                         "Red Shoe.v2.JPG",
		`{{.Path | replace "Shoes/" ""}}`:                    "Red Shoe.v2.JPG",
	} {
		if got, err := template.Name(sample()); err != nil || got != want {
			t.Errorf("%s: want %q, got %q, %v", template, want, got, err)
		}
	}
}

func TestName_topFolderAndDotFilesHaveNoGaps(t *testing.T) {
	for path, want := range map[asset.Key]asset.Key{
		"a.jpg": "x/a.jpg", ".htaccess": "x/.htaccess", "..a.b": "x/..a.b", "noext": "x/noext", "a.": "x/a.", "a/b": "x/a/b", "\xff.jpg": "x/\xff.jpg",
	} {
		d := sample()
		d.Path = path
		if got, err := NameTemplate("x/{{.Dir}}/{{.Base}}{{.Ext}}").Name(d); err != nil || got != want {
			t.Errorf("%q: want %q, got %q, %v", path, want, got, err)
		}
	}
}

func TestName_refusesANameThatIsNoKey(t *testing.T) {
	long := sample()
	long.Path = asset.Key(strings.Repeat("x", 250) + ".jpg")
	deep := sample()
	deep.Path = asset.Key(strings.TrimSuffix(strings.Repeat("folder/", 600), "/"))
	blank := sample()
	blank.Path = " "
	for _, c := range []struct {
		template NameTemplate
		d        NameData
		want     string
	}{
		{"a/{{.Meta.Up}}/{{.File}}", sample(), `it has a part ".."`},
		{`{{.Meta.Up | replace "." "/"}}x{{.Base}}/{{.Meta.Up}}`, sample(), `it has a part ".."`},
		{"{{.Path}}-{{.Base}}", long, "255 are allowed"},
		{"{{.Path}}", deep, "4095 are allowed"},
		{"{{.Path}}{{.Path}}{{.Path}}", deep, "the name is longer than any can be"},
		{`{{.Path | replace "f" "ffffffffffffffffffffff"}}`, deep, "the name is longer than any can be"},
		{"a/{{trim .Path}}", blank, "it ends with a slash"},
		{"{{trim .Path}}", blank, "it is empty"},
	} {
		got, err := c.template.Name(c.d)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "template:") {
			t.Errorf("%s: want %q, got %q, %v", c.template, c.want, got, err)
		}
	}
	if _, err := NameTemplate("{{.Path}}").Name(deep); !errors.Is(err, asset.ErrKey) {
		t.Errorf("want ErrKey, got %v", err)
	}
}

func TestCheck_refusesTemplatesThatCannotName(t *testing.T) {
	for template, want := range map[NameTemplate]string{
		"":                                     "the name is empty",
		"fixed.jpg":                            "every drop would get the same name",
		"{{.Hotfolder}}/x":                     "every drop would get the same name",
		`{{"x"}}`:                              "every drop would get the same name",
		"{{.Path":                              "unclosed action",
		"{{.Pth}}":                             "unknown field .Pth; did you mean .Path?",
		"{{.Path.Dir}}":                        "unknown field .Path.Dir",
		"{{.path}}":                            "did you mean .Path?",
		"{{.}}":                                ". alone is the whole drop",
		"{{$}}":                                "$ alone is the whole drop",
		"{{$x := .}}{{$x.Path}}":               ". alone is the whole drop",
		"{{$x := .Path}}{{$x.Y}}":              "$x.Y is no field",
		"{{.Meta}}":                            ".Meta alone is all metadata",
		"{{.Meta.A.B}}":                        "unknown field .Meta.A.B",
		"{{(.Path).X}}":                        "is no field",
		"{{lwoer .Path}}":                      `function "lwoer" not defined; did you mean lower?`,
		"{{env .Path}}":                        `function "env" not defined; there are`,
		"{{html .Path}}":                       "the function html is not used in names",
		"{{js .Path}}":                         "the function js is not used in names",
		"{{print .Path}}":                      "the function print is not used in names",
		"{{call .Path}}":                       "the function call is not used in names",
		"{{.Path | urlquery}}":                 "the function urlquery is not used in names",
		"{{(slice .Path 0 1)}}":                "the function slice is not used in names",
		"{{range .Path}}x{{end}}":              "range is not used in names",
		"{{range 1000000000}}{{.Path}}{{end}}": "is not used in names",
		`{{template "name" .}}{{.Path}}`:       "template is not used in names",
		`{{define "x"}}{{end}}{{.Path}}`:       "cannot define other templates",
		`{{block "x" .}}{{end}}{{.Path}}`:      "cannot define other templates",
		"{{index .Path 0}}":                    "index is for metadata only",
		`{{index .Meta "a" "b"}}`:              "index is for metadata only",
		`{{"Model" | index .Meta}}`:            "index is for metadata only",
		"../{{.Path}}":                         `it has a part ".."`,
		"{{.Path}}/":                           "it ends with a slash",
		"{{.Path}}/../x":                       `it has a part ".."`,
		`{{printf "%9999d" 1}}{{.Path}}`:       "a width is at most 999",
		`{{printf "%*d" 999999 1}}{{.Path}}`:   "a width is at most 999",
		`{{printf "%d" .Path}}`:                "does not fit its values",
		`{{eq .Year 2026}}{{.Path}}`:           "incompatible types for comparison",
		`{{replace "" "x" .Path}}`:             "replace needs a text to look for",
		`{{5 | default "x"}}{{.Path}}`:         "expected text, got 5",
		`{{lower 5}}{{.Path}}`:                 "expected text, got 5",
		NameTemplate("{{.Path}}" + strings.Repeat("x", 1<<10)): "at most 1024 are allowed",
	} {
		err := template.Check()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", shorten(string(template)), want, err)
			continue
		}
		if strings.Contains(err.Error(), "template: ") || strings.Contains(err.Error(), "nameFields") {
			t.Errorf("%s: the message speaks of the program: %v", template, err)
		}
		if _, err := template.Name(sample()); err == nil {
			t.Errorf("%s: Name accepts what Check refuses", template)
		}
	}
}

func TestName_ofOneNamerFromManyGoroutines(t *testing.T) {
	n, err := CompileName(`{{.Year}}/{{.Meta.Model | default "x"}}/{{.Path | lower}}`)
	if err != nil {
		t.Fatal(err)
	}
	want, err := n.Name(sample())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if got, err := n.Name(sample()); err != nil || got != want {
					t.Errorf("want %q, got %q, %v", want, got, err)
				}
			}
		})
	}
	wg.Wait()
}

// A template within the limit that doubles its text with every function must end, soon and in little memory.
func TestName_growingTemplatesEnd(t *testing.T) {
	growing := "{{$x := .Path}}" + strings.Repeat(`{{$x = printf "%s%s%s%s" $x $x $x $x}}`, 20) + "{{$x}}"
	if _, err := NameTemplate(growing).Name(sample()); err == nil || !strings.Contains(err.Error(), "longer than any") {
		t.Errorf("want an error about the length, got %v", err)
	}
	wide := `{{.Path}}` + strings.Repeat(`{{printf "%999d%999d%999d%999d" 1 1 1 1}}`, 20)
	if _, err := NameTemplate(wide).Name(sample()); err == nil {
		t.Error("want an error about the length, got none")
	}
}

func BenchmarkName(b *testing.B) {
	n, err := CompileName(`products/{{.Year}}/{{.Path | lower | replace " " "-"}}`)
	if err != nil {
		b.Fatal(err)
	}
	d := sample()
	for b.Loop() {
		if _, err := n.Name(d); err != nil {
			b.Fatal(err)
		}
	}
}
