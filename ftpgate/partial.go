package ftpgate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hotfolderd/asset"
	"hotfolderd/intake"
	"hotfolderd/storage"
)

// What a broken upload leaves is kept in a folder of its own, partials/<user>/<name>/ in [Folder].Aside, so that an upload looks at
// no others: as <name>.<attempt>.json, which says what it is, <name>.<attempt>.stream, which says where the store has its first bytes, and
// pieces <name>.<attempt>.<offset>. Names and users are hashed: a file name holds no more than 255 bytes.

const (
	partialsName = "partials"
	noteMark     = "json"
	mostListed   = 10_000 // objects of one user that are looked at
)

// note says what an attempt uploads.
type note struct {
	User      string    `json:"user"`
	Hotfolder string    `json:"hotfolder"`
	Key       asset.Key `json:"key"`
}

// attempt is what is kept of one broken upload.
type attempt struct {
	id       string // "<name>.<attempt>"
	noted    bool
	streamed bool
	token    string  // of the stream that has the first bytes
	ends     []int64 // of the parts of that
	pieces   intake.Pieces
}

func partialsFolder(f Folder, user string) asset.Key {
	return f.Aside.Join(partialsName).Join(asset.Key(intake.Short(user)))
}

// nameFolder holds what is kept of one name of a user.
func nameFolder(f Folder, user, name string) asset.Key {
	return partialsFolder(f, user).Join(asset.Key(name))
}

// nameOf is the hash of a place, in the names of what is kept of it.
func nameOf(p place) string { return intake.Short(p.hotfolder + "\x00" + string(p.key)) }

// attempts lists what is kept of a user's broken uploads; with a name, only those of it. The newest comes first.
func attempts(ctx context.Context, f Folder, user, name string) ([]attempt, error) {
	found := map[string]*attempt{}
	folder, n := partialsFolder(f, user), 0
	if name != "" {
		folder = nameFolder(f, user, name)
	}
	for o, err := range f.Store.List(ctx, folder, storage.ListOptions{Recursive: name == ""}) {
		if notThere(err) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("list what is kept: %w", err)
		}
		if n++; n > mostListed {
			break
		}
		collect(found, o)
	}
	var all []attempt
	for _, a := range found {
		if err := a.findStream(ctx, f, user); err != nil {
			return nil, fmt.Errorf("look at what is kept: %w", err)
		}
		a.pieces.Measure(a.streamEnd())
		if a.noted && a.pieces.Size > 0 {
			all = append(all, *a)
		}
	}
	slices.SortFunc(all, func(a, b attempt) int {
		return cmp.Or(b.pieces.Changed.Compare(a.pieces.Changed), strings.Compare(a.id, b.id))
	})
	return all, nil
}

// streamEnd is how many bytes the stream has.
func (a *attempt) streamEnd() int64 {
	if len(a.ends) == 0 {
		return 0
	}
	return a.ends[len(a.ends)-1]
}

// at is where something of an attempt is kept.
func (a *attempt) at(f Folder, user, kind string) asset.Key {
	name, _, _ := strings.Cut(a.id, ".")
	return nameFolder(f, user, name).Join(asset.Key(a.id + "." + kind))
}

// collect adds an object to the attempt that it is of.
func collect(found map[string]*attempt, o storage.Object) {
	base := o.Key.Base()
	dot := strings.LastIndexByte(base, '.')
	if dot < 0 || o.Kind != storage.Regular {
		return
	}
	id, kind := base[:dot], base[dot+1:]
	a := found[id]
	if a == nil {
		a = &attempt{id: id}
		found[id] = a
	}
	start, err := strconv.ParseInt(kind, 10, 64)
	switch {
	case kind == noteMark:
		a.noted = true
	case kind == streamKind:
		a.streamed = true
	case err == nil && start >= 0:
		a.pieces.Add(o, start)
	}
}

// read is the note of an attempt.
func (a *attempt) read(ctx context.Context, f Folder, user string) (note, error) {
	var n note
	err := intake.ReadNote(ctx, f.Store, a.at(f, user, noteMark), &n)
	if err == nil && (n.User != user || n.Key == asset.Root) {
		err = errors.New("it is somebody else's")
	}
	return n, err
}
