package thumbnails

import (
	"image"

	"hotfolderd/thumbnails/vp8"
)

// The flags of a frame of a WebP.
const (
	webpClears   = 1 << 0
	webpReplaces = 1 << 1
)

// readWebPMovie ends at the first frame that makes no sense.
func readWebPMovie(m measured) movie {
	var mov movie
	if m.webp.frame == nil {
		return mov
	}
	mov.plays = 1
	_ = chunks(m.src, span{12, m.src.size - 12}, maxCels+webpChunks, func(id string, body span) (bool, error) {
		switch id {
		case "ANIM":
			var b [6]byte
			if _, err := m.src.ReadAt(b[:min(body.n, 6)], body.off); err != nil {
				return false, err
			}
			mov.plays = int(b[4]) | int(b[5])<<8
		case "ANMF":
			f, err := readFrame(m.src, body)
			if err != nil {
				return false, err
			}
			mov.add(m, f)
		}
		return len(mov.cels) <= maxCels, nil
	})
	return mov
}

func (mov *movie) add(m measured, f *webpFrame) {
	c := cel{at: image.Rect(f.x, f.y, f.x+f.w, f.y+f.h), ms: shownFor(f.ms), replace: f.flags&webpReplaces != 0}
	if f.flags&webpClears != 0 {
		c.dispose = disposeClear
	}
	c.decode = func() (image.Image, error) { return f.decode(m.src, m, vp8.Size{Scale: 1}) }
	mov.hides = mov.hides || c.dispose == disposeClear || c.replace && len(mov.cels) > 0 && !f.plain()
	mov.cels = append(mov.cels, c)
}
