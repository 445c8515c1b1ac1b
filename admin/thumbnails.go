package admin

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Sizes of thumbnails that can be asked for, and the one that is meant when none is given.
const (
	minThumbnail     = 16
	maxThumbnail     = 4096
	defaultThumbnail = 256
)

// thumbnailByName serves the smallest thumbnail that is at least as large as asked for, else the largest there is.
func (s *Server) thumbnailByName(w http.ResponseWriter, r *http.Request, name asset.Key, size, format string) error {
	pixels, err := thumbnailSize(size)
	if err != nil {
		return err
	}
	format, err = thumbnailFormat(format)
	if err != nil {
		return err
	}
	rec, _, err := s.current(r.Context(), name)
	if err != nil {
		return err
	}
	if s.b.MakeThumbnail != nil {
		return s.makeThumbnail(w, r, rec, pixels, format)
	}
	t := rec.Thumbnails
	switch {
	case t == nil:
		return newProblem(http.StatusNotFound, "this asset has no thumbnails: its hotfolder asks for none or its type has none")
	case len(t.Sizes) == 0 && t.Error != "":
		return newProblem(http.StatusNotFound, "this asset has no thumbnails: "+Visible(t.Error))
	case len(t.Sizes) == 0:
		return newProblem(http.StatusNotFound, "this asset has no thumbnails")
	}
	return s.serveThumbnail(w, r, rec.Content.Hash, bestSize(pixels, t.Sizes), []string{t.Format})
}

// bestSize is the smallest size that is at least as large as is wanted, else the largest; 0 when there is none.
func bestSize(want int, have ...[]int) int {
	best := 0
	for _, sizes := range have {
		for _, s := range sizes {
			if best < want && s > best || s >= want && s < best {
				best = s
			}
		}
	}
	return best
}

func thumbnailSize(text string) (int, error) {
	if text == "" {
		return defaultThumbnail, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < minThumbnail || n > maxThumbnail {
		return 0, newProblem(http.StatusBadRequest, fmt.Sprintf("size is a number of pixels from %d to %d", minThumbnail, maxThumbnail))
	}
	return n, nil
}

// thumbnailByHash is for the page, which knows hash and size from an event; ?format= saves a look.
func (s *Server) thumbnailByHash(w http.ResponseWriter, r *http.Request) error {
	h, err := asset.ParseHash(r.PathValue("hash"))
	if err != nil {
		return newProblem(http.StatusBadRequest, Visible(err.Error()))
	}
	size, err := thumbnailSize(r.PathValue("size"))
	if err != nil {
		return err
	}
	formats := thumbnailFormats
	if f, err := thumbnailFormat(r.URL.Query().Get("format")); err != nil {
		return err
	} else if f != "" {
		formats = []string{f}
	}
	return s.serveThumbnail(w, r, h, size, formats)
}

// thumbnailFormats are those that there are, the usual one first.
var thumbnailFormats = []string{"jpeg", "png", "webp"}

// thumbnailFormat is the format that is asked for; empty: any.
func thumbnailFormat(f string) (string, error) {
	if f != "" && !slices.Contains(thumbnailFormats, f) {
		return "", newProblem(http.StatusBadRequest, "format is jpeg, png or webp")
	}
	return f, nil
}

func (s *Server) serveThumbnail(w http.ResponseWriter, r *http.Request, h asset.Hash, size int, formats []string) error {
	if s.b.OpenThumbnail == nil {
		return notOffered("thumbnails")
	}
	patience := time.NewTimer(makeTimeout)
	defer patience.Stop()
	rd, stop, err := askFor(r.Context(), s.gate, patience, func(ctx context.Context) (Thumbnail, error) {
		rd, err := s.openFirst(ctx, h, size, formats)
		if errors.Is(err, fs.ErrNotExist) {
			return s.makeByHash(ctx, h, size, formats)
		}
		return rd, err
	}, func(rd Thumbnail) { closeReader(rd) })
	defer stop()
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNoThumbnail) {
		return newProblem(http.StatusNotFound, fmt.Sprintf("there is no thumbnail of %d pixels of %s", size, h))
	}
	if err != nil {
		return fmt.Errorf("open thumbnail: %w", err)
	}
	defer closeReader(rd)
	describeThumbnail(w.Header(), h, size, rd.Format, rd.sum)
	return s.serveBytes(w, r, rd, time.Time{}, stop)
}

// describeThumbnail has an ETag by the bytes: a name may lead to another asset later, and even the thumbnail of a hash may be made anew, by
// another rule, a newer program, or because it was damaged. So the answer is asked for again each time, and is mostly that it is the same.
func describeThumbnail(header http.Header, h asset.Hash, size int, format string, sum uint32) {
	header["Etag"] = []string{thumbnailTag(h, size, format, sum)}
	header["Content-Type"] = imageTypes[format]
	header["Content-Security-Policy"] = sandboxed
	header["Cache-Control"] = revalidated
	delete(header, "Referrer-Policy") // a picture refers to nothing and opens nothing
	delete(header, "Cross-Origin-Opener-Policy")
}

// maxTag is more than a tag has bytes.
const maxTag = 128

func thumbnailTag(h asset.Hash, size int, format string, sum uint32) string {
	return string(appendTag(make([]byte, 0, maxTag), h, size, format, sum))
}

func appendTag(b []byte, h asset.Hash, size int, format string, sum uint32) []byte {
	b = append(b, '"')
	b = hex.AppendEncode(b, h[:])
	b = strconv.AppendInt(append(b, '-'), int64(size), 10)
	b = append(append(append(b, '-'), format...), '-')
	b = strconv.AppendUint(b, uint64(sum), 16)
	return append(b, '"')
}

// Values of headers that are shared, as those of always are.
var (
	sandboxed   = []string{sandboxCSP}
	revalidated = []string{"private, no-cache"}
	imageTypes  = map[string][]string{"jpeg": {"image/jpeg"}, "png": {"image/png"}, "webp": {"image/webp"}}
)

func (s *Server) openFirst(ctx context.Context, h asset.Hash, size int, formats []string) (Thumbnail, error) {
	err := fs.ErrNotExist
	for _, f := range formats {
		var rd storage.Reader
		if rd, err = s.b.OpenThumbnail(ctx, h, size, f); err == nil {
			return summed(Thumbnail{Reader: rd, Format: f}, nil)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return Thumbnail{}, err
}
