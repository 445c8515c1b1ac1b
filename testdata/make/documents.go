package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"time"
)

const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="80" viewBox="0 0 120 80">
  <rect width="120" height="80" fill="#dde8f4"/>
  <circle cx="88" cy="24" r="12" fill="#f5c542"/>
  <path d="M0 80 L40 34 L70 62 L90 44 L120 80 Z" fill="#4c7a4f"/>
</svg>
`

const note = "A text has no end of its own: nothing in these bytes says that there are no more.\n" +
	"Grüße aus dem Ordner. 日本語も。\n"

// pdf is one page with one line of text.
func pdf() []byte {
	page := "BT /F1 24 Tf 40 100 Td (One page) Tj ET"
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 240 160] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(page), page),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}
	var b, table strings.Builder
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	for i, o := range objects {
		fmt.Fprintf(&table, "%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n%s", len(objects)+1, table.String())
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, at)
	return []byte(b.String())
}

// member is one file of a ZIP.
type member struct {
	name, data string
	method     uint16
}

func zipped(comment string, members ...member) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: m.method, Modified: time.Date(2024, 5, 17, 12, 0, 0, 0, time.UTC)}
		f, err := w.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write([]byte(m.data)); err != nil {
			return nil, err
		}
	}
	if err := w.SetComment(comment); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

// archive holds another archive, stored: cut behind that one, it ends like an archive.
func archive() ([]byte, error) {
	inner, err := zipped("", member{"inner.txt", note, zip.Deflate})
	if err != nil {
		return nil, err
	}
	return zipped("a comment", member{"inner.zip", string(inner), zip.Store},
		member{"notes/ä.txt", note, zip.Deflate}, member{"drawing.svg", drawing, zip.Deflate})
}

// letter is the least that a word processor opens.
func letter() ([]byte, error) {
	const head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	const office = "http://schemas.openxmlformats.org/"
	return zipped("",
		member{"[Content_Types].xml", head + `<Types xmlns="` + office + `package/2006/content-types">` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
			`<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.` +
			`wordprocessingml.document.main+xml"/></Types>`, zip.Deflate},
		member{"_rels/.rels", head + `<Relationships xmlns="` + office + `package/2006/relationships"><Relationship Id="r1" Type="` +
			office + `officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`, zip.Deflate},
		member{"word/document.xml", head + `<w:document xmlns:w="` + office + `wordprocessingml/2006/main"><w:body><w:p><w:r>` +
			`<w:t>A letter.</w:t></w:r></w:p></w:body></w:document>`, zip.Deflate})
}

// clip is a film of three frames, each a JPEG, with its index in front.
func clip() ([]byte, error) {
	var frames [][]byte
	for i := range 3 {
		frames = append(frames, encodeJPEG(ycc(scene(128, 96)), 50+10*i, false))
	}
	head := atom("ftyp", []byte("isom\x00\x00\x02\x00isomiso2mp41"))
	at := len(head) + len(movie(frames, 0)) + 8
	return bytes.Join([][]byte{head, movie(frames, at), atom("mdat", frames...)}, nil), nil
}
