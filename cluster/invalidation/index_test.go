package invalidation

import (
	"errors"
	"testing"
)

func TestParseIndex(t *testing.T) {
	for _, c := range []struct {
		text string
		want Index
	}{
		{"node-a.k2x7q9w4m1zp:42", Index{"node-a.k2x7q9w4m1zp", 42}},
		{"node-a.k2x7q9w4m1zp~1:42", Index{"node-a.k2x7q9w4m1zp~1", 42}},
		{"a:b.x:1", Index{"a:b.x", 1}},
		{"n%C3%B6de%0A.x:18446744073709551615", Index{"nöde\n.x", 1<<64 - 1}},
		{":0", Index{}},
	} {
		got, err := ParseIndex(c.text)
		if err != nil || got != c.want || got.String() != c.text {
			t.Errorf("%s: want %+v, got %+v (%s), %v", c.text, c.want, got, got, err)
		}
	}
}

func TestParseIndex_refuses(t *testing.T) {
	for text, why := range map[string]string{
		"":            `not an index of this cluster: "": it has no colon; it looks like node-a.k2x7q9w4m1zp:42`,
		"a.x":         `not an index of this cluster: "a.x": it has no colon; it looks like node-a.k2x7q9w4m1zp:42`,
		"a.x:":        `not an index of this cluster: "a.x:": what follows the colon is no number`,
		"a.x:-1":      `not an index of this cluster: "a.x:-1": what follows the colon is no number`,
		"a.x:1 ":      `not an index of this cluster: "a.x:1 ": what follows the colon is no number`,
		":7":          `not an index of this cluster: ":7": its first part is empty`,
		"a%2Fb:1":     `not an index of this cluster: "a%2Fb:1": its first part is no usable name`,
		"..:1":        `not an index of this cluster: "..:1": its first part is no usable name`,
		"..k2x7q9w:1": `not an index of this cluster: "..k2x7q9w:1": its first part is no usable name`,
		"a%ZZ:1":      `not an index of this cluster: "a%ZZ:1": its first part has a broken escape`,
		"removed:1":   `not an index of this cluster: "removed:1": its first part is a reserved name`,
	} {
		if _, err := ParseIndex(text); !errors.Is(err, ErrIndex) || err.Error() != why {
			t.Errorf("want %s\ngot  %v", why, err)
		}
	}
}

func FuzzParseIndex(f *testing.F) {
	f.Add("node-a.k2x7q9w4m1zp~1:42")
	f.Add("n%C3%B6de:1")
	f.Fuzz(func(t *testing.T, text string) {
		i, err := ParseIndex(text)
		if err != nil {
			return
		}
		if again, err := ParseIndex(i.String()); err != nil || again != i {
			t.Errorf("want %+v, got %+v, %v", i, again, err)
		}
	})
}

func TestWriterOf(t *testing.T) {
	for _, c := range []struct{ log, writer, node string }{
		{"node-a.k2x7q9w4m1zp", "node-a.k2x7q9w4m1zp", "node-a"},
		{"node-a.k2x7q9w4m1zp~12", "node-a.k2x7q9w4m1zp", "node-a"},
		{"a~1.k2x7q9w4m1zp", "a~1.k2x7q9w4m1zp", "a~1"},
		{"a.b.k2x7q9w4m1zp~1", "a.b.k2x7q9w4m1zp", "a.b"},
		{"plain", "plain", "plain"},
	} {
		if w, n := writerOf(c.log), nodeOf(c.log); w != c.writer || n != c.node {
			t.Errorf("%s: want %s of %s, got %s of %s", c.log, c.writer, c.node, w, n)
		}
	}
}
