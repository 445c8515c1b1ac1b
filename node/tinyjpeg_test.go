package node

import (
	"bytes"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
)

// tinyJPEG is a whole picture of 8x8 pixels.
var tinyJPEG = func() []byte {
	m := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range m.Pix {
		m.Pix[i] = uint8(i * 4)
	}
	m.SetGray(1, 1, color.Gray{Y: 200})
	var b bytes.Buffer
	if err := stdjpeg.Encode(&b, m, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}()
