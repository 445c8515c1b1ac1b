package thumbnails

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
)

// pngMagic begins each PNG.
const pngMagic = "\x89PNG\r\n\x1a\n"

// seeThrough has the encoder write alpha, though there may be nothing to see through in this one.
type seeThrough struct{ *image.NRGBA }

// Opaque is what the encoder asks for.
func (seeThrough) Opaque() bool { return false }

// pngPixels is what is in the IDATs of img. All frames have the pixels that the header tells of: with alpha or without.
func pngPixels(enc *png.Encoder, img *image.NRGBA, alpha bool) ([]byte, error) {
	var b bytes.Buffer
	var of image.Image = img
	switch opaque := img.Opaque(); {
	case alpha && opaque:
		of = seeThrough{img}
	case !alpha && !opaque:
		return nil, errOtherPixels
	}
	if err := enc.Encode(&b, of); err != nil {
		return nil, err
	}
	var data []byte
	for rest := b.Bytes()[len(pngMagic):]; len(rest) >= 12; {
		n := int(binary.BigEndian.Uint32(rest))
		if string(rest[4:8]) == "IDAT" {
			data = append(data, rest[8:8+n]...)
		}
		rest = rest[12+n:]
	}
	return data, nil
}

// apngWriter numbers the chunks that are of the animation.
type apngWriter struct {
	bytes.Buffer
	next uint32
}

func (w *apngWriter) chunk(kind string, body ...[]byte) { w.Write(pngChunk(kind, body...)) }

func pngChunk(kind string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), kind...)
	b = append(b, body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func (w *apngWriter) number() []byte {
	w.next++
	return binary.BigEndian.AppendUint32(nil, w.next-1)
}

// animatedPNG is a PNG that shows its first frame where animations are not known.
func animatedPNG(width, height int, frames []shown, plays int, alpha bool) []byte {
	w := &apngWriter{}
	w.WriteString(pngMagic)
	colours := byte(2)
	if alpha {
		colours = 6
	}
	w.chunk("IHDR", u32s(width, height), []byte{8, colours, 0, 0, 0})
	w.chunk("acTL", u32s(len(frames), plays))
	for i, f := range frames {
		w.chunk("fcTL", w.number(), u32s(f.at.Dx(), f.at.Dy(), f.at.Min.X, f.at.Min.Y), apngDelay(f.ms), []byte{0, 0})
		if i == 0 {
			w.chunk("IDAT", f.data)
		} else {
			w.chunk("fdAT", w.number(), f.data)
		}
	}
	w.chunk("IEND")
	return w.Bytes()
}

func u32s(all ...int) (b []byte) {
	for _, v := range all {
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	}
	return b
}

// apngDelay is a fraction of a second, of two numbers below 65536.
func apngDelay(ms int) []byte {
	parts := 1000
	for ms > 0xffff && parts > 1 {
		ms, parts = ms/10, parts/10
	}
	b := binary.BigEndian.AppendUint16(nil, uint16(min(ms, 0xffff)))
	return binary.BigEndian.AppendUint16(b, uint16(parts))
}
