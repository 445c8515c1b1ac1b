package invalidation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"hotfolderd/leases/consul"
)

const holdPause = time.Second

// Publish makes a log for a client that is no member, which publishes what it changes and caches nothing. Until the close that is
// returned, the client is known to the members by a key under the keeper's session; when it dies before, a member publishes what it
// left open. ctx bounds only the start. Conn and PublishOnly of the options are set here.
//
// close publishes everything, closes the log and lets the key go. The error says that this was not possible in time; a member
// does it then, when the session has ended. Close it once, before the keeper.
func Publish(ctx context.Context, conn *consul.Conn, keeper *consul.Keeper, o Options) (*Log, func(context.Context) error, error) {
	o.Conn, o.PublishOnly = conn, true
	l, err := New(o)
	if err != nil {
		return nil, nil, err
	}
	session := keeper.Current()
	if err := l.hold(ctx, session); err != nil {
		return nil, nil, fmt.Errorf("make this client known to the members: %w", err)
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx)) // ends with close
	var running sync.WaitGroup
	var ran error
	running.Go(func() { ran = l.Run(life) })
	running.Go(func() { l.holdOn(life, keeper, session) })
	return l, func(ctx context.Context) error {
		stop()
		if err := join(ctx, &running); err != nil {
			return fmt.Errorf("close the log of invalidations: %w", err)
		}
		return errors.Join(ran, conn.Delete(ctx, clientKey(o.Root, o.Instance)))
	}, nil
}

// hold makes the client's key.
func (l *Log) hold(ctx context.Context, s *consul.Session) error {
	_, ok, err := l.o.Conn.Acquire(ctx, s.ID(), clientKey(l.o.Root, l.o.Instance), []byte(l.o.Node))
	if err == nil && !ok {
		err = errors.New("another session holds its key, or this one has ended")
	}
	return err
}

// holdOn makes the key again under each new session.
func (l *Log) holdOn(ctx context.Context, keeper *consul.Keeper, s *consul.Session) {
	for ctx.Err() == nil {
		next, err := keeper.Next(ctx, s)
		if err != nil {
			return
		}
		if err = l.hold(ctx, next); err == nil {
			s = next
			continue
		}
		l.o.Log.Warn("this client is not known to the members; trying again", zap.Error(err))
		sleep(ctx, holdPause)
	}
}

// join waits for all of them, as long as ctx lasts.
func join(ctx context.Context, running *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
