package ftpgate

import (
	"bufio"
	"context"
	"errors"
	"io"
)

// pump reads the connection until its end. ctx bounds handshakes only; Close ends the pump.
func (c *control) pump(ctx context.Context, implicit bool) {
	err := c.pumpLines(ctx, implicit)
	switch {
	case errors.Is(err, io.EOF):
		c.why = errGone
	case errors.Is(err, errGarbage):
		c.why = err
	default:
		c.why = errors.Join(errReset, err)
	}
	close(c.gone)
}

func (c *control) pumpLines(ctx context.Context, implicit bool) error {
	if implicit {
		if err := c.handshake(ctx); err != nil {
			return err
		}
	}
	close(c.ready)
	r := bufio.NewReader(c.conn)
	for {
		l, err := readLine(r)
		if err != nil {
			return err
		}
		if err := c.take(l); err != nil {
			return err
		}
		if l.verb != "AUTH" {
			continue
		}
		up, err := c.awaitUpgrade()
		if err != nil {
			return err
		}
		if up {
			if err := c.handshake(ctx); err != nil {
				return err
			}
			r = bufio.NewReader(c.conn) // what was sent behind AUTH in the clear is never executed
		}
	}
}

// take counts a command and queues it, unless the transfer in hand answers it.
func (c *control) take(l line) error {
	if hook := c.hook.Load(); hook != nil && (*hook)(l) {
		return nil
	}
	if l.verb == "ABOR" {
		c.aborts.Add(1)
	}
	c.received.Add(1)
	select {
	case c.wake <- struct{}{}:
	default:
	}
	select {
	case c.lines <- l:
		return nil
	case <-c.closed:
		return errClosed
	}
}

// awaitUpgrade waits until AUTH has been answered.
func (c *control) awaitUpgrade() (bool, error) {
	select {
	case up := <-c.upgrade:
		return up, nil
	case <-c.closed:
		return false, errClosed
	}
}
