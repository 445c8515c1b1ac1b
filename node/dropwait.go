package node

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/httpgate"
)

// How often it is looked whether a drop was imported; by whatever node, so the store is asked. Doubles in between.
const (
	firstLook = 5 * time.Millisecond
	lastLook  = 500 * time.Millisecond
	goneLooks = 5 // at a drop that is gone, and nobody says why
)

// awaitDrop is for admin.Backend. It returns when the walk of a drop has ended, or ctx; then with what is known.
func (n *Node) awaitDrop(ctx context.Context, d admin.Drop) (admin.Drop, error) {
	if d.State != admin.DropStored {
		return d, nil
	}
	gone := 0
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		there := n.dropIsThere(ctx, d) // looked at first: what is recorded between the two looks is found
		ended, err := n.endOf(ctx, &d, !there)
		if !there {
			gone++
		}
		switch {
		case ctx.Err() != nil:
			return d, nil
		case err != nil || ended:
			return d, err
		case gone == goneLooks:
			d.Reason = "it is gone from its hotfolder; its story says more"
			return d, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// awaitUpload is for admin.Backend: awaitDrop of what an upload by tus became, which may have to wait for its name first.
func (n *Node) awaitUpload(ctx context.Context, upload string) (known admin.Drop, err error) {
	unnoted := 0
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		d, err := n.drops.Became(ctx, upload)
		switch {
		case err == nil && !d.Waits:
			return n.awaitDrop(ctx, dropView(d))
		case errors.Is(err, httpgate.ErrComing):
			known = dropView(d)
			known.State = admin.DropComing
			return known, nil
		case errors.Is(err, httpgate.ErrUnnoted):
			known, unnoted = dropView(d), unnoted+1
			known.State = admin.DropStored
		case err == nil:
			known = dropView(d)
		case ctx.Err() == nil || known.Hotfolder == "":
			return known, err
		}
		if unnoted == goneLooks {
			known.Reason = "it became a drop, and nobody came to noting which one; its story says more"
			return known, nil
		}
		select {
		case <-ctx.Done():
			return known, nil
		case <-time.After(pause):
		}
	}
}

func (n *Node) dropIsThere(ctx context.Context, d admin.Drop) bool {
	s, ok := n.specOf(d.Hotfolder)
	if !ok {
		return false
	}
	o, err := s.Store.Stat(ctx, s.Prefix.Join(d.Key))
	return err == nil && o.Version == d.Version || err != nil && !errors.Is(err, fs.ErrNotExist)
}

// endOf fills in how a drop ended, if it has.
func (n *Node) endOf(ctx context.Context, d *admin.Drop, gone bool) (ended bool, err error) {
	rec, found, err := n.recordOf(ctx, d.ID, d.Hash)
	if err != nil {
		return false, err
	}
	if found {
		return true, n.outcomeOf(ctx, d, rec)
	}
	if !gone {
		return false, nil
	}
	for f, err := range n.area.Failures(ctx) {
		if err == nil && f.Drop == d.ID {
			d.State, d.Reason = admin.DropFailed, f.Reason
			return true, nil
		}
	}
	return false, nil
}

// outcomeOf applies the record, as the walk does: what is done already is only found again.
func (n *Node) outcomeOf(ctx context.Context, d *admin.Drop, rec asset.Record) error {
	out, err := n.area.Apply(ctx, rec)
	if err != nil {
		return err
	}
	d.State, d.Name, d.Number = admin.DropImported, out.Name, out.Number
	switch {
	case out.Rejected != "":
		d.State, d.Reason, d.Name = admin.DropFailed, out.Rejected, ""
	case out.Skipped:
		d.State, d.Reason = admin.DropSkipped, "the name kept the bytes that it had (conflict: skip)"
	case out.Superseded:
		d.State, d.Reason = admin.DropSkipped, "a later drop of that name was imported first"
	}
	return nil
}
