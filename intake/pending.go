package intake

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// A pending upload is complete and durable and has no name yet. It is stored as pending/<hotfolder>/<node>.<instance>.<number>.<key>,
// so that another node can finish it; a mark of its door may follow. A key that is too long for that is in a file beside it.

const (
	pendingName = "pending" // in [Folder].Aside
	longest     = 140       // bytes of a key that fits, in base64, into the name of a pending upload

	longMark = "~long" // neither is base64
	keyMark  = "~key"
)

// Names gives pending uploads their names. Node and Instance say whose they are: Instance is of this start of the door. Safe for
// concurrent use.
type Names struct {
	Node, Instance string
	next           atomic.Uint64
}

// Pending is the name of a pending upload, taken apart.
type Pending struct {
	Instance string
	Mark     string // of the door; may be empty
	node     string
	encoded  string
}

// PendingFolder is where the pending uploads of a hotfolder are.
func (f Folder) PendingFolder(hotfolder string) asset.Key {
	return f.Aside.Join(pendingName).Join(asset.Key(hotfolder))
}

// New is a new name for a pending upload; what does not fit into it is written beside it. The mark has no dot.
func (n *Names) New(ctx context.Context, f Folder, hotfolder string, key asset.Key, mark string) (asset.Key, error) {
	at := n.Next(f, hotfolder, key, mark)
	return at, f.WriteBeside(ctx, at, key)
}

// Next is New for an upload whose [Folder.WriteBeside] follows when it is complete.
func (n *Names) Next(f Folder, hotfolder string, key asset.Key, mark string) asset.Key {
	if mark != "" {
		mark = "." + mark
	}
	text := longMark
	if len(key) <= longest {
		text = base64.RawURLEncoding.EncodeToString([]byte(key))
	}
	return f.PendingFolder(hotfolder).Join(asset.Key(fmt.Sprintf("%s.%s.%x.%s%s", Short(n.Node), n.Instance, n.next.Add(1), text, mark)))
}

// WriteBeside writes a key beside its pending upload, before that is there, if it does not fit into the name. Idempotent.
func (f Folder) WriteBeside(ctx context.Context, at, key asset.Key) error {
	beside := Beside(at)
	if beside == asset.Root {
		return nil
	}
	data, err := json.Marshal(longKey{key})
	if err != nil {
		return fmt.Errorf("note a long name: %w", err)
	}
	_, err = f.Store.Put(ctx, beside, strings.NewReader(string(data)), storage.PutOptions{})
	return err
}

// Earlier reports whether a pending upload is of an earlier start of this node, which will not finish it.
func (n *Names) Earlier(p Pending) bool { return p.node == Short(n.Node) && p.Instance != n.Instance }

// ParsePending takes the last part of a pending upload's name apart; false for anything else that lies there.
func ParsePending(name string) (Pending, bool) {
	parts := strings.Split(name, ".")
	if len(parts) == 4 {
		parts = append(parts, "")
	}
	if len(parts) != 5 || parts[3] == keyMark {
		return Pending{}, false
	}
	return Pending{node: parts[0], Instance: parts[1], encoded: parts[3], Mark: parts[4]}, true
}

type longKey struct {
	Key asset.Key `json:"key"`
}

// KeyOf is the key, below its hotfolder, that the pending upload at a place is to have.
func (f Folder) KeyOf(ctx context.Context, at asset.Key, p Pending) (asset.Key, error) {
	if p.encoded != longMark {
		raw, err := base64.RawURLEncoding.DecodeString(p.encoded)
		if err != nil {
			return "", fmt.Errorf("name of a pending upload: %w", err)
		}
		return asset.ParseKey(string(raw))
	}
	var k longKey
	err := ReadNote(ctx, f.Store, Beside(at), &k)
	if err == nil && k.Key == asset.Root {
		err = errors.New("it names nothing")
	}
	return k.Key, err
}

// Beside is the note that holds the key of a pending upload with a long one; empty when it has none.
func Beside(at asset.Key) asset.Key {
	name := at.Base()
	i := strings.Index(name, "."+longMark)
	if i < 0 {
		return ""
	}
	return at.Dir().Join(asset.Key(name[:i] + "." + keyMark))
}

const mostNote = 32 << 10 // bytes of a note; the longest key, escaped, fits

// ReadNote reads a small JSON document of a door.
func ReadNote(ctx context.Context, s storage.Store, at asset.Key, v any) error {
	r, err := s.Open(ctx, at, "")
	if err != nil {
		return err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, mostNote))
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// Short is a name of any length as a few letters that fit into a file's name.
func Short(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}
