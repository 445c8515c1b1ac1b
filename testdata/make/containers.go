package main

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
)

// animated is a GIF of three frames. The second lies at an offset, is smaller, and lets the first shine through.
func animated() ([]byte, error) {
	first := indexed(160, 120)
	second := image.NewPaletted(image.Rect(50, 30, 110, 90), color.Palette{color.RGBA{}, color.RGBA{230, 40, 40, 255}})
	for y := 30; y < 90; y++ {
		for x := 50; x < 110; x++ {
			if dx, dy := x-80, y-60; dx*dx+dy*dy < 28*28 {
				second.SetColorIndex(x, y, 1)
			}
		}
	}
	third := image.NewPaletted(image.Rect(0, 0, 160, 120), first.Palette)
	for i := range first.Pix {
		third.Pix[i] = first.Pix[len(first.Pix)-1-i]
	}
	return encodeGIF(&gif.GIF{
		Image: []*image.Paletted{first, second, third}, Delay: []int{20, 20, 20},
		Disposal: []byte{gif.DisposalNone, gif.DisposalPrevious, gif.DisposalNone},
		Config:   image.Config{Width: 160, Height: 120, ColorModel: first.Palette},
	})
}

func encodeGIF(g *gif.GIF) ([]byte, error) {
	var b bytes.Buffer
	err := gif.EncodeAll(&b, g)
	return b.Bytes(), err
}

// encodeTIFF writes an RGB TIFF whose directory comes first and whose strips come last, with LZW and a predictor or plain.
func encodeTIFF(m *image.RGBA, lzw bool) []byte {
	const rows = 16
	w, h := m.Rect.Dx(), m.Rect.Dy()
	var strips [][]byte
	for y := 0; y < h; y += rows {
		var raw []byte
		for _, line := range lines(m, y, min(y+rows, h)) {
			if lzw {
				predict(line)
			}
			raw = append(raw, line...)
		}
		if lzw {
			raw = tiffLZW(raw)
		}
		strips = append(strips, raw)
	}
	offsets, lengths := field{273, exifLong, uint32(len(strips)), nil}, field{279, exifLong, uint32(len(strips)), nil}
	offsets.data = make([]byte, 4*len(strips))
	for _, s := range strips {
		lengths.data = le.AppendUint32(lengths.data, uint32(len(s)))
	}
	compression, predictor := 1, 1
	if lzw {
		compression, predictor = 5, 2
	}
	dir := func() []byte {
		bits := field{258, exifShort, 3, []byte{8, 0, 8, 0, 8, 0}}
		return directory(8, 0, short(256, w), short(257, h), bits, short(259, compression), short(262, 2), offsets,
			short(277, 3), short(278, rows), lengths, ratio(282, 300, 1), ratio(283, 300, 1), short(296, 2), short(317, predictor))
	}
	at := 8 + len(dir())
	for i, s := range strips {
		le.PutUint32(offsets.data[4*i:], uint32(at))
		at += len(s)
	}
	out := append([]byte("II*\x00\x08\x00\x00\x00"), dir()...)
	return append(out, bytes.Join(strips, nil)...)
}

// lines are the rows from y to end, three bytes a pixel.
func lines(m *image.RGBA, y, end int) [][]byte {
	var out [][]byte
	for ; y < end; y++ {
		var line []byte
		for x := range m.Rect.Dx() {
			c := m.RGBAAt(x, y)
			line = append(line, c.R, c.G, c.B)
		}
		out = append(out, line)
	}
	return out
}

// predict leaves the difference to the pixel on the left.
func predict(line []byte) {
	for i := len(line) - 1; i >= 3; i-- {
		line[i] -= line[i-3]
	}
}

// tiffLZW is the LZW of TIFF: codes from the high bit on, and one bit longer one code earlier than in GIF.
func tiffLZW(raw []byte) []byte {
	const clearCode, endCode = 256, 257
	var out []byte
	acc, fill, width := uint32(0), 0, 9
	emit := func(code int) {
		acc = acc<<width | uint32(code)
		for fill += width; fill >= 8; fill -= 8 {
			out = append(out, uint8(acc>>(fill-8)))
		}
	}
	table, next := map[[2]int]int{}, 258
	emit(clearCode)
	prefix := -1
	for _, c := range raw {
		if prefix < 0 {
			prefix = int(c)
			continue
		}
		if code, ok := table[[2]int{prefix, int(c)}]; ok {
			prefix = code
			continue
		}
		emit(prefix)
		table[[2]int{prefix, int(c)}] = next
		next++
		prefix = int(c)
		if next+1 == 4096 {
			emit(clearCode)
			table, next, width = map[[2]int]int{}, 258, 9
		} else if next+1 > 1<<width {
			width++
		}
	}
	emit(prefix)
	if next++; next+1 > 1<<width {
		width++
	}
	emit(endCode)
	if fill > 0 {
		out = append(out, uint8(acc<<(8-fill)))
	}
	return out
}
