package httpgate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"
	"golang.org/x/exp/slog"

	"hotfolderd/asset"
)

// UploadsPath is where [Gate.Uploads] must be served.
const UploadsPath = "/v1/uploads/"

// networkTimeout is how long a client of tus may send nothing.
const networkTimeout = 30 * time.Second

// Uploads takes files by the tus protocol, version 1.0.0. An upload is made by POST with the metadata hotfolder (or the query
// parameter of that name) and path, or else filename. It can be gone on with through any node, until it rested for
// [Options].ResumeTTL.
func (g *Gate) Uploads() http.Handler { return g.tus }

func (g *Gate) newTus() (http.Handler, error) {
	composer := handler.NewStoreComposer()
	store := tusStore{g}
	composer.UseCore(store)
	composer.UseTerminater(store)
	composer.UseLocker(memorylocker.New()) // of this node; other nodes are noticed when a piece is stored
	tus, err := handler.NewHandler(handler.Config{
		BasePath: UploadsPath, StoreComposer: composer, DisableDownload: true, NetworkTimeout: networkTimeout,
		Cors:   &handler.CorsConfig{Disable: true},
		Logger: slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1})),
	})
	if err != nil {
		return nil, fmt.Errorf("tus: %w", err)
	}
	served := http.StripPrefix(strings.TrimSuffix(UploadsPath, "/"), tus)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.hand.Add(1)
		defer g.hand.Add(-1)
		q, r := with(w, r)
		a := &tusAnswer{ResponseWriter: w, q: q, expires: time.Now().Add(g.o.ResumeTTL)}
		served.ServeHTTP(a, r)
		if a.refused != 0 {
			g.refused(w, r, a.refused, a.detail())
		}
	}), nil
}

// tusAnswer adds to the answers of the library what it does not know.
type tusAnswer struct {
	http.ResponseWriter
	q       *request
	expires time.Time
	began   bool
	refused int    // the status of an answer that is written in another form, and
	text    []byte // what the library says of it
}

// mostDetail is more than the library says of an error.
const mostDetail = 8 << 10

// detail is what the library says without its own word for it.
func (a *tusAnswer) detail() string {
	text := strings.TrimSpace(string(a.text))
	if code, rest, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(code, "ERR_") {
		return cmp.Or(tusWords[code], rest)
	}
	return text
}

// tusWords say what to do where the library only says what is wrong.
var tusWords = map[string]string{
	handler.ErrUnsupportedVersion.ErrorCode:  "send Tus-Resumable: 1.0.0",
	handler.ErrInvalidContentType.ErrorCode:  "send Content-Type: application/offset+octet-stream",
	handler.ErrInvalidUploadLength.ErrorCode: "send Upload-Length, the size of the whole file in bytes",
	handler.ErrInvalidOffset.ErrorCode:       "send Upload-Offset, which HEAD tells",
	handler.ErrMismatchOffset.ErrorCode:      "the upload has another offset than Upload-Offset says: ask for it with HEAD, and go on from there",
	handler.ErrNotFound.ErrorCode:            "there is no such upload, or it was forgotten: begin a new one with POST",
	handler.ErrFileLocked.ErrorCode:          "another request works on this upload: ask for the offset with HEAD, and go on from there",
	handler.ErrSizeExceeded.ErrorCode:        "these are more bytes than Upload-Length says",
}

// Unwrap lets http.ResponseController reach the connection.
func (a *tusAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *tusAnswer) WriteHeader(status int) {
	if !a.began {
		a.began = true
		a.complete(status)
	}
	if status >= http.StatusBadRequest {
		a.refused = status
		return
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *tusAnswer) Write(b []byte) (int, error) {
	if !a.began {
		a.WriteHeader(http.StatusOK)
	}
	if a.refused != 0 {
		a.text = append(a.text, b[:min(len(b), mostDetail-len(a.text))]...)
		return len(b), nil
	}
	return a.ResponseWriter.Write(b)
}

// complete says until when the upload is kept and what became of it. Addresses have no host: another node may go on.
func (a *tusAnswer) complete(status int) {
	h := a.Header()
	if text := h.Get("Tus-Extension"); text != "" {
		h.Set("Tus-Extension", text+",expiration")
	}
	if u, err := url.Parse(h.Get("Location")); err == nil && u.Path != "" {
		h.Set("Location", u.EscapedPath())
	}
	if status/100 == 2 && a.q.r.Method != http.MethodDelete && a.q.r.Method != http.MethodOptions {
		h.Set("Upload-Expires", a.expires.UTC().Format(http.TimeFormat))
	}
	if a.q.drop != nil {
		a.q.drop.Tell(h)
	}
}

// tusError is an error as the library answers it.
func tusError(err error) error {
	var known handler.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	status := statusOf(err)
	code := "ERR_" + strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_"))
	return handler.NewError(code, err.Error(), status)
}

// meant reads what an upload is about to be. What tus clients for browsers send by themselves is understood.
func meant(ctx context.Context, meta handler.MetaData) (hotfolder string, key asset.Key, err error) {
	hotfolder = meta["hotfolder"]
	if q := of(ctx); hotfolder == "" && q != nil {
		hotfolder = q.r.URL.Query().Get("hotfolder")
	}
	if hotfolder == "" {
		return "", "", refuse(http.StatusBadRequest, "Upload-Metadata must name the hotfolder")
	}
	for _, name := range []string{"path", "relativePath", "filename", "name"} {
		if text := meta[name]; text != "" && text != "null" {
			key, err = asset.ParseKey(text)
			return hotfolder, key, err
		}
	}
	return "", "", refuse(http.StatusBadRequest, "Upload-Metadata must have the path of the file")
}
