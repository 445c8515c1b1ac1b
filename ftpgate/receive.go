package ftpgate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// proxyPause is how long after the data of an upload the end of the control connection may come by a load balancer that hands on the two
// ends of a client that was killed one after the other.
const proxyPause = 100 * time.Millisecond

// receive takes the data of an upload, and makes sure that they are all there are.
func (u *upload) receive(ctx context.Context) error {
	d, err := u.s.connect(ctx, "send it")
	if err != nil {
		return causeOf(ctx, err)
	}
	defer context.AfterFunc(ctx, func() { _ = d.raw.Close() })()
	if err := u.takeAll(ctx, d); err != nil {
		_ = d.raw.Close()
		return causeOf(ctx, err)
	}
	_ = d.finish() // it has said all it had to say; clients wait for our end before they read the reply
	if u.s.proxied {
		wait(ctx, proxyPause)
	}
	return causeOf(ctx, u.whole(d))
}

// takeAll stages all bytes until the end of the connection.
func (u *upload) takeAll(ctx context.Context, d *dataConn) error {
	g := u.s.g
	buf := g.buffers.get()
	defer g.buffers.put(buf)
	direct := u.direct(d)
	for {
		var err error
		if direct != nil && u.t.moved.Load() >= directFrom {
			err = u.takeDirect(direct, d)
			if errors.Is(err, errors.ErrUnsupported) {
				direct = nil
				continue
			}
		} else {
			err = u.takeNext(ctx, d, buf[:])
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = u.checkpoint(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// takeNext stages the next piece; io.EOF behind the last.
func (u *upload) takeNext(ctx context.Context, d *dataConn, buf []byte) error {
	n, came := d.next(buf, u.s.g.o.Stall)
	if n > 0 {
		if err := u.take(ctx, buf[:n]); err != nil {
			return err
		}
	}
	return broken(came)
}

// broken says of an error of the data connection that it is one.
func broken(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, errStalled) {
		return err
	}
	return errors.Join(errCut, err)
}

// take stages one piece, within the user's limits.
func (u *upload) take(ctx context.Context, p []byte) error {
	limits, pace := u.user.Limits, u.s.g.paces.of(u.user.Name, "in")
	if most := int64(limits.FileSize); most > 0 && u.staged.Size()+int64(len(p)) > most {
		return errTooLarge(most)
	}
	if !u.spend(pace, int64(len(p))) {
		return answerf(552, "you may upload %s a day, and have", limits.Daily)
	}
	if _, err := u.staged.Write(p); err != nil {
		return fmt.Errorf("stage: %w", err)
	}
	u.prove(p)
	u.moved(len(p))
	return pace.wait(ctx, int64(len(p)), int64(limits.Rate))
}

func (u *upload) moved(n int) {
	u.t.moved.Add(int64(n))
	u.s.g.metrics.in.Add(float64(n))
}

// spend counts n bytes of the user's day, at all gates.
func (u *upload) spend(pace *pace, n int64) bool {
	most := int64(u.user.Limits.Daily)
	if most <= 0 {
		return true
	}
	u.s.g.nudge()
	left := most - u.s.g.paces.elsewhere(u.user.Name)
	return left > 0 && pace.spend(n, left)
}

func errTooLarge(most int64) error {
	return answerf(552, "a file of yours may have %d bytes at most", most)
}

// roomFor refuses early what was declared and cannot be taken.
func (u *upload) roomFor(ctx context.Context, declared int64) error {
	if most := int64(u.user.Limits.FileSize); most > 0 && declared > most {
		return errTooLarge(most)
	}
	if declared == 0 {
		return nil
	}
	free, total, err := u.to.folder.Store.Space(ctx)
	if err == nil && total > 0 && declared > free {
		return answerf(452, "only %d bytes are free", free)
	}
	return nil
}

// whole decides whether the data that came are all. A client that was killed has ended its data like one that is done; but it has
// lost its control connection, too.
func (u *upload) whole(d *dataConn) error {
	s := u.s
	if d.ended != nil && !d.saidEnd() && !s.g.o.AllowCutTLS {
		return errCutShort
	}
	l, err := s.c.state()
	if err != nil {
		return errReset
	}
	if !l.open() {
		return errGone
	}
	came := u.t.moved.Load()
	if s.declared > 0 && !s.ascii && max(came, u.staged.Size()) < s.declared {
		return errors.Join(errCutShort, answerf(426, "%d bytes were declared, only %d came", s.declared, came))
	}
	return nil
}
