package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"hotfolderd/asset"
)

// Most assets in one answer. Each may cost the store a few requests.
const (
	defaultAssets = 100
	maxAssets     = 1000
)

const maxSearch = 256 // bytes

// AssetQuery says which names [Backend].ListAssets is to tell.
type AssetQuery struct {
	Prefix  string               // names begin with it, byte by byte
	Folders bool                 // names with a slash behind the prefix are told as their folder
	Match   func(asset.Key) bool // nil: all names
	Limit   int
	After   string // Next of the page before; empty begins
}

// AssetPage is some of the assets. It can be empty though there are more.
type AssetPage struct {
	Assets  []Asset
	Folders []asset.Key
	Next    string // where to go on; empty: there is no more
	Err     error  // the first name that is left out because it could not be read
}

// Asset is one version of a name.
type Asset struct {
	Name   asset.Key
	Number int
	Record asset.Record
}

// assetView is an asset in a list.
type assetView struct {
	storedAsset
	Time       time.Time         `json:"time"` // of the import
	Hotfolder  string            `json:"hotfolder,omitempty"`
	Door       asset.Door        `json:"door,omitempty"`
	Thumbnails *asset.Thumbnails `json:"thumbnails,omitempty"`
	URL        string            `json:"url"` // the path to get it by
}

func viewOf(a Asset) assetView {
	c := a.Record.Content
	return assetView{
		storedAsset: storedAsset{a.Name, a.Number, c.Hash, c.Size, c.Type}, Time: a.Record.Committed,
		Hotfolder: a.Record.Hotfolder, Door: a.Record.Door, Thumbnails: a.Record.Thumbnails, URL: assetURL(a.Name),
	}
}

func viewsOf(assets []Asset) []assetView {
	views := make([]assetView, len(assets))
	for i, a := range assets {
		views[i] = viewOf(a)
	}
	return views
}

// assetList is a page of a list of assets.
type assetList struct {
	Assets     []assetView `json:"assets"`
	Folders    []asset.Key `json:"folders,omitempty"`
	Next       string      `json:"next,omitempty"`
	Unreadable string      `json:"unreadable,omitempty"`
}

// listAssets tells the names page by page.
func (s *Server) listAssets(w http.ResponseWriter, r *http.Request) error {
	if s.b.ListAssets == nil {
		return notOffered("the list of assets")
	}
	p, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return newProblem(http.StatusBadRequest, "the query is not percent-encoded as it should be")
	}
	q, err := assetQuery(p)
	if err != nil {
		return err
	}
	of := []string{"assets", p.Get("prefix"), p.Get("delimiter"), p.Get("q")}
	if q.After, err = positionOf(p.Get("cursor"), of...); err != nil {
		return err
	}
	page, err := fetch(r.Context(), s, func(ctx context.Context) (AssetPage, error) { return s.b.ListAssets(ctx, q) })
	if err != nil {
		return fmt.Errorf("list assets: %w", err)
	}
	out := assetList{Assets: viewsOf(page.Assets), Folders: page.Folders, Next: cursor(page.Next, of...)}
	if page.Err != nil {
		out.Unreadable = Visible(page.Err.Error())
	}
	return writeJSON(w, http.StatusOK, out)
}

func assetQuery(p url.Values) (q AssetQuery, err error) {
	if q.Limit, err = numberOf(p, "limit", defaultAssets, maxAssets); err != nil {
		return q, err
	}
	if d := p.Get("delimiter"); d != "" && d != "/" {
		return q, newProblem(http.StatusBadRequest, "delimiter is / or left out")
	}
	q.Prefix, q.Folders = p.Get("prefix"), p.Get("delimiter") != ""
	q.Match, err = search(p.Get("q"))
	return q, err
}

// search reads what people type: part of a name, or, with one of *?[{, a pattern for its last part, or with a slash for all of it.
// Capitals do not count.
func search(text string) (func(asset.Key) bool, error) {
	want := strings.ToLower(text)
	switch {
	case text == "":
		return nil, nil
	case len(text) > maxSearch:
		return nil, newProblem(http.StatusBadRequest, fmt.Sprintf("q has at most %d bytes", maxSearch))
	case !strings.ContainsAny(text, "*?[{"):
		return func(name asset.Key) bool { return strings.Contains(strings.ToLower(string(name)), want) }, nil
	case strings.Count(text, "{") > 1: // they multiply
		return nil, newProblem(http.StatusBadRequest, "q has more than one brace: *.{jpg,png} is a pattern, {a,b}/{c,d} is not")
	case !doublestar.ValidatePattern(want):
		return nil, newProblem(http.StatusBadRequest, "q is no pattern: a bracket or brace is not closed")
	}
	whole := strings.Contains(want, "/")
	return func(name asset.Key) bool {
		if !whole {
			name = asset.Key(name.Base())
		}
		return doublestar.MatchUnvalidated(want, strings.ToLower(string(name)))
	}, nil
}
