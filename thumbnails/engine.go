package thumbnails

import (
	"context"
	"fmt"
	"image/color"
	"io"
	"slices"
	"strings"
	"time"
)

// The formats of a [Spec]. Auto is PNG where there is real transparency and JPEG elsewhere.
const (
	JPEG = "jpeg"
	PNG  = "png"
	WebP = "webp"
	Auto = "auto"
)

// Spec is what a rule asks for.
type Spec struct {
	// Sizes are the longer sides in pixels. Order and repetition do not matter; none means nothing is made.
	Sizes []int
	// Format is jpeg, png, webp or auto; empty is jpeg.
	Format string
	// Quality of JPEG and WebP, 1 to 100; 0 is [DefaultQuality]. A WebP of 100 is lossless.
	Quality int
	// Progressive has JPEGs begin with the whole picture, coarsely; the picture in the end is the same.
	Progressive bool
	// Animated has an animated GIF or WebP stay one, as an animated WebP or PNG: auto is PNG then. As a JPEG it is its first frame, and
	// so it is beyond the bounds in animation.go.
	Animated bool
	// Background lies under transparency when the format has none; its alpha is ignored, the zero value is white.
	Background color.NRGBA
	// Keep is what of an original's metadata its renditions have, as XMP: copyright, creator, credit, source, terms, title, description.
	Keep []string
}

// Bounds of a [Spec]: what one request may ask for.
const (
	MaxSize        = 8192
	MaxSizes       = 16
	DefaultQuality = 82
)

// checked returns the spec with its defaults filled in and its sizes sorted from large to small.
func (s Spec) checked() (Spec, error) {
	s.Sizes = slices.Clone(s.Sizes)
	slices.SortFunc(s.Sizes, func(a, b int) int { return b - a })
	s.Sizes = slices.Compact(s.Sizes)
	if n := len(s.Sizes); n > 0 && (s.Sizes[0] > MaxSize || s.Sizes[n-1] < 1 || n > MaxSizes) {
		return s, fmt.Errorf("thumbnail sizes %v: at most %d sizes between 1 and %d pixels", s.Sizes, MaxSizes, MaxSize)
	}
	if s.Format == "" {
		s.Format = JPEG
	}
	if s.Format != Auto && extensions[s.Format] == "" {
		return s, fmt.Errorf("thumbnail format %q: jpeg, png, webp or auto", s.Format)
	}
	for _, word := range s.Keep {
		if !slices.Contains(keepWords(), word) {
			return s, fmt.Errorf("thumbnails keep %q: %s", word, strings.Join(keepWords(), ", "))
		}
	}
	if s.Quality == 0 {
		s.Quality = DefaultQuality
	}
	s.Quality = min(max(s.Quality, 1), 100)
	if s.Background == (color.NRGBA{}) {
		s.Background = color.NRGBA{R: 255, G: 255, B: 255}
	}
	s.Background.A = 255
	return s, nil
}

// Limits of one image. A zero field is its default.
type Limits struct {
	MaxPixels int64         // width times height
	MaxBytes  int64         // of the file
	Timeout   time.Duration // for all sizes together
	Memory    int64         // bytes of the rendering process; only a pool can hold it
}

// The defaults of [Limits].
const (
	DefaultMaxPixels int64 = 100_000_000
	DefaultMaxBytes  int64 = 2 << 30
	DefaultTimeout         = 20 * time.Second
	DefaultMemory    int64 = 2 << 30
)

func (l Limits) orDefaults() Limits {
	if l.MaxPixels <= 0 {
		l.MaxPixels = DefaultMaxPixels
	}
	if l.MaxBytes <= 0 {
		l.MaxBytes = DefaultMaxBytes
	}
	if l.Timeout <= 0 {
		l.Timeout = DefaultTimeout
	}
	if l.Memory <= 0 {
		l.Memory = DefaultMemory
	}
	return l
}

// exceeds reports whether any limit is wider than in other: then a refusal under other says nothing any more.
func (l Limits) exceeds(other Limits) bool {
	return l.MaxPixels > other.MaxPixels || l.MaxBytes > other.MaxBytes || l.Timeout > other.Timeout || l.Memory > other.Memory
}

// Rendition is one image made from an original.
type Rendition struct {
	Size          int    // as asked for; the longer side is shorter when the original is
	Format        string // jpeg, png or webp
	Width, Height int    // of this image
	Data          []byte
}

// Result of rendering one original, the largest rendition first. All renditions have the same format.
type Result struct {
	Width, Height int    // of the original, upright
	Transparent   bool   // some pixel of it is not opaque
	Animated      bool   // so are the renditions
	ThumbHash     []byte // the picture in about 25 bytes; none without sizes
	Renditions    []Rendition
}

// Engine renders images. It is safe for concurrent use.
type Engine interface {
	// Name changes when the engine can do something that it could not do before: then what failed is tried again.
	Name() string
	// Render reads size bytes of src, from one goroutine, and makes all sizes from one decode. What is wrong with the
	// image is an [*Error]; a canceled ctx and a source that cannot be read are other errors.
	Render(ctx context.Context, src io.ReaderAt, size int64, spec Spec, lim Limits) (Result, error)
	// Close ends what the engine started and waits for it. Render fails afterwards.
	Close() error
}
