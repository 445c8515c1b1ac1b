package thumbnails

import (
	"encoding/binary"
	"slices"
)

// withPacket puts XMP into a file as the encoders here write them: they are the only ones that it has to know.
func withPacket(r Rendition, packet []byte) []byte {
	switch {
	case len(packet) == 0:
		return r.Data
	case r.Format == PNG:
		return pngWithPacket(r.Data, packet)
	case r.Format == WebP:
		return webpWithPacket(r.Data, r.Width, r.Height, packet)
	}
	return jpegWithPacket(r.Data, packet)
}

// jpegWithPacket has a segment of its own, before all others.
func jpegWithPacket(data, packet []byte) []byte {
	const mark, soi = "http://ns.adobe.com/xap/1.0/\x00", 2
	out := append([]byte{}, data[:soi]...)
	out = binary.BigEndian.AppendUint16(append(out, 0xff, 0xe1), uint16(2+len(mark)+len(packet)))
	return append(append(append(out, mark...), packet...), data[soi:]...)
}

// pngWithPacket has a chunk of text behind the header: uncompressed, in no language.
func pngWithPacket(data, packet []byte) []byte {
	const keyword, head = "XML:com.adobe.xmp\x00\x00\x00\x00\x00", 8 + 25
	return slices.Concat(data[:head], pngChunk("iTXt", []byte(keyword), packet), data[head:])
}

// webpWithPacket has the last chunk, and a first one that announces it and, as before, transparency.
func webpWithPacket(data []byte, w, h int, packet []byte) []byte {
	const head, announced, transparent, chunk = 12, 1 << 2, 1 << 4, 8
	flags, rest := byte(announced), data[head:]
	switch string(rest[:4]) {
	case "VP8X":
		flags |= rest[chunk]
		rest = rest[chunk+10:]
	case "VP8L":
		flags |= rest[chunk+4] & transparent // the bit has the same place in both
	}
	body := append([]byte("WEBP"), webpChunk("VP8X", []byte{flags, 0, 0, 0}, u24s(w-1, h-1))...)
	body = append(append(body, rest...), webpChunk("XMP ", packet)...)
	return webpChunk("RIFF", body)
}
