package admin

import (
	"context"
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

// thumbnailByName serves the smallest rendition that is at least as large as asked for, else the largest there is.
func (s *Server) thumbnailByName(w http.ResponseWriter, r *http.Request, name asset.Key) error {
	size, err := thumbnailSize(r.URL.Query().Get("size"))
	if err != nil {
		return err
	}
	rec, _, err := s.current(r.Context(), name)
	if err != nil {
		return err
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
	// The name may lead to other bytes later, so the answer is asked for again each time; by hash it is not.
	return s.serveThumbnail(w, r, rec.Content.Hash, bestSize(t.Sizes, size), []string{t.Format}, "private, no-cache")
}

func bestSize(have []int, want int) int {
	have = slices.Sorted(slices.Values(have))
	if i, _ := slices.BinarySearch(have, want); i < len(have) {
		return have[i]
	}
	return have[len(have)-1]
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

// thumbnailByHash is for the page, which knows hash and size from an event; ?format=jpeg|png saves a look.
func (s *Server) thumbnailByHash(w http.ResponseWriter, r *http.Request) error {
	h, err := asset.ParseHash(r.PathValue("hash"))
	if err != nil {
		return newProblem(http.StatusBadRequest, Visible(err.Error()))
	}
	size, err := thumbnailSize(r.PathValue("size"))
	if err != nil {
		return err
	}
	formats := []string{"jpeg", "png"}
	if f := r.URL.Query().Get("format"); f != "" {
		if !slices.Contains(formats, f) {
			return newProblem(http.StatusBadRequest, "format is jpeg or png")
		}
		formats = []string{f}
	}
	return s.serveThumbnail(w, r, h, size, formats, "private, max-age=31536000, immutable")
}

// rendition is an opened thumbnail and what it turned out to be.
type rendition struct {
	storage.Reader
	format string
}

func (s *Server) serveThumbnail(w http.ResponseWriter, r *http.Request, h asset.Hash, size int, formats []string, cache string) error {
	if s.b.OpenThumbnail == nil {
		return notOffered("thumbnails")
	}
	rd, stop, err := ask(r.Context(), s.gate, func(ctx context.Context) (rendition, error) {
		return s.openFirst(ctx, h, size, formats)
	}, func(rd rendition) { closeReader(rd) })
	defer stop()
	if errors.Is(err, fs.ErrNotExist) {
		return newProblem(http.StatusNotFound, fmt.Sprintf("there is no thumbnail of %d pixels of %s", size, h))
	}
	if err != nil {
		return fmt.Errorf("open thumbnail: %w", err)
	}
	defer closeReader(rd)
	header := w.Header()
	header.Set("ETag", fmt.Sprintf(`"%s-%d-%s"`, h, size, rd.format))
	header.Set("Content-Type", "image/"+rd.format)
	header.Set("Content-Security-Policy", sandboxCSP)
	header.Set("Cache-Control", cache)
	return s.serveBytes(w, r, rd, time.Time{}, stop)
}

func (s *Server) openFirst(ctx context.Context, h asset.Hash, size int, formats []string) (rendition, error) {
	err := fs.ErrNotExist
	for _, f := range formats {
		var rd storage.Reader
		if rd, err = s.b.OpenThumbnail(ctx, h, size, f); err == nil {
			return rendition{rd, f}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return rendition{}, err
}
