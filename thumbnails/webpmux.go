package thumbnails

import (
	"bytes"
	"encoding/binary"
)

// pictureChunks is a still WebP without what is before its picture, as a frame has it.
func pictureChunks(data []byte) []byte {
	const head, extended = 12, 8 + 10
	if len(data) < head {
		return nil
	}
	data = data[head:]
	if bytes.HasPrefix(data, []byte("VP8X")) && len(data) > extended {
		data = data[extended:]
	}
	return data
}

// animatedWebP puts frames that are stills into one file: the encoder knows stills only.
func animatedWebP(width, height int, frames []shown, plays int, alpha bool) []byte {
	plays = min(plays, 0xffff)
	flags := byte(1 << 1)
	if alpha {
		flags |= 1 << 4
	}
	body := append([]byte("WEBP"), webpChunk("VP8X", []byte{flags, 0, 0, 0}, u24s(width-1, height-1))...)
	body = append(body, webpChunk("ANIM", []byte{0, 0, 0, 0, byte(plays), byte(plays >> 8)})...)
	for _, f := range frames {
		head := u24s(f.at.Min.X/2, f.at.Min.Y/2, f.at.Dx()-1, f.at.Dy()-1, min(f.ms, 1<<24-1))
		body = append(body, webpChunk("ANMF", head, []byte{webpReplaces}, f.data)...)
	}
	return webpChunk("RIFF", body)
}

func webpChunk(kind string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	b := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body)))
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func u24s(all ...int) (b []byte) {
	for _, v := range all {
		b = append(b, byte(v), byte(v>>8), byte(v>>16))
	}
	return b
}
