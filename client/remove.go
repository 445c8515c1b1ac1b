package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"

	"hotfolderd/asset"
)

// Remove takes a name away; its bytes stay reachable by their hash. fs.ErrNotExist when there is no such name. When an answer was lost
// and another node finds no name any more, it was removed.
func (c *Client) Remove(ctx context.Context, name string) error {
	key, err := asset.ParseKey(name)
	if err != nil {
		return err
	}
	a, err := c.do(ctx, request{method: http.MethodDelete, path: assetPath(key), writes: true})
	var told *Error
	if errors.As(err, &told) && told.again && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", key.Quoted(), err)
	}
	drained(a.Body)
	return nil
}

const maxThumbnail = 64 << 20 // bytes of one

// Thumbnail is the image of a name that is at least so many pixels on its longer side, or the largest there is, and its MIME type.
// fs.ErrNotExist when there is no such name, or when it has none.
func (c *Client) Thumbnail(ctx context.Context, name string, pixels int) (image []byte, mime string, err error) {
	key, err := asset.ParseKey(name)
	if err != nil {
		return nil, "", err
	}
	path := assetPath(key) + "/thumbnail?" + url.Values{"size": {strconv.Itoa(pixels)}}.Encode()
	var broken error
	for range mostTries {
		a, err := c.do(ctx, request{method: http.MethodGet, path: path})
		if err != nil {
			return nil, "", fmt.Errorf("thumbnail of %s: %w", key.Quoted(), err)
		}
		image, broken = io.ReadAll(io.LimitReader(a.Body, maxThumbnail))
		drained(a.Body)
		if broken == nil {
			return image, a.Header.Get("Content-Type"), nil
		}
		c.fleet.failed(a.base, broken, 0)
	}
	return nil, "", fmt.Errorf("thumbnail of %s: %w", key.Quoted(), noNode(broken))
}
