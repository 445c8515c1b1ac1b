package config

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"
	"unicode"

	"hotfolderd/asset"
)

// NameTemplate is the text of a rule's name, a Go text/template over these fields of a drop:
//
//	.Path       the drop's path below its hotfolder
//	.Dir        the folders of it, empty at the top
//	.File       its last part; .Base without the extension, .Ext the extension with its dot, as written
//	.Date       the day it arrived (UTC), 2026-01-31; .Year .Month .Day are its parts
//	.Hash       its SHA-256, 64 digits
//	.Hotfolder  the name of the hotfolder
//	.Meta.X     a metadata field, or index .Meta "X"; "unknown" when the drop has none
//
// and these functions: lower, upper, trim, replace OLD NEW, default TEXT, printf, index, eq ne lt le gt ge, and or not.
// There are no loops and no other templates, so the time and memory of one name are bounded by the text's length.
type NameTemplate string

// NameData is what a name is made of.
type NameData struct {
	Path      asset.Key // below the hotfolder
	Arrived   time.Time // by the store's clock
	Hash      asset.Hash
	Meta      map[string]string
	Hotfolder string
}

// Limits of a template and of what it writes before it is cleaned.
const (
	maxTemplate = 1 << 10
	maxOutput   = 2 * asset.MaxKey
)

// Namer is a compiled [NameTemplate]. It is safe for concurrent use.
type Namer struct{ t *template.Template }

// CompileName checks the template and makes it ready. The error says in words what is wrong: the syntax, an unknown field
// or function, or a name that would be the same for every drop.
func CompileName(t NameTemplate) (*Namer, error) {
	n, f := compileName(string(t))
	return n, f.err()
}

// Check reports what is wrong with the template, like [CompileName].
func (t NameTemplate) Check() error { return nameFault(string(t)).err() }

// Name compiles the template and makes one name. Who makes many compiles once, by [CompileName].
func (t NameTemplate) Name(d NameData) (asset.Key, error) {
	n, err := CompileName(t)
	if err != nil {
		return "", err
	}
	return n.Name(d)
}

// Name makes the asset's name for a drop. The result is a clean key, below the folder that the template's literal
// beginning names, whatever the drop's path and metadata hold: in all values but the path a slash becomes "_", empty parts
// vanish, and "." and ".." are refused. The same data gives the same name.
func (n *Namer) Name(d NameData) (asset.Key, error) {
	out := &bounded{}
	if err := n.t.Execute(out, fieldsOf(d)); err != nil {
		return "", fmt.Errorf("name of %s: %w", d.Path.Quoted(), plainTemplateError(err))
	}
	key, err := cleanName(out.String())
	if err != nil {
		return "", fmt.Errorf("name of %s: %w", d.Path.Quoted(), err)
	}
	return key, nil
}

// cleanName drops empty parts, except at the end: there the file's own name came out empty.
func cleanName(s string) (asset.Key, error) {
	if strings.HasSuffix(s, "/") {
		return "", fmt.Errorf("%w: %s: it ends with a slash, so the file itself has no name", asset.ErrKey, quoted(s))
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' })
	return asset.ParseKey(strings.Join(parts, "/"))
}

// bounded is a writer that ends the template when it writes more than any name can hold.
type bounded struct{ strings.Builder }

var errLongName = errors.New("the name is longer than any can be")

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxOutput {
		return 0, errLongName
	}
	return b.Builder.Write(p)
}

// nameFields are the fields of a template. None has a method that a template could call for more than its text.
type nameFields struct {
	Path, Dir, File, Base, Ext string
	Date, Year, Month, Day     string
	Hash, Hotfolder            string
	Meta                       map[string]metaValue
}

// metaValue is a metadata field. The zero value, which a missing field gives, is written as "unknown".
type metaValue string

const unknown = "unknown"

// String is the value, or "unknown".
func (m metaValue) String() string {
	if m == "" {
		return unknown
	}
	return string(m)
}

func fieldsOf(d NameData) nameFields {
	file := d.Path.Base()
	ext := extension(file)
	day := d.Arrived.UTC()
	f := nameFields{
		Path: string(d.Path), Dir: string(d.Path.Dir()), File: file, Base: strings.TrimSuffix(file, ext), Ext: ext,
		Date: day.Format(time.DateOnly), Year: day.Format("2006"), Month: day.Format("01"), Day: day.Format("02"),
		Hash: d.Hash.String(), Hotfolder: onePart(d.Hotfolder), Meta: make(map[string]metaValue, len(d.Meta)),
	}
	for k, v := range d.Meta {
		f.Meta[k] = metaValue(onePart(strings.ToValidUTF8(v, "_")))
	}
	return f
}

// extension is the last one with its dot, as written. Leading dots begin no extension.
func extension(file string) string {
	body := strings.TrimLeft(file, ".")
	if i := strings.LastIndexByte(body, '.'); i >= 0 {
		return body[i:]
	}
	return ""
}

// onePart makes a foreign value fit into one part of a name, on one line. Cameras pad their fields with NUL bytes and
// spaces.
func onePart(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '/':
			return '_'
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
