package workarea

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hotfolderd/asset"
)

// tellTime bounds the end of an announcement. A node that stops must not wait for the others any longer.
const tellTime = 5 * time.Second

// Changes hears of a name before and after other bytes come to stand for it, so that nobody goes on serving what it kept of
// the old ones.
type Changes interface {
	// Begin is called before the first write that changes what a name stands for; after an error nothing is written. The
	// error names the name, and wraps [asset.ErrNotNow] when the others cannot be told just now.
	//
	// end is called exactly once when the write is durable, or was given up: then it may be half done, and telling once too
	// often is harmless. Its context does not end with the caller's, but after 5 seconds. After its error the caller may
	// repeat all of it, or never come back.
	Begin(ctx context.Context, name asset.Key) (end func(ctx context.Context) error, err error)
}

// changing are the names that one call changes, each announced once. The zero value with an area is ready to use.
//
// The first version of a name is never announced, because nobody keeps that a name is absent: nobody
// who is told by Changes may. Which write is the first is decided by the store alone: of two nodes that enter a new
// name at once one gets number 1, and the other announces before it tries number 2.
type changing struct {
	a     *Area
	names []asset.Key
	ends  []func(context.Context) error
}

// begin announces that other bytes come to stand for a name, unless this call did already.
func (c *changing) begin(ctx context.Context, name asset.Key) error {
	for _, n := range c.names {
		if n == name {
			return nil
		}
	}
	end := func(context.Context) error { return nil }
	if c.a.changes != nil {
		var err error
		if end, err = c.a.changes.Begin(ctx, name); err != nil {
			return err
		}
	}
	c.names, c.ends = append(c.names, name), append(c.ends, end)
	return nil
}

// end lets all forget what was changed, whatever became of the write and of ctx.
func (c *changing) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTime)
	defer cancel()
	var errs []error
	for i, name := range c.names {
		if err := c.ends[i](ctx); err != nil {
			errs = append(errs, fmt.Errorf("tell that %s has changed: %w", name.Quoted(), err))
		}
	}
	return errors.Join(errs...)
}
