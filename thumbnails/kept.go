package thumbnails

import (
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/bep/imagemeta"
)

// Bounds of what is kept of an original's metadata.
const (
	keptBytes = 2 << 10 // of each word in a rendition, as it is written there
	keptItems = 20      // of one word: a picture may have several creators
)

// keepable is what a rule may keep in thumbnails, and where it stands in originals: nothing else of their metadata gets there.
type keepable struct {
	word          string // in a rule
	exif, iptc    string // names of tags; empty: there is none
	prefix, local string // of the property in XMP
	form          xmpForm
}

func keepables() []keepable {
	return []keepable{
		{"copyright", "Copyright", "CopyrightNotice", "dc", "rights", xmpAlt},
		{"creator", "Artist", "By-line", "dc", "creator", xmpSeq},
		{"credit", "", "Credit", "photoshop", "Credit", xmpText},
		{"source", "", "Source", "photoshop", "Source", xmpText},
		{"terms", "", "", "xmpRights", "UsageTerms", xmpAlt},
		{"title", "", "ObjectName", "dc", "title", xmpAlt},
		{"description", "ImageDescription", "Caption-Abstract", "dc", "description", xmpAlt},
	}
}

// keepWords are all that a [Spec] may keep.
func keepWords() []string {
	var words []string
	for _, k := range keepables() {
		words = append(words, k.word)
	}
	return words
}

// is reports whether it stands in this tag. In EXIF it is the picture's own, not that of a picture inside.
func (k keepable) is(t imagemeta.TagInfo) bool {
	switch t.Source {
	case imagemeta.EXIF:
		return t.Tag == k.exif && t.Namespace == "IFD0"
	case imagemeta.IPTC:
		return t.Tag == k.iptc
	}
	return t.Namespace == xmpSpaces()[k.prefix] && strings.EqualFold(t.Tag, k.local)
}

// kept is what is kept of one original, clean, by word.
type kept map[string][]string

// keptOf reads the words in an original: EXIF goes before XMP, and XMP before IPTC. What cannot be read within the bounds is left out: an
// image is not refused because of its metadata. The bounds are of bytes and tags, never of time, so that all nodes read the same; an
// error is a source that cannot be read.
func keptOf(s *source, m measured, words []string) (kept, error) {
	if len(words) == 0 {
		return nil, nil
	}
	k := kept{}
	for _, from := range []imagemeta.Source{imagemeta.EXIF, imagemeta.XMP, imagemeta.IPTC} {
		if r, kind, ok := metadataIn(s, m, from); ok {
			_ = s.limited(exifBytes, func() error { return k.read(r, kind, from, words) })
		}
	}
	if s.failed != nil {
		return nil, s.failed
	}
	return k, s.stop()
}

// metadataIn is where the metadata library finds it. That of a raw file is the file's, not that of the picture inside. Of a WebP it is given
// what it looks for alone, since it knows nothing of the bytes that fill up chunks; and of a PNG the XMP, which it does not look for.
func metadataIn(s *source, m measured, from imagemeta.Source) (io.ReadSeeker, imagemeta.ImageFormat, bool) {
	switch {
	case m.mime == "image/webp" && from == imagemeta.EXIF:
		return exifOf(s, m)
	case m.mime == "image/webp" || m.mime == "image/png" && from == imagemeta.XMP:
		packet := packetIn(s, m)
		return webpOf(packet), imagemeta.WebP, from == imagemeta.XMP && len(packet) > 0
	}
	file, err := sniff(s)
	kind, ok := map[string]imagemeta.ImageFormat{
		"image/jpeg": imagemeta.JPEG, "image/png": imagemeta.PNG, "image/tiff": imagemeta.TIFF,
		"image/heic": imagemeta.HEIF, "image/avif": imagemeta.AVIF,
	}[file.mime]
	return s.section(), kind, ok && err == nil
}

// read adds what is not there yet. The library may panic over foreign bytes.
func (k kept) read(r io.ReadSeeker, kind imagemeta.ImageFormat, from imagemeta.Source, words []string) (err error) {
	defer func() { _ = recover() }()
	word := func(t imagemeta.TagInfo) string {
		for _, a := range keepables() {
			if a.is(t) && slices.Contains(words, a.word) && k[a.word] == nil {
				return a.word
			}
		}
		return ""
	}
	_, err = imagemeta.Decode(imagemeta.Options{
		R: r, ImageFormat: kind, Sources: from, LimitNumTags: 2000, LimitTagSize: 16 << 10,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return word(t) != "" },
		HandleTag: func(t imagemeta.TagInfo) error {
			if found := cleanTexts(t.Value); len(found) > 0 {
				k[word(t)] = found
			}
			return nil
		},
	})
	return err
}

// cleanTexts are the texts of a tag, each as one line of what can be printed; what is not text is none.
func cleanTexts(v any) (clean []string) {
	all, _ := v.([]string)
	if s, ok := v.(string); ok {
		all = []string{s}
	}
	for _, s := range all[:min(len(all), keptItems)] {
		if s = cleanText(s); s != "" {
			clean = append(clean, s)
		}
	}
	return clean
}

func cleanText(s string) string {
	s = strings.Join(strings.Fields(s[:min(len(s), 8*keptBytes)]), " ")
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
}
