package thumbnails

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"

	"golang.org/x/image/webp"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Flaw is a rendition that is not as it should be.
type Flaw struct {
	Size   int    `json:"size"` // as asked for
	Format string `json:"format"`
	// Reason is a few words; empty: it is not there.
	Reason string `json:"reason,omitempty"`
}

// Missing reports whether there is nothing at all.
func (f Flaw) Missing() bool { return f.Reason == "" }

// Differs reports whether it can be decoded and only [Room.Compare] finds fault with it.
func (f Flaw) Differs() bool { return f.Reason == otherBytes }

// largestFile bounds what is read of one rendition: no encoder makes more of a picture of that size, nor of an animation.
func largestFile(size int) int64 {
	return max(64<<10+8*int64(size)*int64(size), animationBytes+animationBytes/32)
}

// Inspect reads the renditions that spec asks for, decodes them and tells which are missing or damaged, the largest first. A format
// of auto is found in either.
func (r *Room) Inspect(ctx context.Context, h asset.Hash, spec Spec) ([]Flaw, error) {
	spec, err := spec.checked()
	if err != nil {
		return nil, err
	}
	var flaws []Flaw
	for _, size := range spec.Sizes {
		if flaws, err = r.inspected(ctx, flaws, h, Rendition{Size: size, Format: spec.Format}); err != nil {
			return nil, err
		}
	}
	return flaws, nil
}

// inspected adds what is wrong with one rendition to flaws. When it is known how it should be it must have the same bytes.
func (r *Room) inspected(ctx context.Context, flaws []Flaw, h asset.Hash, want Rendition) ([]Flaw, error) {
	data, reason, err := r.inspect(ctx, h, want.Size, want.Format)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return append(flaws, Flaw{Size: want.Size, Format: want.Format}), nil
	case err != nil:
		return nil, fmt.Errorf("inspect the thumbnail of %s at %d: %w", h, want.Size, err)
	case reason == "" && want.Data != nil && !bytes.Equal(data, want.Data):
		reason = otherBytes
	}
	if reason != "" {
		flaws = append(flaws, Flaw{Size: want.Size, Format: want.Format, Reason: reason})
	}
	return flaws, nil
}

// otherBytes is a rendition that can be decoded.
const otherBytes = "it is not what the rule and this program make now"

// Compare renders the original anew, and tells which renditions are missing, damaged, or not what is made now: by another rule, another
// program or another hand. It writes nothing. An original that cannot be rendered is an [*Error]. open is called when the original must
// be read.
func (r *Room) Compare(ctx context.Context, c asset.Content, spec Spec, open func(context.Context) (storage.Reader, error)) (flaws []Flaw, err error) {
	if spec, err = spec.checked(); err != nil {
		return nil, err
	}
	if !r.renders(c.Type) {
		return nil, &Error{Kind: Unsupported, Reason: noPreview(c.Type)}
	}
	src := &original{open: func() (storage.Reader, error) { return open(ctx) }}
	res, err := r.render(ctx, c, src, spec)
	if err = errors.Join(err, src.close()); err != nil {
		return nil, fmt.Errorf("render %s: %w", c.Hash, err)
	}
	for _, made := range res.Renditions {
		if flaws, err = r.inspected(ctx, flaws, c.Hash, made); err != nil {
			return nil, err
		}
	}
	return flaws, nil
}

// inspect reads one rendition and says what is wrong with it; that is no use of it.
func (r *Room) inspect(ctx context.Context, h asset.Hash, size int, format string) (data []byte, reason string, err error) {
	rd, err := r.open(ctx, h, size, format)
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, rd.Close()) }()
	o := rd.Object()
	if o.Size > largestFile(size) {
		return nil, fmt.Sprintf("%d bytes are too many for it", o.Size), nil
	}
	if data, err = io.ReadAll(io.LimitReader(rd, o.Size)); err != nil {
		return nil, "", err
	}
	return data, flaw(ctx, data, size, FormatOf(o.Key)), nil
}

// flaw measures before it decodes: anybody who can write to the share may have put something there.
func flaw(ctx context.Context, data []byte, size int, format string) string {
	measure, decode := jpeg.DecodeConfig, jpeg.Decode
	switch format {
	case PNG:
		measure, decode = png.DecodeConfig, png.Decode
	case WebP:
		measure, decode = webp.DecodeConfig, func(r io.Reader) (image.Image, error) { return decodeWhole(ctx, r) }
	}
	is, err := measure(bytes.NewReader(data))
	if err == nil && max(is.Width, is.Height) > size {
		return fmt.Sprintf("it has %d x %d pixels", is.Width, is.Height)
	}
	if err == nil {
		_, err = decode(bytes.NewReader(data))
	}
	if err != nil {
		return "it cannot be decoded: " + err.Error()
	}
	return ""
}

// decodeWhole decodes a WebP of ours; of an animation each frame, and the first is what it returns.
func decodeWhole(ctx context.Context, r io.Reader) (image.Image, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	m, err := measure(newSource(ctx, bytes.NewReader(data), int64(len(data))), Limits{}.orDefaults())
	if err != nil || m.webp.frame == nil {
		return webp.Decode(bytes.NewReader(data))
	}
	if len(data) < 8 || int(binary.LittleEndian.Uint32(data[4:])) != len(data)-8 {
		return nil, io.ErrUnexpectedEOF
	}
	return decodeCels(readMovie(m))
}

func decodeCels(mov movie) (first image.Image, err error) {
	if len(mov.cels) > maxShown {
		return nil, errWebP
	}
	for i, c := range mov.cels {
		img, err := c.decode()
		if err != nil {
			return nil, err
		}
		if i == 0 {
			first = img
		}
	}
	return first, nil
}

// Repair makes the renditions that are missing or damaged anew, with all those that the engine makes at once; with all, every one. It
// says how many there were to make. It may be repeated and raced like [Room.Generate], whose result it has when there were any. open is
// called when the original must be read.
func (r *Room) Repair(ctx context.Context, c asset.Content, spec Spec, all bool, open func(context.Context) (storage.Reader, error)) (n int, t asset.Thumbnails, err error) {
	if n, err = r.clear(ctx, c.Hash, spec, all); n == 0 || err != nil {
		return n, t, err
	}
	src := &original{open: func() (storage.Reader, error) { return open(ctx) }}
	t, err = r.Generate(ctx, c, src, spec)
	return n, t, errors.Join(err, src.close())
}

// clear removes what is to be made anew.
func (r *Room) clear(ctx context.Context, h asset.Hash, spec Spec, all bool) (int, error) {
	if all {
		return len(spec.Sizes), r.Forget(ctx, h)
	}
	flaws, err := r.Inspect(ctx, h, spec)
	if err != nil {
		return 0, err
	}
	for _, f := range flaws {
		if f.Missing() {
			continue
		}
		for _, format := range formatsFor(f.Format) {
			if err := r.store.Remove(ctx, r.rendition(h, f.Size, format), ""); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return 0, fmt.Errorf("remove a damaged thumbnail: %w", err)
			}
		}
	}
	return len(flaws), nil
}
