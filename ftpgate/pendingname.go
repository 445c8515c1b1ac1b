package ftpgate

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"hotfolderd/asset"
)

// A pending upload is stored as pending/<hotfolder>/<node>.<instance>.<number>.<key>, so that another gate can finish it. A key that
// is too long for that is in a file beside it.

// pendingFolder is where the pending uploads of a hotfolder are.
func pendingFolder(hotfolder string, f Folder) asset.Key {
	return f.Aside.Join(pendingName).Join(asset.Key(hotfolder))
}

// pendingKey is a new name for a pending upload; what does not fit into it is written beside it.
func (g *Gate) pendingKey(ctx context.Context, p place) (asset.Key, error) {
	name := fmt.Sprintf("%s.%s.%x.", short(g.o.Node), g.instance, g.pending.next.Add(1))
	if len(p.key) <= longest {
		return pendingFolder(p.hotfolder, p.folder).Join(asset.Key(name + base64.RawURLEncoding.EncodeToString([]byte(p.key)))), nil
	}
	base := pendingFolder(p.hotfolder, p.folder).Join(asset.Key(name))
	data, err := json.Marshal(longKey{p.key})
	if err != nil {
		return "", fmt.Errorf("note a long name: %w", err)
	}
	_, err = p.folder.Store.Put(ctx, base+keyMark, strings.NewReader(string(data)), putNow)
	return base + longMark, err
}

const (
	pendingName = "pending" // in [Folder].Aside
	longest     = 140       // bytes of a key that fits, in base64, into the name of a pending upload

	longMark = "~long" // neither is base64
	keyMark  = "~key"
)

type longKey struct {
	Key asset.Key `json:"key"`
}

// pendingName is a name in a pending folder, taken apart.
type parsedPending struct {
	node, instance string
	encoded        string
}

func parsePending(name string) (parsedPending, bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 4 {
		return parsedPending{}, false
	}
	return parsedPending{parts[0], parts[1], parts[3]}, true
}

// keyOf is the key that a pending upload is to have.
func (g *Gate) keyOf(ctx context.Context, f Folder, at asset.Key, parsed parsedPending) (asset.Key, error) {
	if parsed.encoded != longMark {
		raw, err := base64.RawURLEncoding.DecodeString(parsed.encoded)
		if err != nil {
			return "", fmt.Errorf("name of a pending upload: %w", err)
		}
		return asset.ParseKey(string(raw))
	}
	r, err := f.Store.Open(ctx, beside(at), "")
	if err != nil {
		return "", err
	}
	defer r.Close()
	var k longKey
	data, err := io.ReadAll(io.LimitReader(r, 4*asset.MaxKey))
	if err == nil {
		err = json.Unmarshal(data, &k)
	}
	if err == nil && k.Key == asset.Root {
		err = errors.New("it names nothing")
	}
	return k.Key, err
}

// beside is the note that holds the key of a pending upload with a long one; empty when it has none.
func beside(at asset.Key) asset.Key {
	base, ok := strings.CutSuffix(string(at), longMark)
	if !ok {
		return ""
	}
	return asset.Key(base + keyMark)
}
