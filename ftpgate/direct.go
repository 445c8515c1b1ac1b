package ftpgate

import (
	"errors"
	"fmt"
	"net"
	"time"

	"hotfolderd/storage"
)

const (
	directFrom  = 256 << 10 // bytes of an upload before it is worth it
	directPiece = 4 << 20
)

// direct is the way by which the kernel moves the bytes of an upload from its connection to the store by itself; nil when there is none:
// they are encrypted, or something is to be counted before they are taken.
func (u *upload) direct(d *dataConn) storage.Receiver {
	l := u.user.Limits
	if d.ended != nil || l.FileSize > 0 || l.Daily > 0 || l.Rate > 0 {
		return nil
	}
	r, _ := u.staged.(storage.Receiver)
	return r
}

// takeDirect stages what has come, or comes next; io.EOF behind the last.
func (u *upload) takeDirect(r storage.Receiver, d *dataConn) error {
	if err := d.raw.SetReadDeadline(time.Now().Add(u.s.g.o.Stall)); err != nil {
		return broken(err)
	}
	u.sum = nil
	n, err := r.Receive(d.raw, directPiece)
	u.moved(n)
	var line *net.OpError
	switch {
	case errors.As(err, &line):
		return broken(stalled(err))
	case err != nil:
		return err
	}
	if err := r.Append(); err != nil {
		return fmt.Errorf("stage: %w", err)
	}
	return nil
}
