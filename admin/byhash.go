package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	"hotfolderd/asset"
	"hotfolderd/asset/sniff"
	"hotfolderd/storage"
)

// sniffed is how many bytes tell the type of a file.
const sniffed = 3 << 10

// contentByHash serves bytes by their hash, whatever names they have or had. The type is what the bytes say.
func (s *Server) contentByHash(w http.ResponseWriter, r *http.Request) error {
	if s.b.OpenAsset == nil {
		return notOffered("assets")
	}
	h, err := asset.ParseHash(r.PathValue("sha256"))
	if err != nil {
		return newProblem(http.StatusBadRequest, Visible(err.Error()))
	}
	c, stop, err := ask(r.Context(), s.gate, func(ctx context.Context) (*content, error) { return s.openContent(ctx, h) },
		func(c *content) { closeReader(c.rd) })
	defer stop()
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no asset has the bytes %s: %w", h, fs.ErrNotExist)
	}
	if err != nil {
		return fmt.Errorf("open the bytes %s: %w", h, err)
	}
	defer closeReader(c.rd)
	header := w.Header()
	tagAs(header, h)
	header.Set("Cache-Control", "private, max-age=31536000, immutable")
	showAs(header, sniff.Type(c.head), asset.Key(h.String()))
	return s.serveFrom(w, r, c, time.Time{}, stop)
}

// openContent opens bytes and reads the first of them.
func (s *Server) openContent(ctx context.Context, h asset.Hash) (*content, error) {
	rd, err := s.b.OpenAsset(ctx, h)
	if err != nil {
		return nil, err
	}
	return peeked(rd)
}

func peeked(rd storage.Reader) (*content, error) {
	c := &content{rd: rd, size: rd.Object().Size}
	head := make([]byte, min(c.size, sniffed))
	if _, err := io.ReadFull(rd, head); err != nil {
		return nil, errors.Join(err, rd.Close())
	}
	c.head, c.streamed = head, int64(len(head))
	return c, nil
}
