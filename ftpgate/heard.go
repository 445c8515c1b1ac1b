package ftpgate

import (
	"context"
	"time"
)

const (
	firstLook = time.Millisecond // between two looks at what the client has acknowledged, while it says nothing; doubles
	lastLook  = 5 * time.Millisecond
)

// listen is called before a reply that must be heard: pause ends with what comes from now on. It counts the commands that have come.
func (c *control) listen() (before uint64) {
	select {
	case <-c.wake:
	default:
	}
	return c.received.Load()
}

// heard returns when the client is known to have heard the last reply, or an error when it is known not to. Every byte of it must be
// acknowledged, and
//
//   - another command came, since before was counted, or
//   - the client ended its side: a process that is killed before it has read a reply resets the connection instead, or
//   - the connection still stands after settle: that of a process that is being killed does not.
//
// before is what listen told before the reply was written. Most clients say something at once, so nothing is looked at before that.
func (c *control) heard(ctx context.Context, before uint64, settle time.Duration) error {
	pause := firstLook
	var acknowledged time.Time
	for {
		if err := c.pause(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, lastLook)
		spoke := c.received.Load() > before // looked at first: the acknowledgment that came with it is seen below
		l, err := c.state()
		switch {
		case err != nil || l.dead():
			return errReset
		case l.unheard:
		case spoke || l.state == tcpCloseWait:
			return nil
		case acknowledged.IsZero():
			acknowledged = time.Now()
		case time.Since(acknowledged) >= settle:
			return nil
		}
	}
}

// pause waits for the next command or the client's end, but not for long.
func (c *control) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.wake:
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}
