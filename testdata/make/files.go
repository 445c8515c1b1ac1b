package main

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// file is one file to make, by its path below the folder of the assets.
type file struct {
	name string
	make func() ([]byte, error)
}

// files is all of them. The broken ones are made from the good ones.
func files() []file {
	all := []file{
		{"photo.jpg", func() ([]byte, error) { return photo(1200, 800, 85, camera) }},
		{"photo-large.jpg", func() ([]byte, error) { return photo(3000, 2000, 78, camera) }},
		{"photo-adobergb.jpg", wideGamut},
		{"progressive.jpg", func() ([]byte, error) { return encodeJPEG(ycc(scene(480, 320)), 60, true), nil }},
		{"cmyk.jpg", func() ([]byte, error) { return encodeJPEG(cmyk(scene(320, 240)), 60, false), nil }},
		{"gray.jpg", func() ([]byte, error) { return encodeJPEG(luma(scene(240, 160)), 60, true), nil }},
		{"alpha.png", func() ([]byte, error) { return encode(png.Encode, translucent(240, 180)) }},
		{"sixteen-bit.png", func() ([]byte, error) { return encode(png.Encode, deep(160, 120)) }},
		{"palette.png", func() ([]byte, error) { return encode(png.Encode, indexed(240, 160)) }},
		{"animated.gif", animated},
		{"lzw.tif", func() ([]byte, error) { return encodeTIFF(scene(200, 150), true), nil }},
		{"uncompressed.tif", func() ([]byte, error) { return encodeTIFF(scene(150, 100), false), nil }},
		{"directory-last.tif", func() ([]byte, error) { return encode(plainTIFF, scene(120, 80)) }},
		{"lossless.webp", func() ([]byte, error) { return encodeWebP(translucent(120, 90)), nil }},
		{"picture.bmp", func() ([]byte, error) { return encode(bmp.Encode, scene(160, 120)) }},
		{"page.pdf", func() ([]byte, error) { return pdf(), nil }},
		{"archive.zip", archive},
		{"letter.docx", letter},
		{"clip.mp4", clip},
		{"drawing.svg", func() ([]byte, error) { return []byte(drawing), nil }},
		{"note.txt", func() ([]byte, error) { return []byte(note), nil }},
	}
	for o := 1; o <= 8; o++ {
		all = append(all, file{fmt.Sprintf("orientation-%d.jpg", o), func() ([]byte, error) { return oriented(o) }})
	}
	return append(all, broken()...)
}

func plainTIFF(w io.Writer, m image.Image) error { return tiff.Encode(w, m, nil) }

// encode runs an encoder of the standard library or its kin.
func encode(enc func(io.Writer, image.Image) error, m image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := enc(&b, m)
	return b.Bytes(), err
}

// photo is a scene as a camera leaves it.
func photo(w, h, quality int, meta exif) ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, scene(w, h), &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	meta.width, meta.height = w, h
	return withSegment(b.Bytes(), 0xe1, meta.bytes()), nil
}
