package thumbnails

import "encoding/binary"

// PostScript is a program, and running it is not for us. Many EPS files begin with the addresses of a picture of themselves, which
// the program that wrote them put there for whoever cannot run it.

// epsType is the MIME type of PostScript, with a picture inside or without.
const epsType = "application/postscript"

// epsMagic begins an EPS with a picture: places and lengths of the PostScript, a metafile of Windows and a TIFF follow.
const epsMagic = "\xc5\xd0\xd3\xc6"

// epsPreview is the TIFF inside, or what stands among the comments.
func epsPreview(s *source) (measured, error) {
	var head [28]byte
	if n, err := s.ReadAt(head[:], 0); n == len(head) && string(head[:4]) == epsMagic {
		in := span{int64(binary.LittleEndian.Uint32(head[20:])), int64(binary.LittleEndian.Uint32(head[24:]))}
		if m, err := sniff(s.part(in)); err == nil && m.mime == "image/tiff" {
			return m, nil
		}
	} else if m, ok := epsiPreview(s); ok {
		return m, nil
	} else if s.failed != nil {
		return measured{}, err
	}
	return measured{}, &Error{Kind: Unsupported, Reason: "this PostScript has no picture of itself inside, and is not run"}
}
