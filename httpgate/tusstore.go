package httpgate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/tus/tusd/v2/pkg/handler"

	"hotfolderd/asset"
	"hotfolderd/intake"
	"hotfolderd/storage"
)

// An upload by tus is a folder of its own, uploads/<mark>.<hotfolder>/ in [Folder].Aside: note.json says what it is to be; each piece
// is named by the offset at which it begins and is made only if absent, so that of two nodes that go on at one offset one wins;
// done.json names the pending upload that it became. That is made only if absent too, and decides: whatever dies or is slow, one
// upload becomes one drop. drop.json says which one, for those who ask later.

const (
	uploadsName = "uploads"
	noteName    = "note.json"
	doneName    = "done.json"
	dropName    = "drop.json"
	mostPieces  = 100_000
)

// errNotFound: there is no such upload.
var errNotFound = handler.ErrNotFound

var onlyOnce = storage.PutOptions{IfAbsent: true}

// note says what an upload is to be.
type note struct {
	Hotfolder string            `json:"hotfolder"`
	Key       asset.Key         `json:"key"`
	Size      int64             `json:"size"`
	Meta      map[string]string `json:"meta,omitempty"`
}

// done says what an upload became.
type done struct {
	Pending string     `json:"pending"`         // its name in the folder of pending uploads
	Hash    asset.Hash `json:"sha256,omitzero"` // of its bytes; zero: it was not known any more
}

// tusStore keeps uploads for the library.
type tusStore struct{ g *Gate }

var (
	_ handler.DataStore           = tusStore{}
	_ handler.TerminaterDataStore = tusStore{}
)

// NewUpload implements handler.DataStore.
func (s tusStore) NewUpload(ctx context.Context, info handler.FileInfo) (handler.Upload, error) {
	t, err := s.begin(ctx, info)
	return t, tusError(err)
}

func (s tusStore) begin(ctx context.Context, info handler.FileInfo) (*tusUpload, error) {
	hotfolder, key, err := meant(ctx, info.MetaData)
	if err != nil {
		return nil, err
	}
	p, err := s.g.place(hotfolder, key)
	if err == nil {
		err = s.g.allow(ctx, p, info.Size)
	}
	if err != nil {
		return nil, err
	}
	t := s.g.tusUpload(rand.Text(), p)
	t.note = note{hotfolder, key, info.Size, info.MetaData}
	if err := putNote(ctx, p.folder.Store, t.at(noteName), t.note); err != nil {
		return nil, fmt.Errorf("begin an upload: %w", err)
	}
	return t, nil
}

// GetUpload implements handler.DataStore.
func (s tusStore) GetUpload(ctx context.Context, id string) (handler.Upload, error) {
	t, err := s.find(ctx, id)
	if notThere(err) {
		return nil, errNotFound
	}
	return t, tusError(err)
}

func (s tusStore) find(ctx context.Context, id string) (*tusUpload, error) {
	mark, hotfolder, _ := strings.Cut(id, ".")
	f, ok := s.g.o.Folders(hotfolder)
	if _, err := asset.ParseKey(id); err != nil || !ok || strings.Contains(id, "/") || mark == "" {
		return nil, errNotFound
	}
	t := s.g.tusUpload(mark, place{hotfolder: hotfolder, folder: f})
	if err := t.load(ctx); err != nil {
		return nil, err
	}
	return t, nil
}

// AsTerminatableUpload implements handler.TerminaterDataStore.
func (tusStore) AsTerminatableUpload(u handler.Upload) handler.TerminatableUpload {
	return u.(*tusUpload)
}

// tusUpload is one upload in one request.
type tusUpload struct {
	g      *Gate
	mark   string
	folder asset.Key // of the upload itself
	place  place
	note   note
	pieces intake.Pieces
	done   bool
	named  bool
	tail   *upload // what this request brought, when the upload is complete by it
}

func (t *tusUpload) id() string { return t.mark + "." + t.place.hotfolder }

// tusUpload is the upload of that mark to a place.
func (g *Gate) tusUpload(mark string, p place) *tusUpload {
	t := &tusUpload{g: g, mark: mark, place: p}
	t.folder = p.folder.Aside.Join(uploadsName).Join(asset.Key(t.id()))
	return t
}

// at is the name of a part of the upload.
func (t *tusUpload) at(name string) asset.Key {
	return t.folder.Join(asset.Key(name))
}

func pieceName(offset int64) string { return fmt.Sprintf("%020d", offset) }

// load finds out what there is.
func (t *tusUpload) load(ctx context.Context) error {
	store := t.place.folder.Store
	if err := intake.ReadNote(ctx, store, t.at(noteName), &t.note); err != nil {
		return err
	}
	t.place.key = t.note.Key
	n := 0
	for o, err := range store.List(ctx, t.folder, storage.ListOptions{}) {
		if err != nil {
			return err
		}
		if n++; n > mostPieces {
			return errors.New("an upload in so many pieces cannot be kept")
		}
		t.done, t.named = t.done || o.Key.Base() == doneName, t.named || o.Key.Base() == dropName
		if start, err := strconv.ParseInt(o.Key.Base(), 10, 64); err == nil && start >= 0 {
			t.pieces.Add(o, start)
		}
	}
	t.pieces.Measure(0)
	return nil
}

// GetInfo implements handler.Upload.
func (t *tusUpload) GetInfo(context.Context) (handler.FileInfo, error) {
	info := handler.FileInfo{ID: t.id(), Size: t.note.Size, Offset: t.pieces.Size, MetaData: t.note.Meta}
	if t.done {
		info.Offset = info.Size
	}
	return info, nil
}

// GetReader implements handler.Upload. What came cannot be read: it becomes a drop.
func (t *tusUpload) GetReader(context.Context) (io.ReadCloser, error) {
	return nil, handler.ErrNotImplemented
}

// Terminate implements handler.TerminatableUpload.
func (t *tusUpload) Terminate(ctx context.Context) error {
	if err := t.g.o.Writable(); err != nil {
		return tusError(err)
	}
	return tusError(t.remove(ctx, func(string) bool { return true }))
}

// remove takes parts of the upload away, the note last: without it there is no upload.
func (t *tusUpload) remove(ctx context.Context, which func(name string) bool) error {
	store, folder := t.place.folder.Store, t.folder
	for o, err := range store.List(ctx, folder, storage.ListOptions{NamesOnly: true}) {
		if err == nil && o.Key.Base() != noteName && which(o.Key.Base()) {
			err = store.Remove(ctx, o.Key, "")
		}
		if err != nil && !notThere(err) {
			return err
		}
	}
	if !which(noteName) {
		return nil
	}
	if err := store.Remove(ctx, t.at(noteName), ""); err != nil && !notThere(err) {
		return err
	}
	if folders := t.place.folder.Folders; folders != nil {
		_ = folders.RemoveFolder(ctx, folder) // if nothing is in it
	}
	return nil
}

// errOvertaken: another request, mostly of another node, has gone on from the same offset.
var errOvertaken = refuse(http.StatusConflict, "the upload went on elsewhere meanwhile; ask for its offset")
