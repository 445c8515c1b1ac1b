package main

import (
	"bytes"
	"compress/zlib"
	"hash/crc32"
	"image/png"
)

// broken are the files that no one should import without a word, and the hostile ones.
func broken() []file {
	return []file{
		{"broken/truncated.jpg", func() ([]byte, error) { return half(photo(1200, 800, 40, camera)) }},
		{"broken/truncated.png", func() ([]byte, error) { return half(encode(png.Encode, translucent(240, 180))) }},
		{"broken/corrupt.jpg", corrupt},
		{"broken/empty.jpg", func() ([]byte, error) { return nil, nil }},
		{"broken/bomb.png", bomb},
		{"broken/bomb.gif", func() ([]byte, error) { return gifBomb(), nil }},
		{"broken/png-named.jpg", func() ([]byte, error) { return encode(png.Encode, indexed(60, 40)) }},
		{"broken/loop.tif", func() ([]byte, error) { return loop(), nil }},
	}
}

func half(b []byte, err error) ([]byte, error) { return b[:len(b)/2], err }

// corrupt has a bit flipped in every hundredth byte of the second half of its picture, never so that a marker comes up or
// goes away: its structure is whole, its pixels are not.
func corrupt() ([]byte, error) {
	b, err := photo(600, 400, 75, camera)
	if err != nil {
		return nil, err
	}
	for i := len(b) / 2; i < len(b)-8; i += 100 {
		if b[i-1] != 0xff && b[i] != 0xff && b[i]^0x10 != 0xff {
			b[i] ^= 0x10
		}
	}
	return b, nil
}

// bomb is 900 million pixels in about a hundred kilobytes.
func bomb() ([]byte, error) {
	const side = 30000
	var data bytes.Buffer
	z, err := zlib.NewWriterLevel(&data, zlib.BestCompression)
	if err != nil {
		return nil, err
	}
	row := make([]byte, 1+side/8)
	for range side {
		if _, err := z.Write(row); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	head := append(words(side, side), 1, 0, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", head)...)
	return append(append(out, pngChunk("IDAT", data.Bytes())...), pngChunk("IEND", nil)...), nil
}

func pngChunk(kind string, data []byte) []byte {
	b := append(append(words(uint32(len(data))), kind...), data...)
	return append(b, words(crc32.ChecksumIEEE(b[4:]))...)
}

// gifBomb says that it has 65,535 by 65,535 pixels, and has one.
func gifBomb() []byte {
	b := []byte("GIF89a\xff\xff\xff\xff\x80\x00\x00\x00\x00\x00\xff\xff\xff")
	b = append(b, 0x2c, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0)
	return append(b, 2, 2, 0x44, 0x01, 0, 0x3b)
}

// loop is a TIFF with two directories, each the next of the other.
func loop() []byte {
	pixel := func(at int, next uint32) []byte {
		return directory(at, next, short(256, 1), short(257, 1), short(258, 8), short(259, 1), short(262, 1), long(273, 4),
			short(277, 1), short(278, 1), long(279, 1))
	}
	size := len(pixel(8, 0))
	b := append([]byte("II*\x00\x08\x00\x00\x00"), pixel(8, uint32(8+size))...)
	return append(b, pixel(8+size, 8)...)
}
