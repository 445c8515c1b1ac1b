package thumbnails

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strings"
)

// xmpForm is how XMP writes a property.
type xmpForm int

const (
	xmpText xmpForm = iota
	xmpAlt          // one text, of which there might be others in other languages
	xmpSeq          // several in order
)

// xmpSpaces are the names of the vocabularies, by their prefixes.
func xmpSpaces() map[string]string {
	return map[string]string{
		"dc": "http://purl.org/dc/elements/1.1/", "photoshop": "http://ns.adobe.com/photoshop/1.0/", "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
	}
}

// packet is XMP that says what is kept and nothing else; none when nothing is. It is shorter than the segment of a JPEG that it has to
// fit in: seven words of [keptBytes].
func (k kept) packet() []byte {
	var about, body strings.Builder
	var prefixes []string
	for _, a := range keepables() {
		if len(k[a.word]) == 0 {
			continue
		}
		if !slices.Contains(prefixes, a.prefix) {
			prefixes = append(prefixes, a.prefix)
			about.WriteString(" xmlns:" + a.prefix + `="` + xmpSpaces()[a.prefix] + `"`)
		}
		body.WriteString(a.element(k[a.word]))
	}
	if body.Len() == 0 {
		return nil
	}
	return []byte("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description rdf:about=""` + about.String() + ">" + body.String() + "</rdf:Description></rdf:RDF></x:xmpmeta>" + `<?xpacket end="r"?>`)
}

func (k keepable) element(texts []string) string {
	name := k.prefix + ":" + k.local
	switch k.form {
	case xmpAlt:
		return "<" + name + `><rdf:Alt><rdf:li xml:lang="x-default">` + escaped(texts[0], keptBytes) + "</rdf:li></rdf:Alt></" + name + ">"
	case xmpSeq:
		var items strings.Builder
		for left, i := keptBytes, 0; i < len(texts) && left > 0; i++ {
			item := escaped(texts[i], left)
			left -= len(item)
			items.WriteString("<rdf:li>" + item + "</rdf:li>")
		}
		return "<" + name + "><rdf:Seq>" + items.String() + "</rdf:Seq></" + name + ">"
	}
	return "<" + name + ">" + escaped(texts[0], keptBytes) + "</" + name + ">"
}

// escaped is as much of a text as fits into most bytes of XML, in whole runes.
func escaped(s string, most int) string {
	var b bytes.Buffer
	for _, r := range s {
		before := b.Len()
		_ = xml.EscapeText(&b, []byte(string(r))) // a buffer takes everything
		if b.Len() > most {
			b.Truncate(before)
			break
		}
	}
	return b.String()
}
