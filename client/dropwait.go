package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"hotfolderd/asset"
)

// DropState is what became of a drop.
type DropState string

// The ends of a drop.
const (
	DropImported DropState = "imported" // as the version Number of Name
	DropSkipped  DropState = "skipped"  // the name kept the bytes that it had, as the rule wants it or because a later drop came first
	DropFailed   DropState = "failed"   // it is kept in failed/
)

// DropEnd is how a drop ended.
type DropEnd struct {
	State  DropState `json:"state"`
	Name   asset.Key `json:"name"`   // of the asset
	Number int       `json:"number"` // version of that name
	Reason string    `json:"reason"` // in words; empty when it was imported
}

// ErrUnknownEnd: nobody can tell any more what became of a drop; its story may.
var ErrUnknownEnd = errors.New("nobody can tell what became of it")

const (
	awaitAtOnce = time.Minute // that one request waits
	awaitPause  = time.Second // between two requests that were answered at once
)

// AwaitDrop waits until a drop was imported or will not be, by whatever node, as long as ctx and nodes that answer allow. A drop of a
// hotfolder that is paused waits for its end too.
func (c *Client) AwaitDrop(ctx context.Context, d Dropped) (DropEnd, error) {
	path := "/v1/drops/" + url.PathEscape(d.Upload) + "?wait=" + awaitAtOnce.String()
	for {
		began := time.Now()
		var got DropEnd
		if err := c.ask(ctx, path, &got); err != nil {
			return got, fmt.Errorf("wait for the import: %w", err)
		}
		switch got.State {
		case DropImported, DropSkipped, DropFailed:
			return got, nil
		}
		if got.Reason != "" {
			return got, fmt.Errorf("%w: %s", ErrUnknownEnd, got.Reason)
		}
		if time.Since(began) < awaitPause {
			_ = sleep(ctx, awaitPause) // its end is seen by the next request
		}
	}
}
