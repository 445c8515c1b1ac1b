package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"hotfolderd/asset"
)

// How much the pages of assets show.
const (
	assetsShown   = 48
	versionsShown = 20
	storyShown    = 20
	storyPatience = 2 * time.Second // the journal is on the store; the page does not wait for all of it
	pictureSize   = 1024
)

type assetsPageView struct {
	frame
	Query, Prefix string
	Way           []crumb // to the folder of the prefix
	Folders       []crumb
	Assets        []tileView
	Next          string // the page after this one
	First         string // the first page, when this is another
	Fault         string
	Searched      bool
}

// tileView is an asset of the grid.
type tileView struct {
	Asset
	URL, Thumb, Kind string
	Short            string // its name below the folder that is shown
}

// tileOf shows an asset among those whose names begin with prefix.
func tileOf(a Asset, prefix string) tileView {
	c := a.Record.Content
	folder := prefix[:strings.LastIndexByte(prefix, '/')+1]
	return tileView{
		a, assetPageURL(a.Name), thumbURL(c.Hash, a.Record.Thumbnails, defaultThumbnail), kindOf(a.Name, c.Type), strings.TrimPrefix(string(a.Name), folder),
	}
}

// assetsPage is a folder of names without a search, and with one all names below it that fit.
func (s *Server) assetsPage(w http.ResponseWriter, r *http.Request) error {
	if s.b.ListAssets == nil {
		return notOffered("the list of assets")
	}
	p := r.URL.Query()
	v := assetsPageView{frame: s.frame(r, "/assets"), Query: p.Get("q"), Prefix: p.Get("in"), Way: wayTo(p.Get("in")), Searched: p.Get("q") != ""}
	q := AssetQuery{Prefix: v.Prefix, Folders: !v.Searched, Limit: assetsShown}
	of := []string{"page", v.Prefix, v.Query}
	var err1, err2 error
	q.Match, err1 = search(v.Query)
	q.After, err2 = positionOf(p.Get("cursor"), of...)
	if err := errors.Join(err1, err2); err != nil {
		v.Fault = problemOf(err).Detail
		return s.render(w, http.StatusBadRequest, "assets.html", v)
	}
	got, err := fetch(r.Context(), s, func(ctx context.Context) (AssetPage, error) { return s.b.ListAssets(ctx, q) })
	if err != nil {
		v.Fault = problemOf(fmt.Errorf("list assets: %w", err)).Detail
		return s.render(w, problemOf(err).Status, "assets.html", v)
	}
	v.fill(got, p, of)
	return s.render(w, http.StatusOK, "assets.html", v)
}

func (v *assetsPageView) fill(got AssetPage, p url.Values, of []string) {
	for _, f := range got.Folders {
		name := strings.TrimSuffix(string(f), "/")
		v.Folders = append(v.Folders, crumb{inFolder(name + "/"), strings.TrimPrefix(name, v.Prefix)})
	}
	for _, a := range got.Assets {
		v.Assets = append(v.Assets, tileOf(a, v.Prefix))
	}
	if got.Err != nil {
		v.Fault = got.Err.Error()
	}
	if p.Has("cursor") {
		v.First = assetsAt(v.Prefix, v.Query, "")
	}
	if got.Next != "" {
		v.Next = assetsAt(v.Prefix, v.Query, cursor(got.Next, of...))
	}
}

// wayTo are the folders that lead to one, from the outermost.
func wayTo(prefix string) (all []crumb) {
	for i, c := range prefix {
		if c == '/' {
			all = append(all, crumb{inFolder(prefix[:i+1]), prefix[strings.LastIndex(prefix[:i], "/")+1 : i]})
		}
	}
	return all
}

func inFolder(prefix string) string { return assetsAt(prefix, "", "") }

func assetsAt(prefix, query, cursor string) string {
	p := url.Values{}
	for key, value := range map[string]string{"in": prefix, "q": query, "cursor": cursor} {
		if value != "" {
			p.Set(key, value)
		}
	}
	if len(p) == 0 {
		return "/assets"
	}
	return "/assets?" + p.Encode()
}

type assetPageView struct {
	frame
	Name           asset.Key
	Number         int
	Record         asset.Record
	Bytes          string // where they are
	Picture, Kind  string
	NoPicture      string
	Facts          []fact
	Meta           []fact
	Versions       []Asset
	MoreVersions   bool
	Story          []eventView
	StoryURL       string
	StoryFault     string
	CanRemove      bool
	VersionsUnread string
}

type fact struct{ Word, Value string }

// assetPage is all there is to know of a name.
func (s *Server) assetPage(w http.ResponseWriter, r *http.Request) error {
	if s.b.Current == nil {
		return notOffered("assets")
	}
	if r.URL.EscapedPath() == assetPages {
		http.Redirect(w, r, "/assets", http.StatusSeeOther)
		return nil
	}
	name, err := assetName(r.URL.EscapedPath())
	if err != nil {
		return err
	}
	rec, number, err := s.current(r.Context(), name)
	if err != nil {
		return err
	}
	v := assetPageView{
		frame: s.frame(r, "/assets", append([]crumb{{"/assets", "Assets"}}, wayTo(string(name[:strings.LastIndexByte(string(name), '/')+1]))...)...),
		Name:  name, Number: number, Record: rec, Bytes: assetURL(name), Kind: kindOf(name, rec.Content.Type),
		Picture: thumbURL(rec.Content.Hash, rec.Thumbnails, pictureSize), Facts: factsOf(rec), Meta: metaOf(rec.Content), CanRemove: s.b.RemoveAsset != nil,
	}
	if rec.Thumbnails != nil {
		v.NoPicture = rec.Thumbnails.Error
	}
	s.tellVersions(r.Context(), &v)
	s.tellStory(r.Context(), &v)
	return s.render(w, http.StatusOK, "asset.html", v)
}

func factsOf(rec asset.Record) []fact {
	all := []fact{{"Type", rec.Content.Type}, {"Size", bytesOf(rec.Content.Size)}}
	if t := rec.Thumbnails; t != nil && t.Width > 0 {
		all = append(all, fact{"Pixels", fmt.Sprintf("%d × %d", t.Width, t.Height)})
	}
	if rec.Hotfolder != "" {
		all = append(all, fact{"Hotfolder", rec.Hotfolder}, fact{"Dropped as", string(rec.Key)})
	}
	if rec.Door != "" {
		all = append(all, fact{"Came by", string(rec.Door)})
	}
	return append(all, fact{"Imported", date(rec.Committed)}, fact{"By node", rec.Node}, fact{"SHA-256", rec.Content.Hash.String()})
}

func metaOf(c asset.Content) (all []fact) {
	for key, value := range c.Meta {
		all = append(all, fact{key, value})
	}
	slices.SortFunc(all, func(a, b fact) int { return strings.Compare(a.Word, b.Word) })
	return all
}

func (s *Server) tellVersions(ctx context.Context, v *assetPageView) {
	if s.b.Versions == nil {
		return
	}
	got, err := fetch(ctx, s, func(ctx context.Context) (some[Asset], error) {
		found, next, err := s.b.Versions(ctx, v.Name, 0, versionsShown)
		return some[Asset]{values: found, more: next != 0}, err
	})
	if err != nil {
		v.VersionsUnread = problemOf(err).Detail
		return
	}
	v.Versions, v.MoreVersions = got.values, got.more
}

// tellStory adds what the journal says of the drop, if it says it soon.
func (s *Server) tellStory(ctx context.Context, v *assetPageView) {
	rec := v.Record
	if s.b.Story == nil || rec.Hotfolder == "" {
		return
	}
	v.StoryURL = "/why?" + url.Values{"hotfolder": {rec.Hotfolder}, "path": {string(rec.Key)}}.Encode()
	patience := time.NewTimer(storyPatience)
	defer patience.Stop()
	got, stop, err := askFor(ctx, s.gate, patience, func(ctx context.Context) (some[asset.Event], error) {
		return collect(ctx, s.b.Story(ctx, rec.Hotfolder, rec.Key), storyShown)
	}, nil)
	stop()
	if err != nil {
		v.StoryFault = "The journal takes a while to read."
		return
	}
	v.Story = eventViews(got.values)
}

// removeByForm is what DELETE is to a program.
func (s *Server) removeByForm(w http.ResponseWriter, r *http.Request) error {
	if s.b.RemoveAsset == nil {
		return notOffered("removing assets")
	}
	name, err := assetName(r.URL.EscapedPath())
	if err != nil {
		return err
	}
	if err := s.do(r.Context(), func(ctx context.Context) error { return s.b.RemoveAsset(ctx, name) }); err != nil {
		return fmt.Errorf("remove %s: %w", name.Quoted(), err)
	}
	http.Redirect(w, r, inFolder(string(name[:strings.LastIndexByte(string(name), '/')+1])), http.StatusSeeOther)
	return nil
}
