package thumbnails

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"slices"
	"testing"

	"github.com/gen2brain/webp"
)

// patch is one frame of a made animation.
type patch struct {
	at      image.Rectangle
	colour  color.NRGBA
	hole    image.Rectangle // transparent, inside of at
	ms      int
	dispose byte
	replace bool // of WebP
}

func (p patch) paletted() *image.Paletted {
	m := image.NewPaletted(p.at, color.Palette{p.colour, color.NRGBA{}})
	draw.Draw(m, p.hole, image.NewUniform(color.NRGBA{}), image.Point{}, draw.Src)
	return m
}

func asGIF(tb testing.TB, w, h, loops int, patches []patch) []byte {
	tb.Helper()
	g := gif.GIF{LoopCount: loops, Config: image.Config{Width: w, Height: h}}
	for _, p := range patches {
		g.Image, g.Delay = append(g.Image, p.paletted()), append(g.Delay, p.ms/10)
		g.Disposal = append(g.Disposal, [3]byte{gif.DisposalNone, gif.DisposalBackground, gif.DisposalPrevious}[p.dispose])
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &g); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// asMovie is an animated WebP of lossless frames, byte by byte.
func asMovie(tb testing.TB, w, h, plays int, patches []patch) []byte {
	tb.Helper()
	all := [][]byte{vp8x(1<<1|1<<4, w, h), riffChunk("ANIM", []byte{9, 9, 9, 9, byte(plays), byte(plays >> 8)})}
	for _, p := range patches {
		var b bytes.Buffer
		if err := webp.Encode(&b, imagingClone(p.paletted()), webp.Options{Lossless: true, Quality: 100, Exact: true}); err != nil {
			tb.Fatal(err)
		}
		body := u24Bytes(p.at.Min.X/2, p.at.Min.Y/2, p.at.Dx()-1, p.at.Dy()-1, p.ms)
		flags := p.dispose
		if p.replace {
			flags |= 2
		}
		picture := b.Bytes()[12:]
		if string(picture[:4]) == "VP8X" {
			picture = picture[18:]
		}
		all = append(all, riffChunk("ANMF", append(append(body, flags), picture...)))
	}
	return riff(all...)
}

func u24Bytes(all ...int) (b []byte) {
	for _, v := range all {
		b = append(b, byte(v), byte(v>>8), byte(v>>16))
	}
	return b
}

func imagingClone(m image.Image) *image.NRGBA {
	out := image.NewNRGBA(image.Rectangle{Max: m.Bounds().Size()})
	draw.Draw(out, out.Rect, m, m.Bounds().Min, draw.Src)
	return out
}

// scene is what is seen for a time.
type scene struct {
	img *image.NRGBA
	ms  int
}

// played is an animation as its viewers see it.
type played struct {
	plays  int
	scenes []scene
}

func (p played) times() (all []int) {
	for _, s := range p.scenes {
		all = append(all, s.ms)
	}
	return all
}

func (p played) total() (ms int) {
	for _, s := range p.scenes {
		ms += s.ms
	}
	return ms
}

// play plays a rendition, and fails the test on anything that is not as the format says.
func play(tb testing.TB, r Rendition) played {
	tb.Helper()
	var p played
	if r.Format == WebP {
		p = playWebP(tb, r.Data)
	} else {
		p = playPNG(tb, r.Data)
	}
	for i, s := range p.scenes {
		if s.img.Rect != image.Rect(0, 0, r.Width, r.Height) {
			tb.Fatalf("frame %d: want %d x %d, got %v", i, r.Width, r.Height, s.img.Rect)
		}
	}
	return p
}

// playWebP is libwebp, which says nothing of the loops.
func playWebP(tb testing.TB, data []byte) played {
	tb.Helper()
	all, err := webp.DecodeAll(bytes.NewReader(data))
	if err != nil {
		tb.Fatal(err)
	}
	at := bytes.Index(data, []byte("ANIM\x06"))
	if at < 0 {
		tb.Fatal("want an animation, got a still")
	}
	p := played{plays: int(binary.LittleEndian.Uint16(data[at+12:]))}
	for i, m := range all.Image {
		p.scenes = append(p.scenes, scene{imagingClone(m), all.Delay[i]})
	}
	return p
}

// playPNG knows what is written: each frame replaces, and stays.
func playPNG(tb testing.TB, data []byte) played {
	tb.Helper()
	var p played
	var head, pixels []byte
	var at image.Rectangle
	var screen *image.NRGBA
	next, frames := uint32(0), 0
	numbered := func(b []byte) []byte {
		if got := binary.BigEndian.Uint32(b); got != next {
			tb.Fatalf("want chunk %d, got %d", next, got)
		}
		next++
		return b[4:]
	}
	show := func() {
		if pixels == nil {
			return
		}
		h := slices.Concat(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(at.Dx())), uint32(at.Dy())), head[8:])
		m, err := png.Decode(bytes.NewReader(slices.Concat(data[:8], pngChunk("IHDR", h), pngChunk("IDAT", pixels), pngChunk("IEND", nil))))
		if err != nil {
			tb.Fatalf("frame %d: %v", len(p.scenes), err)
		}
		draw.Draw(screen, at, m, image.Point{}, draw.Src)
		p.scenes[len(p.scenes)-1].img, pixels = imagingClone(screen), nil
	}
	for rest := data[8:]; len(rest) > 0; {
		n := int(binary.BigEndian.Uint32(rest))
		kind, b := string(rest[4:8]), rest[8:8+n]
		if !bytes.Equal(rest[:12+n], pngChunk(kind, b)) {
			tb.Fatalf("the checksum of %s", kind)
		}
		u32 := func(b []byte) int { return int(binary.BigEndian.Uint32(b)) }
		switch kind {
		case "IHDR":
			head, screen = b, image.NewNRGBA(image.Rect(0, 0, u32(b), u32(b[4:])))
		case "acTL":
			frames, p.plays = u32(b), u32(b[4:])
		case "fcTL":
			show()
			b = numbered(b)
			x, y := u32(b[8:]), u32(b[12:])
			at = image.Rect(x, y, x+u32(b), y+u32(b[4:]))
			p.scenes = append(p.scenes, scene{ms: 1000 * int(binary.BigEndian.Uint16(b[16:])) / int(binary.BigEndian.Uint16(b[18:]))})
		case "fdAT":
			pixels = append(pixels, numbered(b)...)
		case "IDAT":
			pixels = append(pixels, b...)
		}
		rest = rest[12+n:]
	}
	show()
	if frames != len(p.scenes) {
		tb.Fatalf("want %d frames, got %d", frames, len(p.scenes))
	}
	return p
}
