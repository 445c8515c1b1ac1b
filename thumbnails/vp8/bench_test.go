package vp8

import (
	"bytes"
	"fmt"
	"testing"

	"golang.org/x/image/vp8"
)

// BenchmarkDecode12MP decodes a picture of 4032 x 3024 at all scales, and beside it with golang.org/x/image.
func BenchmarkDecode12MP(b *testing.B) {
	ppm := scene(4032, 3024)
	for _, q := range []int{50, 85} {
		frame := cwebp(b, ppm, fmt.Sprint("-q ", q))
		for _, scale := range []int{8, 4, 2, 1} {
			b.Run(fmt.Sprintf("q%d/%d", q, scale), func(b *testing.B) {
				for b.Loop() {
					decodeOK(b, frame, scale)
				}
			})
		}
		b.Run(fmt.Sprintf("q%d/library", q), func(b *testing.B) {
			for b.Loop() {
				d := vp8.NewDecoder()
				d.Init(bytes.NewReader(frame), len(frame))
				if _, err := d.DecodeFrameHeader(); err != nil {
					b.Fatal(err)
				}
				if _, err := d.DecodeFrame(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
