package node

import (
	"context"
	"time"

	"hotfolderd/asset"
)

// linkTime is how long the address of a large asset in a bucket is good for: to begin with its bytes, not to come to their end.
const linkTime = 5 * time.Minute

// linkAsset is for admin.Backend: where the bytes of a large asset can be fetched from the bucket itself; empty when the node serves
// them.
func (n *Node) linkAsset(ctx context.Context, c asset.Content, contentType, disposition string) (string, error) {
	from := n.o.Settings.Storage.RedirectSize
	if from == 0 || c.Size < int64(from) {
		return "", nil
	}
	main, err := n.stores.open(ctx, n.o.Settings.Storage.URL, false) // it is open
	if err != nil || main.bucket == nil {
		return "", err
	}
	return main.bucket.Link(ctx, n.area.AssetKey(c.Hash), linkTime, contentType, disposition)
}
