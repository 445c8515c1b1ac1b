package admin

import (
	"context"
	"fmt"
	"net/http"

	"hotfolderd/asset"
)

// metadata is what is known of an asset beside its bytes. Whoever may ask for it may fetch the bytes, so nothing that stands in them is held
// back, the place where a picture was taken included; thumbnails carry none of it.
type metadata struct {
	storedAsset
	Width    int                          `json:"width,omitempty"` // pixels, after orientation; of what has thumbnails
	Height   int                          `json:"height,omitempty"`
	Metadata map[string]string            `json:"metadata"`       // what was read at the import: the tags that people ask for
	Tags     map[string]map[string]string `json:"tags,omitempty"` // with ?all: everything, by where it is kept: exif, iptc, xmp
}

// metadataByName tells the metadata of a version. It costs a look at the catalog; with ?all the bytes are read, within bounds.
func (s *Server) metadataByName(w http.ResponseWriter, r *http.Request, name asset.Key) error {
	p := r.URL.Query()
	rec, number, err := s.meantVersion(r.Context(), name, p)
	if err != nil {
		return err
	}
	c := rec.Content
	m := metadata{storedAsset: storedAsset{name, number, c.Hash, c.Size, c.Type}, Metadata: c.Meta}
	if m.Metadata == nil {
		m.Metadata = map[string]string{}
	}
	if t := rec.Thumbnails; t != nil {
		m.Width, m.Height = t.Width, t.Height
	}
	if p.Has("all") {
		if s.b.Tags == nil {
			return notOffered("the reading of metadata")
		}
		m.Tags, err = fetch(r.Context(), s, func(ctx context.Context) (map[string]map[string]string, error) { return s.b.Tags(ctx, c) })
		if err != nil {
			return fmt.Errorf("read the metadata of %s: %w", name.Quoted(), missing(err))
		}
	}
	return writeJSON(w, http.StatusOK, m)
}
