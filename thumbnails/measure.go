package thumbnails

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

// format is one kind of image that can be rendered.
type format struct {
	label  string // as people say it
	mime   string
	match  func(head []byte) bool
	config func(io.Reader) (image.Config, error) // nil for HEIC and AVIF, which are measured by their boxes
	decode func(io.Reader) (image.Image, error)  // nil for JPEG, which is decoded at a scale
}

// formats is the closed list: nothing depends on which packages happened to register a decoder.
func formats() []format {
	return []format{
		{"JPEG", "image/jpeg", starts("\xff\xd8\xff"), jpeg.DecodeConfig, nil},
		{"PNG", "image/png", starts("\x89PNG\r\n\x1a\n"), png.DecodeConfig, decodePNG},
		{"GIF", "image/gif", starts("GIF87a", "GIF89a"), gif.DecodeConfig, gif.Decode},
		{"TIFF", "image/tiff", starts("II*\x00", "MM\x00*", "II+\x00", "MM\x00+"), tiffConfig, decodeTIFF},
		{"WebP", "image/webp", isWebP, webp.DecodeConfig, decodeWebP},
		{"BMP", "image/bmp", starts("BM"), bmp.DecodeConfig, bmp.Decode},
		{"PSD", psdType, starts("8BPS\x00\x01", "8BPS\x00\x02"), psdConfig, decodePSD},
		{"PostScript", epsType, starts(epsMagic, "%!PS"), nil, nil}, // never decoded; see epsPreview
		{"AVIF", "image/avif", isAVIF, nil, decodeAVIF},
		{"HEIC", "image/heic", isHEIC, nil, decodeHEIC},
	}
}

func starts(magics ...string) func([]byte) bool {
	return func(head []byte) bool {
		for _, m := range magics {
			if bytes.HasPrefix(head, []byte(m)) {
				return true
			}
		}
		return false
	}
}

func isWebP(head []byte) bool {
	return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP"
}

// Renders reports whether files of this MIME type are decoded at all.
func Renders(mime string) bool { return label(mime) != "" }

// label is the format of a MIME type as people say it, or empty. An animated PNG is a PNG to everybody but its type, and a
// series of pictures has a first one.
func label(mime string) string {
	switch mime {
	case "image/vnd.mozilla.apng":
		mime = "image/png"
	case "image/heif", "image/heic-sequence", "image/heif-sequence":
		mime = "image/heic"
	}
	for _, f := range formats() {
		if f.mime == mime {
			return f.label
		}
	}
	return ""
}

// measured is what is known of an image before any of its pixels is decoded.
type measured struct {
	format
	src           *source // where the picture is: the file, or a part of it
	width, height int     // as stored
	orientation   int     // 1 to 8, as in EXIF
	webp          webpLayout
	profile       []byte   // of HEIC and AVIF; see profileOf
	colours       *colours // nil: they are sRGB
}

// upright is the size of the original once it stands upright.
func (m measured) upright() (w, h int) {
	if m.orientation >= 5 {
		return m.height, m.width
	}
	return m.width, m.height
}

// measure reads the header and holds it against the limits. It never allocates by what the header says.
func measure(s *source, lim Limits) (measured, error) {
	if s.size > lim.MaxBytes {
		return measured{}, tooManyBytes(s.size, lim)
	}
	m, err := sniff(s)
	if err != nil {
		return m, err
	}
	if m.mime == epsType {
		if m, err = epsPreview(s); err != nil {
			return m, err
		}
	}
	m.preferPreview(m.src)
	err = s.limited(headerBytes, func() error { return m.read(m.src) })
	if err != nil {
		return m, decodeFault(m.format, err, m.src.ended)
	}
	if err := fits(m.width, m.height, lim); err != nil {
		return m, err
	}
	if m.orientation == 0 {
		m.orientation = orientation(m.src, m)
	}
	return m, nil
}

func sniff(s *source) (measured, error) {
	head := make([]byte, 64)
	n, err := s.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return measured{}, err
	}
	for _, f := range formats() {
		if f.match(head[:n]) {
			return measured{format: f, src: s}, nil
		}
	}
	return measured{}, &Error{Kind: Unsupported, Reason: "its bytes are not an image in a format that can be rendered"}
}

// preferPreview takes the camera's picture for a raw file. How the camera was held stands in the file, not in the picture.
func (m *measured) preferPreview(s *source) {
	if m.mime != "image/tiff" {
		return
	}
	_ = s.limited(headerBytes, func() error {
		if in, ok := previewOf(s); ok {
			o := orientation(s, *m)
			*m = measured{format: formats()[0], src: s.part(in), orientation: o}
		}
		return nil
	})
}

func (m *measured) read(s *source) error {
	if m.config == nil {
		return m.readBoxes(s)
	}
	c, err := m.config(m.stream(s))
	if err != nil {
		return err
	}
	m.width, m.height = c.Width, c.Height
	if m.mime == "image/webp" {
		m.webp, err = readWebP(s)
	}
	return err
}

// readBoxes: libheif turns by itself, libavif does not.
func (m *measured) readBoxes(s *source) error {
	l, err := readHEIF(s)
	if err != nil {
		return err
	}
	m.profile = l.profile
	if m.mime == "image/heic" {
		m.width, m.height = l.upright()
		m.orientation = 1
		return nil
	}
	m.width, m.height, m.orientation = l.width, l.height, l.orientation()
	return nil
}

// stream buffers for the decoders that read byte by byte; TIFF jumps and wants io.ReaderAt.
func (m *measured) stream(s *source) io.Reader {
	if m.mime == "image/tiff" {
		return s.section()
	}
	return &stream{bufio.NewReaderSize(s.section(), 64<<10), s}
}

func fits(w, h int, lim Limits) error {
	if w <= 0 || h <= 0 {
		return &Error{Kind: Corrupt, Reason: fmt.Sprintf("its header says it has %d x %d pixels", w, h)}
	}
	if int64(w) > lim.MaxPixels/int64(h) {
		return &Error{Kind: TooLarge, Reason: fmt.Sprintf("it has %d x %d pixels (%s megapixels), at most %s megapixels are rendered",
			w, h, mega(float64(w)*float64(h)), mega(float64(lim.MaxPixels)))}
	}
	return nil
}

func tooManyBytes(size int64, lim Limits) error {
	return &Error{Kind: TooLarge, Reason: fmt.Sprintf("it has %s MB, at most %s MB are rendered", mega(float64(size)), mega(float64(lim.MaxBytes)))}
}

// mega shows millions with as many digits as matter.
func mega(n float64) string {
	if n < 10e6 {
		return fmt.Sprintf("%.4g", n/1e6)
	}
	return fmt.Sprintf("%.0f", n/1e6)
}
