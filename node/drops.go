package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/ftpgate"
	"hotfolderd/hotfolder"
	"hotfolderd/httpgate"
	"hotfolderd/storage"
)

// buildDrops makes the gate for drops by HTTP, when the node has the role web.
func (n *Node) buildDrops() (err error) {
	if !n.o.Settings.Node.HasRole(config.RoleWeb) {
		return nil
	}
	n.drops, err = httpgate.New(httpgate.Options{
		Folders: n.dropsFolder, Hotfolders: n.dropsHotfolders, Writable: n.dropsWritable, Problem: admin.Problem, Check: n.dropsCheck, Done: n.dropDone,
		Naming: n.dropNaming, Heard: n.dropHeard, ResumeTTL: n.o.Settings.HTTP.ResumeTTL.D(), Node: n.o.Settings.Node.ID, Log: n.log, Metrics: n.o.Registry,
	})
	return err
}

// dropsBackend offers the gate to the node's HTTP.
func (n *Node) dropsBackend() *admin.Drops {
	if n.drops == nil {
		return nil
	}
	return &admin.Drops{
		Put: func(ctx context.Context, a admin.Arrival, r io.Reader) (admin.Drop, error) {
			d, err := n.drops.Put(ctx, httpgate.Arrival(a), r)
			if err != nil {
				return admin.Drop{}, err
			}
			return dropView(d), nil
		},
		Await: n.awaitDrop, AwaitUpload: n.awaitUpload, Uploads: n.drops.Uploads(), DAV: n.drops.DAV(),
	}
}

func dropView(d httpgate.Drop) admin.Drop {
	v := admin.Drop{Hotfolder: d.Hotfolder, Key: d.Key, Version: d.Version, ID: d.ID(), Size: d.Size, Hash: d.Hash, State: admin.DropStored}
	if d.Waits {
		v.State = admin.DropWaiting
	}
	return v
}

func (n *Node) specOf(hotfolder string) (hotfolder.Spec, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s, ok := n.specs[hotfolder]
	return s, ok
}

// dropsFolder is where a hotfolder is, and what its rule says of drops that are about to come.
func (n *Node) dropsFolder(name string) (httpgate.Folder, bool) {
	f, ok := n.intakeFolder(name, "http")
	s, there := n.specOf(name)
	if !ok || !there {
		return httpgate.Folder{}, false
	}
	return httpgate.Folder{
		Folder: f, Ignored: hotfolder.NewFilter(s.Rule).Ignored, MaxSize: int64(s.Rule.Match.MaxSize), Empty: s.Rule.Match.Empty == "import",
	}, true
}

func (n *Node) dropsHotfolders() (names []string) {
	for _, s := range n.Folders() {
		names = append(names, s.Rule.Hotfolder)
	}
	return names
}

func (n *Node) dropsWritable() error {
	if err := n.mayWrite(); err != nil {
		return &httpgate.Refusal{Status: http.StatusServiceUnavailable, Reason: err.Error()}
	}
	return nil
}

// dropsCheck looks at complete bytes as the rule asks.
func (n *Node) dropsCheck(ctx context.Context, u httpgate.Upload) error {
	return n.gateCheck(ctx, ftpgate.Upload{Hotfolder: u.Hotfolder, Key: u.Key, Size: u.Size, Bytes: u.Bytes})
}

func (n *Node) dropNaming(hotfolder string, key asset.Key, v asset.Version) {
	n.room.Expect(hotfolder, key, v, asset.DoorHTTP)
}

func (n *Node) dropHeard(hotfolder string, key asset.Key, v asset.Version) {
	n.room.Known(hotfolder, key, v, asset.DoorHTTP)
	n.hints.add(hint{Heard: admin.Heard{Hotfolder: hotfolder, Key: key, Version: v, Door: asset.DoorHTTP}})
}

// dropDone reports whether a file was imported and only stays where it is, as the rule wants it. Its bytes are compared: an id alone
// may be of an earlier file.
func (n *Node) dropDone(ctx context.Context, d httpgate.Drop) (bool, error) {
	s, ok := n.specOf(d.Hotfolder)
	if !ok || s.Rule.After != config.AfterKeep {
		return false, nil
	}
	hash, err := hashOf(ctx, s.Store, s.Prefix.Join(d.Key), d.Version)
	if err != nil {
		return false, err
	}
	_, found, err := n.recordOf(ctx, d.ID(), hash)
	return found, err
}

func hashOf(ctx context.Context, s storage.Store, key asset.Key, v asset.Version) (h asset.Hash, err error) {
	r, err := s.Open(ctx, key, v)
	if err != nil {
		return h, err
	}
	defer r.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return h, fmt.Errorf("read %s: %w", key.Quoted(), err)
	}
	sum.Sum(h[:0])
	return h, nil
}

// recordOf is what the ledger has of a drop with these bytes; with a zero hash of one with any.
func (n *Node) recordOf(ctx context.Context, id asset.DropID, h asset.Hash) (asset.Record, bool, error) {
	for _, id := range []asset.DropID{id, id.Again(h)} {
		rec, err := n.area.Record(ctx, id)
		switch {
		case err == nil && (rec.Content.Hash == h || h.IsZero()):
			return rec, true, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return rec, false, err
		}
	}
	return asset.Record{}, false, nil
}
