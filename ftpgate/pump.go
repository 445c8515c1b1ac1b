package ftpgate

import (
	"bufio"
	"context"
	"errors"
	"io"
)

// pump reads the connection until its end. ctx bounds handshakes only; Close ends the pump. first is how the first line is read.
func (c *control) pump(ctx context.Context, implicit bool, first func(*bufio.Reader) (line, error)) {
	err := c.pumpLines(ctx, implicit, first)
	switch {
	case errors.Is(err, io.EOF):
		c.why = errGone
	case errors.Is(err, errGarbage):
		c.why = err
	default:
		c.why = errors.Join(errReset, err)
	}
	close(c.gone)
	if w := c.watch.Load(); w != nil {
		w.gone(c.why)
	}
	c.rouse()
}

func (c *control) pumpLines(ctx context.Context, implicit bool, first func(*bufio.Reader) (line, error)) error {
	if implicit {
		if err := c.handshake(ctx); err != nil {
			return err
		}
	}
	close(c.ready)
	r := c.reader()
	l, err := first(r)
	for err == nil {
		if err = c.take(l); err != nil {
			break
		}
		if l.verb == "AUTH" {
			if r, err = c.readerAfterAuth(ctx, r); err != nil {
				break
			}
		}
		l, err = readLine(r)
	}
	return err
}

// reader reads what the client says from now on.
func (c *control) reader() *bufio.Reader { return bufio.NewReaderSize(c.conn, readAhead) }

// readerAfterAuth waits for the answer to AUTH. What was sent behind it in the clear is never executed when all goes on encrypted.
func (c *control) readerAfterAuth(ctx context.Context, r *bufio.Reader) (*bufio.Reader, error) {
	up, err := c.awaitUpgrade()
	if err != nil || !up {
		return r, err
	}
	if err := c.handshake(ctx); err != nil {
		return nil, err
	}
	return c.reader(), nil
}

// take counts a command and queues it, unless the transfer in hand answers it.
func (c *control) take(l line) error {
	if w := c.watch.Load(); w != nil && w.line(l) {
		return nil
	}
	if l.verb == "ABOR" {
		c.aborts.Add(1)
	}
	c.received.Add(1)
	c.rouse()
	select {
	case c.lines <- l:
		return nil
	case <-c.closed:
		return errClosed
	}
}

// rouse ends a pause.
func (c *control) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
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
