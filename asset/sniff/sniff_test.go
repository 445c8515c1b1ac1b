package sniff

import "testing"

func TestType_knowsWhatTheLibraryDoesNot(t *testing.T) {
	for head, want := range map[string]string{
		"II+\x00\x08\x00\x00\x00\x10\x00":                  "image/tiff",
		"MM\x00+\x00\x08\x00\x00\x00\x00":                  "image/tiff",
		"II*\x00\x08\x00\x00\x00":                          "image/tiff",
		"\xc5\xd0\xd3\xc6\x1e\x00\x00\x00\x20\x00\x00\x00": "application/postscript",
		"%!PS-Adobe-3.0\n":                                 "application/postscript",
		"%PDF-1.7\n":                                       "application/pdf",
		"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\">": "image/svg+xml",
		"\x00\x01\x02": "application/octet-stream",
	} {
		if got := Type([]byte(head)); got != want {
			t.Errorf("%q: want %s, got %s", head, want, got)
		}
	}
}
