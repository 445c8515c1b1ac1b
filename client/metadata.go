package client

import (
	"context"
	"fmt"

	"hotfolderd/asset"
)

// Metadata is what is known of an asset beside its bytes.
type Metadata struct {
	Name     asset.Key         `json:"name"`
	Number   int               `json:"number"`
	Hash     asset.Hash        `json:"sha256"`
	Size     int64             `json:"size"`
	Type     string            `json:"type"`
	Width    int               `json:"width"` // pixels, after orientation; 0: not known
	Height   int               `json:"height"`
	Metadata map[string]string `json:"metadata"` // EXIF, IPTC and XMP as they were read at the import
}

// Metadata tells what is known of the current version of a name; fs.ErrNotExist.
func (c *Client) Metadata(ctx context.Context, name string) (m Metadata, err error) {
	key, err := asset.ParseKey(name)
	if err != nil {
		return m, err
	}
	if err := c.ask(ctx, assetPath(key)+"?metadata", &m); err != nil {
		return m, fmt.Errorf("metadata of %s: %w", key.Quoted(), err)
	}
	return m, nil
}
