package ftpgate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// What a broken upload leaves is kept in a folder of its own, partials/<user>/<name>/ in [Folder].Aside, so that an upload looks at
// no others: as <name>.<attempt>.json, which says what it is, and pieces <name>.<attempt>.<offset>. Names and users are hashed: a file
// name holds no more than 255 bytes.

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
	id      string // "<name>.<attempt>"
	noted   bool
	pieces  []storage.Object
	starts  []int64
	size    int64     // of what is there without a gap
	changed time.Time // of its newest piece
}

func short(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}

func partialsFolder(f Folder, user string) asset.Key {
	return f.Aside.Join(partialsName).Join(asset.Key(short(user)))
}

// nameFolder holds what is kept of one name of a user.
func nameFolder(f Folder, user, name string) asset.Key {
	return partialsFolder(f, user).Join(asset.Key(name))
}

// nameOf is the hash of a place, in the names of what is kept of it.
func nameOf(p place) string { return short(p.hotfolder + "\x00" + string(p.key)) }

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
		if a.measure(); a.noted && a.size > 0 {
			all = append(all, *a)
		}
	}
	slices.SortFunc(all, func(a, b attempt) int { return cmp.Or(b.changed.Compare(a.changed), strings.Compare(a.id, b.id)) })
	return all, nil
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
	case err == nil && start >= 0:
		a.pieces, a.starts = append(a.pieces, o), append(a.starts, start)
		if o.Changed.After(a.changed) {
			a.changed = o.Changed
		}
	}
}

// measure finds out how far the pieces go without a gap, and keeps only those. A piece may begin inside the one before.
func (a *attempt) measure() {
	order := make([]int, len(a.pieces))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(a.starts[i], a.starts[j]) })
	var pieces []storage.Object
	var starts []int64
	for _, i := range order {
		end := a.starts[i] + a.pieces[i].Size
		if a.starts[i] > a.size || end <= a.size {
			continue
		}
		pieces, starts = append(pieces, a.pieces[i]), append(starts, a.starts[i])
		a.size = end
	}
	a.pieces, a.starts = pieces, starts
}

// copyTo writes the first n bytes.
func (a *attempt) copyTo(ctx context.Context, w io.Writer, s storage.Store, n int64) error {
	var at int64
	for i, piece := range a.pieces {
		end := min(n, a.starts[i]+piece.Size)
		if end <= at {
			continue
		}
		if err := copyPart(ctx, w, s, piece, at-a.starts[i], end-at); err != nil {
			return err
		}
		at = end
	}
	if at < n {
		return fmt.Errorf("what is kept of the upload ends at %d instead of %d", at, n)
	}
	return nil
}

// copyPart writes n bytes of an object from an offset.
func copyPart(ctx context.Context, w io.Writer, s storage.Store, o storage.Object, offset, n int64) error {
	r, err := s.Open(ctx, o.Key, o.Version)
	if err != nil {
		return err
	}
	defer r.Close()
	got, err := io.Copy(w, untilDone{ctx, io.NewSectionReader(r, offset, n)})
	if err == nil && got < n {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// untilDone ends a long copy soon after its context ends.
type untilDone struct {
	ctx context.Context //nolint:containedctx // lives as long as one copy
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}

// read is the note of an attempt.
func (a *attempt) read(ctx context.Context, f Folder, user string) (note, error) {
	name, _, _ := strings.Cut(a.id, ".")
	r, err := f.Store.Open(ctx, nameFolder(f, user, name).Join(asset.Key(a.id+"."+noteMark)), "")
	if err != nil {
		return note{}, err
	}
	defer r.Close()
	var n note
	data, err := io.ReadAll(io.LimitReader(r, 16<<10))
	if err == nil {
		err = json.Unmarshal(data, &n)
	}
	if err == nil && (n.User != user || n.Key == asset.Root) {
		err = errors.New("it is somebody else's")
	}
	return n, err
}
