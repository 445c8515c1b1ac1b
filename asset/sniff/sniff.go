// Package sniff tells what bytes are. It is a room of its own so that whoever speaks of assets does not need the library for it.
package sniff

import (
	"bytes"

	"github.com/gabriel-vasile/mimetype"
)

// Type is the MIME type of what begins so; 3 KiB are enough. The library does not know the TIFFs that may be over 4 GB, and EPS files
// with a picture inside.
func Type(head []byte) string {
	if bytes.HasPrefix(head, []byte("\xc5\xd0\xd3\xc6")) {
		return "application/postscript"
	}
	for _, begin := range []string{"II+\x00\x08\x00\x00\x00", "MM\x00+\x00\x08\x00\x00"} {
		if bytes.HasPrefix(head, []byte(begin)) {
			return "image/tiff"
		}
	}
	return mimetype.Detect(head).String()
}
