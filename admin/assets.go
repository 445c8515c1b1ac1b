package admin

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	thumbnailSuffix = "/thumbnail"
	metadataSuffix  = "/metadata"
)

// asset serves the bytes of a name, its thumbnail, its metadata or the list of its versions. ".../thumbnail" and ".../metadata" may be
// real names: with ?size the first always means the thumbnail of what stands before it, without it the asset of that very name comes
// first. What is never in doubt is ?versions, ?version=N and ?metadata.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) error {
	if s.b.Current == nil || s.b.OpenAsset == nil {
		return notOffered("assets")
	}
	name, err := assetName(r.URL.EscapedPath())
	if err != nil {
		return err
	}
	of, suffixed := thumbnailOf(name)
	if size, only := onlySize(r.URL.RawQuery); only && suffixed {
		return s.thumbnailByName(w, r, of, size, "")
	}
	p := r.URL.Query()
	switch {
	case suffixed && p.Has("size"):
		return s.thumbnailByName(w, r, of, p.Get("size"), p.Get("format"))
	case p.Has("versions"):
		return s.listVersions(w, r, name)
	case p.Has("metadata"):
		return s.metadataByName(w, r, name)
	}
	rec, number, err := s.meantVersion(r.Context(), name, p)
	described, asks := withoutSuffix(name, metadataSuffix)
	switch {
	case err == nil:
		return s.serveAsset(w, r, rec, number, name)
	case errors.Is(err, fs.ErrNotExist) && suffixed && !p.Has("version"):
		return s.thumbnailByName(w, r, of, "", p.Get("format"))
	case errors.Is(err, fs.ErrNotExist) && asks && !p.Has("version"):
		return s.metadataByName(w, r, described)
	}
	return err
}

// assetName reads the name out of a path as it was sent. Percent-encoding carries any byte; what it decodes to is checked
// like every name from outside.
func assetName(escapedPath string) (asset.Key, error) {
	rest, ok := strings.CutPrefix(escapedPath, assetsPath)
	if !ok {
		rest = strings.TrimPrefix(escapedPath, assetPages)
	}
	raw, err := url.PathUnescape(rest)
	if err != nil {
		return "", fmt.Errorf("%w: %q is not percent-encoded as it should be", asset.ErrKey, escapedPath)
	}
	return asset.ParseKey(raw)
}

// onlySize is the size that is asked for when nothing else is. Most requests are of that kind, and need no map.
func onlySize(query string) (size string, only bool) {
	size, only = strings.CutPrefix(query, "size=")
	return size, only && !strings.ContainsAny(size, "&;%+")
}

func thumbnailOf(name asset.Key) (asset.Key, bool) { return withoutSuffix(name, thumbnailSuffix) }

func withoutSuffix(name asset.Key, suffix string) (asset.Key, bool) {
	of, ok := strings.CutSuffix(string(name), suffix)
	return asset.Key(of), ok && of != ""
}

func (s *Server) current(ctx context.Context, name asset.Key) (asset.Record, int, error) {
	if s.b.Known != nil {
		if rec, n, ok := s.b.Known(name); ok {
			return rec, n, nil
		}
	}
	type current struct {
		rec asset.Record
		n   int
	}
	got, err := fetch(ctx, s, func(ctx context.Context) (current, error) {
		rec, n, err := s.b.Current(ctx, name)
		return current{rec, n}, err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = noAsset(name)
	}
	return got.rec, got.n, err
}

func (s *Server) serveAsset(w http.ResponseWriter, r *http.Request, rec asset.Record, number int, name asset.Key) error {
	h := rec.Content.Hash
	nameBytes(w.Header(), h, number)
	if linked, err := s.linkAsset(w, r, rec.Content, name); linked || err != nil {
		return err
	}
	rd, stop, err := ask(r.Context(), s.gate, func(ctx context.Context) (storage.Reader, error) { return s.b.OpenAsset(ctx, h) }, closeReader)
	defer stop()
	if err != nil {
		return fmt.Errorf("open the bytes of %s: %w", name.Quoted(), missing(err))
	}
	defer closeReader(rd)
	header := w.Header()
	header.Set("Cache-Control", "private, no-cache")
	showAs(header, rec.Content.Type, name)
	return s.serveBytes(w, r, rd, rec.Committed, stop)
}

// tagAs names the bytes of an answer.
func tagAs(header http.Header, h asset.Hash) {
	header.Set("ETag", `"`+h.String()+`"`)
	header.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(h[:])+":")
}

// nameBytes sets the headers that tell which bytes they are, also where they are to be fetched elsewhere.
func nameBytes(header http.Header, h asset.Hash, number int) {
	tagAs(header, h)
	header.Set("X-Hotfolder-Version", strconv.Itoa(number))
}

// linkAsset sends a plain GET to where the store itself has the bytes, if there is such a place. Requests with conditions are about our
// ETag, which only we know.
func (s *Server) linkAsset(w http.ResponseWriter, r *http.Request, c asset.Content, name asset.Key) (linked bool, err error) {
	if s.b.LinkAsset == nil || r.Method != http.MethodGet || r.Header.Get("If-Range")+r.Header.Get("If-Match")+r.Header.Get("If-None-Match") != "" {
		return false, nil
	}
	as := http.Header{}
	showAs(as, c.Type, name)
	at, err := fetch(r.Context(), s, func(ctx context.Context) (string, error) {
		return s.b.LinkAsset(ctx, c, as.Get("Content-Type"), as.Get("Content-Disposition"))
	})
	if err != nil || at == "" {
		return false, err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", at)
	w.WriteHeader(http.StatusTemporaryRedirect)
	return true, nil
}

// missing turns "no such bytes" into a fault: the name is there, so the store lost something.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the catalog has this name and the store has no bytes for it: %v", err) //nolint:errorlint // not a 404
	}
	return err
}

func closeReader(rd storage.Reader) { _ = rd.Close() } // it was only read

// inline are the types that a browser shows without running anything in them. Not among them: HTML, SVG and XML.
var inline = []string{"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/bmp", "image/tiff", "text/plain", "application/pdf"}

// showAs sets the headers that decide what a browser does with bytes that anybody may have dropped.
func showAs(h http.Header, contentType string, name asset.Key) {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		media, contentType = "application/octet-stream", "application/octet-stream"
	}
	disposition, csp := "attachment", sandboxCSP
	if slices.Contains(inline, media) {
		disposition = "inline"
	}
	if media == "application/pdf" {
		csp = pdfCSP
	}
	h.Set("Content-Type", contentType)
	h.Set("Content-Security-Policy", csp)
	if full := mime.FormatMediaType(disposition, map[string]string{"filename": fileName(name.Base())}); full != "" {
		disposition = full
	}
	h.Set("Content-Disposition", disposition)
}
