package thumbnails

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
)

// packetBytes bounds a packet of XMP in an original.
const packetBytes = 1 << 20

// packetIn is the XMP of a WebP or PNG; none when it cannot be read.
func packetIn(s *source, m measured) (packet []byte) {
	_ = s.limited(exifBytes, func() (err error) {
		if m.mime == "image/png" {
			packet, err = pngPacket(s)
		} else {
			packet, err = s.piece(m.webp.xmp)
		}
		return err
	})
	return packet
}

// piece reads a span that is not too long for a packet.
func (s *source) piece(in span) ([]byte, error) {
	if in.n > packetBytes || in.off+in.n > s.size {
		return nil, nil
	}
	b := make([]byte, in.n)
	_, err := s.ReadAt(b, in.off)
	return b, err
}

// pngPacket is a text by its name, which may be compressed, and stand behind the pixels.
func pngPacket(s *source) (packet []byte, err error) {
	err = pngChunks(s, func(kind string, body span) (bool, error) {
		if kind != "iTXt" {
			return true, nil
		}
		b, err := s.piece(body)
		if rest, ok := bytes.CutPrefix(b, []byte("XML:com.adobe.xmp\x00")); ok && err == nil {
			packet, err = pngText(rest)
		}
		return packet == nil, err
	})
	return packet, err
}

// pngText is what follows the name: whether and how it is compressed, a language, the name in it, each with a zero, and the text.
func pngText(b []byte) ([]byte, error) {
	if len(b) < 2 {
		return nil, nil
	}
	parts := bytes.SplitN(b[2:], []byte{0}, 3)
	if len(parts) < 3 {
		return nil, nil
	}
	if b[0] == 0 {
		return parts[2], nil
	}
	return inflated(parts[2], packetBytes)
}

// webpOf is a WebP that has nothing but this packet.
func webpOf(packet []byte) io.ReadSeeker {
	chunk := binary.LittleEndian.AppendUint32([]byte("WEBPXMP "), uint32(len(packet)))
	file := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(chunk)+len(packet)))
	return bytes.NewReader(slices.Concat(file, chunk, packet))
}
