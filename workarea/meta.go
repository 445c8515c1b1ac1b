package workarea

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/bep/imagemeta"
)

// Bounds of reading metadata: of what is kept, and of what a hostile file can make us do.
const (
	maxMetaTags  = 64
	maxMetaValue = 256     // bytes of one value
	maxMetaRead  = 8 << 20 // bytes read in all
	maxMetaTime  = time.Second
)

// metaFormats are the types that metadata is read from.
var metaFormats = map[string]imagemeta.ImageFormat{
	"image/jpeg": imagemeta.JPEG,
	"image/tiff": imagemeta.TIFF,
	"image/png":  imagemeta.PNG,
	"image/webp": imagemeta.WebP,
	"image/heic": imagemeta.HEIF,
	"image/heif": imagemeta.HEIF,
	"image/avif": imagemeta.AVIF,
}

// metaNames are the tags that are kept, by the name under which they are kept. Where a file has several of one name, EXIF
// goes before XMP and XMP before IPTC.
var metaNames = map[string]string{
	"Make": "Make", "Model": "Model", "LensModel": "LensModel", "Software": "Software", "Orientation": "Orientation",
	"DateTimeOriginal": "DateTimeOriginal", "CreateDate": "CreateDate", "ModifyDate": "ModifyDate", "OffsetTimeOriginal": "OffsetTimeOriginal",
	"ExposureTime": "ExposureTime", "FNumber": "FNumber", "ISO": "ISO", "FocalLength": "FocalLength", "Flash": "Flash",
	"ColorSpace": "ColorSpace", "XResolution": "XResolution", "YResolution": "YResolution", "Rating": "Rating", "Label": "Label",
	"Artist": "Creator", "Creator": "Creator", "By-line": "Creator", "Byline": "Creator",
	"Copyright": "Copyright", "Rights": "Copyright", "CopyrightNotice": "Copyright",
	"ImageDescription": "Description", "Description": "Description", "Caption-Abstract": "Description", "CaptionAbstract": "Description",
	"Title": "Title", "ObjectName": "Title", "Headline": "Headline", "Keywords": "Keywords", "Subject": "Keywords",
	"City": "City", "State": "State", "Province-State": "State", "ProvinceState": "State", "Country": "Country",
	"Country-PrimaryLocationName": "Country", "CountryPrimaryLocationName": "Country", "Credit": "Credit", "Source": "Source",
	"GPSAltitude": "GPSAltitude",
}

// readMeta reads EXIF, IPTC and XMP of an image. It is a courtesy: what cannot be read within the bounds is left out, and
// no file fails because of it. The result is nil when there is nothing.
func readMeta(ctx context.Context, mime string, r io.ReaderAt, size int64) map[string]string {
	format, ok := metaFormats[mime]
	if !ok {
		return nil
	}
	k := keeper{best: map[string]kept{}}
	decodeMeta(ctx, format, io.NewSectionReader(r, 0, size), wantedTag, k.keep)
	return k.flat()
}

// decodeMeta calls keep with the tags of a file that are wanted. What a broken file has before its fault is told; the reader of
// foreign bytes may panic too.
func decodeMeta(ctx context.Context, format imagemeta.ImageFormat, r io.ReadSeeker, wanted func(imagemeta.TagInfo) bool, keep imagemeta.HandleTagFunc) {
	ctx, cancel := context.WithTimeout(ctx, maxMetaTime)
	defer cancel()
	defer func() { _ = recover() }()
	_, _ = imagemeta.Decode(imagemeta.Options{
		R:               &frugal{ctx: ctx, r: r, left: maxMetaRead},
		ImageFormat:     format,
		Sources:         imagemeta.EXIF | imagemeta.XMP | imagemeta.IPTC,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return ctx.Err() == nil && wanted(t) },
		HandleTag:       keep,
		LimitNumTags:    2000,
		LimitTagSize:    4096,
	})
}

// wantedTag leaves out the tags of the embedded thumbnail.
func wantedTag(t imagemeta.TagInfo) bool {
	return !ofThumbnail(t) && (metaNames[t.Tag] != "" || strings.HasPrefix(t.Tag, "GPSL"))
}

func ofThumbnail(t imagemeta.TagInfo) bool {
	return t.Source == imagemeta.EXIF && !strings.HasPrefix(t.Namespace, "IFD0")
}

// keeper collects tags.
type keeper struct {
	tags imagemeta.Tags
	best map[string]kept
}

type kept struct {
	value string
	rank  imagemeta.Source
}

func (k *keeper) keep(t imagemeta.TagInfo) error {
	if strings.HasPrefix(t.Tag, "GPSL") {
		k.tags.Add(t)
		return nil
	}
	name := metaNames[t.Tag]
	value := tagText(t.Value)
	rank := map[imagemeta.Source]imagemeta.Source{imagemeta.EXIF: 3, imagemeta.XMP: 2, imagemeta.IPTC: 1}[t.Source]
	old, has := k.best[name]
	switch {
	case value == "" || has && old.rank > rank || !has && len(k.best) >= maxMetaTags:
		return nil
	case has && old.rank == rank && name == "Keywords":
		value = cut(old.value+", "+value, maxMetaValue) // IPTC has one tag for each
	case has && old.rank == rank:
		return nil
	}
	k.best[name] = kept{value, rank}
	return nil
}

func (k *keeper) flat() map[string]string {
	flat := map[string]string{}
	for name, v := range k.best {
		flat[name] = v.value
	}
	if lat, long, err := k.tags.GetLatLong(); err == nil && (lat != 0 || long != 0) {
		flat["GPSLatitude"] = strconv.FormatFloat(lat, 'f', 6, 64)
		flat["GPSLongitude"] = strconv.FormatFloat(long, 'f', 6, 64)
	}
	if len(flat) == 0 {
		return nil
	}
	return flat
}

// tagText is a value as one line of clean text.
func tagText(v any) string {
	var s string
	switch v := v.(type) {
	case []string:
		s = strings.Join(v[:min(len(v), maxMetaTags)], ", ")
	case []byte:
		return ""
	default:
		s = fmt.Sprint(v)
	}
	s = cut(s, 4*maxMetaValue)
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case !unicode.IsPrint(r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(cut(s, maxMetaValue))
}

var errFrugal = errors.New("enough was read for metadata")

// frugal reads no more than left bytes, and nothing after its context ended.
type frugal struct {
	ctx  context.Context // of one decodeMeta
	r    io.ReadSeeker
	left int
}

func (f *frugal) Read(p []byte) (int, error) {
	if f.left <= 0 || f.ctx.Err() != nil {
		return 0, errFrugal
	}
	n, err := f.r.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, err
}

func (f *frugal) Seek(off int64, whence int) (int64, error) {
	if f.ctx.Err() != nil {
		return 0, errFrugal
	}
	return f.r.Seek(off, whence)
}
