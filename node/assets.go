package node

import (
	"context"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/workarea"
)

// listAssets is for admin.Backend.
func (n *Node) listAssets(ctx context.Context, q admin.AssetQuery) (admin.AssetPage, error) {
	page, err := n.area.List(ctx, workarea.Query{
		Prefix: q.Prefix, Folders: q.Folders, Match: q.Match, Limit: q.Limit, After: workarea.Position(q.After),
	})
	out := admin.AssetPage{Next: string(page.Next), Err: page.Err}
	for _, l := range page.Listed {
		if l.Folder {
			out.Folders = append(out.Folders, l.Name)
			continue
		}
		out.Assets = append(out.Assets, admin.Asset{Name: l.Name, Number: l.Number, Record: l.Record})
	}
	return out, err
}

// versions is for admin.Backend.
func (n *Node) versions(ctx context.Context, name asset.Key, below, limit int) ([]admin.Asset, int, error) {
	found, next, err := n.area.VersionsBelow(ctx, name, below, limit)
	all := make([]admin.Asset, len(found))
	for i, v := range found {
		all[i] = admin.Asset{Name: name, Number: v.Number, Record: v.Record}
	}
	return all, next, err
}

// version is for admin.Backend.
func (n *Node) version(ctx context.Context, name asset.Key, number int) (asset.Record, error) {
	v, err := n.area.Version(ctx, name, number)
	return v.Record, err
}
