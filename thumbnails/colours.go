package thumbnails

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"sync"

	"github.com/kovidgoyal/imaging/prism/meta/icc"
)

// colours brings the values of a profile to sRGB: relative colorimetric with black point compensation, as photo programs
// and browsers show them. What lies outside sRGB is cut. nil leaves everything as it is.
type colours struct {
	channels int // 1, 3 or 4, as the profile has
	cube     cube
}

// profiles are the newest in use: the pictures of one camera or one press have the same.
var profiles struct {
	sync.Mutex
	known map[[sha256.Size]byte]*colours
}

const profilesKept = 8

// coloursOf understands a profile. One that cannot be used, and one that is sRGB, is nil.
func coloursOf(profile []byte) *colours {
	if len(profile) < minProfile {
		return nil
	}
	id := sha256.Sum256(profile)
	profiles.Lock()
	defer profiles.Unlock()
	if c, ok := profiles.known[id]; ok {
		return c
	}
	c, err := newColours(profile)
	if err != nil {
		c = nil
	}
	if len(profiles.known) >= profilesKept || profiles.known == nil {
		profiles.known = map[[sha256.Size]byte]*colours{}
	}
	profiles.known[id] = c
	return c
}

var errProfile = errors.New("a colour profile that cannot be used")

// newColours gives nil for sRGB itself. The library panics at some broken profiles.
func newColours(profile []byte) (c *colours, err error) {
	defer func() {
		if p := recover(); p != nil {
			c, err = nil, fmt.Errorf("%w: %v", errProfile, p)
		}
	}()
	if !soundTags(profile) {
		return nil, errProfile
	}
	p, err := icc.DecodeProfile(bytes.NewReader(profile))
	if err != nil || p.IsSRGB() {
		return nil, err
	}
	n := map[icc.ColorSpace]int{icc.ColorSpaceGray: 1, icc.ColorSpaceRGB: 3, icc.ColorSpaceCMYK: 4}[p.Header.DataColorSpace]
	t, err := p.CreateTransformerToSRGB(icc.RelativeColorimetricRenderingIntent, true, n, false, false, true)
	if err != nil {
		return nil, err
	}
	return &colours{n, newCube(n, transformOf(t, n))}, nil
}

// soundTags keeps the library from allocating by what a broken table of tags says.
func soundTags(profile []byte) bool {
	const most, entry = 256, 12
	n := int(binary.BigEndian.Uint32(profile[128:]))
	if n > most || len(profile) < minProfile+n*entry {
		return false
	}
	for i := range n {
		e := profile[minProfile+i*entry:]
		off, size := int64(binary.BigEndian.Uint32(e[4:])), int64(binary.BigEndian.Uint32(e[8:]))
		if off < int64(minProfile+n*entry) || off+size > int64(len(profile)) {
			return false
		}
	}
	return true
}

// transformOf is a transformation with as many arguments as the profile has channels.
func transformOf(t *icc.Pipeline, n int) func(in []float64) (r, g, b float64) {
	if n == 3 {
		return func(in []float64) (r, g, b float64) { return t.Transform(in[0], in[1], in[2]) }
	}
	return func(in []float64) (r, g, b float64) {
		var from, to [8]float64
		copy(from[:], in)
		t.TransformGeneral(to[:], from[:])
		return to[0], to[1], to[2]
	}
}

// fits reports whether the values of img are what the profile speaks of.
func (c *colours) fits(img image.Image, gray bool) bool {
	if c == nil {
		return false
	}
	switch {
	case hasInks(img):
		return c.channels == 4
	case c.channels == 1:
		return gray
	}
	return c.channels == 3
}

// apply changes the pixels of an image of red, green and blue, or of grey.
func (c *colours) apply(img *image.NRGBA) {
	for y := range img.Rect.Dy() {
		row := img.Pix[y*img.Stride:][:4*img.Rect.Dx()]
		if c.channels == 1 {
			c.grayRow(row)
		} else {
			c.row(row)
		}
	}
}

func (c *colours) row(row []byte) {
	for i := 0; i+4 <= len(row); i += 4 {
		p := row[i : i+4 : i+4]
		p[0], p[1], p[2] = c.cube.at3(p[0], p[1], p[2])
	}
}

func (c *colours) grayRow(row []byte) {
	for i := 0; i+4 <= len(row); i += 4 {
		p := row[i : i+4 : i+4]
		_, p[1], _ = c.cube.at1(p[0])
		p[0], p[2] = p[1], p[1]
	}
}

// inkRow turns four inks into sRGB.
func (c *colours) inkRow(dst, src []byte) {
	for i := 0; i+4 <= len(dst); i += 4 {
		s, d := src[i:i+4:i+4], dst[i:i+4:i+4]
		d[0], d[1], d[2] = c.cube.at4(s[0], s[1], s[2], s[3])
		d[3] = 255
	}
}
