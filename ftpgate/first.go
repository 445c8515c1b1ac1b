package ftpgate

import (
	"bufio"
	"context"
	"errors"
	"os"
	"time"
)

// known is the connection of a client that the library knows. It has been greeted, and all else is said by reply.
type known struct{ *control }

// Write takes the library's greeting, which comes too late.
func (known) Write(p []byte) (int, error) { return len(p), nil }

// first reads a client's first line, and greets it where nobody has yet. Only then the library learns of it: its buffers and its goroutine
// are most of what a client costs, and of clients that say nothing there may be many.
func (l *listener) first(c *control, r *bufio.Reader) (line, error) {
	if l.implicit {
		c.s.send(greeting)
	}
	got, err := l.firstLine(c, r)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.s.reply(421, "%s", l.whyNot(c.s))
	}
	if err != nil {
		return line{}, err
	}
	c.lines = make(chan line, queuedLines)
	select {
	case l.welcomed <- c:
		c.isKnown = true
		return got, nil
	case <-l.ctx.Done():
		c.s.reply(421, "%s", errDraining)
		return line{}, errDraining
	}
}

// firstLine reads it as long as the limits allow, the gate takes clients and nobody ends the session.
func (l *listener) firstLine(c *control, r *bufio.Reader) (line, error) {
	if err := c.raw.SetReadDeadline(time.Now().Add(c.s.patience())); err != nil {
		return line{}, err
	}
	hurry := func() { _ = c.raw.SetReadDeadline(time.Now()) }
	defer context.AfterFunc(l.ctx, hurry)()
	defer context.AfterFunc(c.s.ctx, hurry)()
	got, err := readLine(r)
	if err != nil {
		return line{}, err
	}
	return got, c.raw.SetReadDeadline(time.Time{})
}

// whyNot is why a client that had said nothing is not waited for.
func (l *listener) whyNot(s *session) error {
	switch {
	case l.ctx.Err() != nil:
		return errDraining
	case s.ctx.Err() != nil:
		return context.Cause(s.ctx)
	}
	return errSilent
}
