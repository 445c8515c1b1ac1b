package proof

import (
	"bytes"
	"context"
)

// format is a format that can prove its end. walk returns the reason in words when the file is whole, else a fault, a
// doubt, or an error of the reader or the context.
type format struct {
	name string
	walk func(ctx context.Context, s *source) (string, error)
}

// sniff finds the format by the first bytes; the name of a file is never asked.
func sniff(ctx context.Context, s *source) (format, error) {
	head, err := s.bytes(ctx, 0, int(min(s.size, 128)))
	if err != nil {
		return format{}, err
	}
	has := func(at int, magic string) bool {
		return len(head) >= at+len(magic) && string(head[at:at+len(magic)]) == magic
	}
	switch {
	case has(0, "\xff\xd8\xff"):
		return format{"JPEG", walkJPEG}, nil
	case has(0, pngMagic):
		return format{"PNG", walkPNG}, nil
	case has(0, "GIF87a"), has(0, "GIF89a"):
		return format{"GIF", walkGIF}, nil
	case has(0, "RIFF") && has(8, "WEBP"):
		return format{"WebP", walkWebP}, nil
	case has(0, "II*\x00"), has(0, "MM\x00*"), has(0, "II+\x00"), has(0, "MM\x00+"):
		return format{tiffName(head), walkTIFF}, nil
	case has(0, "%PDF-"):
		return format{"PDF", walkPDF}, nil
	case has(0, "PK\x03\x04"), has(0, "PK\x05\x06"):
		return format{zipName(head), walkZIP}, nil
	case mediaHead(head):
		return format{mediaName(head), walkMedia}, nil
	}
	return format{}, nil
}

func tiffName(head []byte) string {
	if len(head) > 10 && string(head[8:10]) == "CR" {
		return "CR2"
	}
	return "TIFF"
}

// zipName looks at the first entry: the packages built on ZIP put a file of a fixed name there.
func zipName(head []byte) string {
	switch entry := head[min(30, len(head)):]; {
	case bytes.HasPrefix(entry, []byte("[Content_Types].xml")), bytes.HasPrefix(entry, []byte("_rels/.rels")):
		return "OOXML"
	case bytes.HasPrefix(entry, []byte("mimetypeapplication/vnd.oasis.")):
		return "ODF"
	case bytes.HasPrefix(entry, []byte("mimetypeapplication/epub")):
		return "EPUB"
	}
	return "ZIP"
}

// mediaHead accepts ISO media files, and QuickTime films from before there was an ftyp box.
func mediaHead(head []byte) bool {
	if len(head) < 12 {
		return false
	}
	switch string(head[4:8]) {
	case "ftyp", "moov", "mdat", "wide", "pnot":
		return true
	}
	return false
}

func mediaName(head []byte) string {
	if string(head[4:8]) != "ftyp" {
		return "MOV"
	}
	switch string(head[8:12]) {
	case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1":
		return "HEIC"
	case "avif", "avis":
		return "AVIF"
	case "qt  ":
		return "MOV"
	}
	return "MP4"
}
