package admin

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"time"

	"hotfolderd/asset"
	"hotfolderd/asset/sniff"
)

// makeTimeout is how long a thumbnail may take that is made while somebody waits.
const makeTimeout = 30 * time.Second

// sizeHeader tells the size of a thumbnail that is not exactly what was asked for, and of every other one.
const sizeHeader = "X-Hotfolder-Thumbnail-Size"

// makeThumbnail serves a thumbnail that may have to be made first, in the smallest size that is allowed and large enough, else the
// largest.
func (s *Server) makeThumbnail(w http.ResponseWriter, r *http.Request, rec asset.Record, want int, format string) error {
	size := bestSize(want, s.b.Sizes, sizesOf(rec))
	if size == 0 {
		return newProblem(http.StatusNotFound, ErrNoThumbnail.Error()+": its hotfolder asks for none, and none are made on demand")
	}
	if s.b.KnownThumbnail != nil {
		if t, ok := s.b.KnownThumbnail(rec, size, format); ok && serveKnown(w, r, knownAnswer{t, rec.Content.Hash, size}) {
			return nil
		}
	}
	return s.awaitThumbnail(w, r, rec, size, format)
}

// awaitThumbnail serves one that is not in memory.
func (s *Server) awaitThumbnail(w http.ResponseWriter, r *http.Request, rec asset.Record, size int, format string) error {
	patience := time.NewTimer(makeTimeout)
	defer patience.Stop()
	t, stop, err := askFor(r.Context(), s.gate, patience, func(ctx context.Context) (Thumbnail, error) {
		return summed(s.b.MakeThumbnail(ctx, rec, size, format))
	}, func(t Thumbnail) { closeReader(t) })
	defer stop()
	if err != nil {
		return err
	}
	defer closeReader(t)
	describeMade(w.Header(), rec.Content.Hash, size, t.Format, t.sum)
	return s.serveBytes(w, r, t, time.Time{}, stop)
}

// describeMade is for a thumbnail whose size may be another than was asked for.
func describeMade(header http.Header, h asset.Hash, size int, format string, sum uint32) {
	describeThumbnail(header, h, size, format, sum)
	header[sizeHeader] = []string{strconv.Itoa(size)}
}

// summed adds the sum of the bytes to a thumbnail that was opened; it is closed when they cannot be read.
func summed(t Thumbnail, err error) (Thumbnail, error) {
	if err != nil {
		return t, err
	}
	sum := asset.NewSum()
	if _, err := io.Copy(sum, io.NewSectionReader(t, 0, t.Object().Size)); err != nil {
		closeReader(t)
		return Thumbnail{}, fmt.Errorf("read a thumbnail: %w", err)
	}
	t.sum = sum.Sum32()
	return t, nil
}

// sizesOf are those that were made at import.
func sizesOf(rec asset.Record) []int {
	if rec.Thumbnails == nil {
		return nil
	}
	return rec.Thumbnails.Sizes
}

// makeByHash makes a thumbnail again that was made once and went for want of room, as far as its size is one that anybody may ask for.
// What the bytes are, they say.
func (s *Server) makeByHash(ctx context.Context, h asset.Hash, size int, formats []string) (Thumbnail, error) {
	if s.b.MakeThumbnail == nil || s.b.OpenAsset == nil || !slices.Contains(s.b.Sizes, size) {
		return Thumbnail{}, fs.ErrNotExist
	}
	c, err := s.openContent(ctx, h)
	if err != nil {
		return Thumbnail{}, err
	}
	closeReader(c.rd)
	rec := asset.Record{Content: asset.Content{Hash: h, Size: c.size, Type: sniff.Type(c.head)}}
	return summed(s.b.MakeThumbnail(ctx, rec, size, formats[0]))
}
