package consul

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases"
)

// batch is the most names in one transaction. Consul takes 128 operations.
const batch = 64

// After a session's end its names stay locked for [lockDelay], which nobody is told the end of: it is waited for.
const (
	delayPause = 2 * time.Millisecond // doubles
	delayTries = 4
)

// take decides about each name that was asked for: it gets a token or an error.
func (l *Leaser) take(ctx context.Context, s *Session, asked []*lease) error {
	nonce := l.nonce()
	for chunk := range slices.Chunk(waiting(asked), batch) {
		epoch, err := l.refuseHeld(ctx, s, chunk)
		if err != nil {
			return err
		}
		if err := l.lockAll(ctx, s, chunk, epoch, nonce); err != nil {
			return err
		}
	}
	return nil
}

// lockAll asks until every name was decided about.
func (l *Leaser) lockAll(ctx context.Context, s *Session, asked []*lease, epoch uint64, nonce []byte) error {
	delays, pause := 0, delayPause
	for rest := waiting(asked); len(rest) > 0; rest = waiting(rest) {
		delayed, err := l.lock(ctx, s, rest, epoch, nonce)
		if err != nil {
			return err
		}
		if len(delayed) == 0 {
			continue
		}
		if delays++; delays > delayTries {
			refuse(delayed)
			continue
		}
		sleep(ctx, pause)
		pause *= 2
	}
	return nil
}

// refuseHeld reads who holds the names, and the epoch of now. A refused lock is written to Consul's log too; a read is not.
func (l *Leaser) refuseHeld(ctx context.Context, s *Session, asked []*lease) (epoch uint64, err error) {
	ops := api.KVTxnOps{{Verb: api.KVGetOrEmpty, Key: l.epochs.key}}
	for _, g := range asked {
		ops = append(ops, &api.KVTxnOp{Verb: api.KVGetOrEmpty, Key: l.prefix + g.name})
	}
	res, err := l.conn.txn(ctx, ops)
	if err != nil {
		return 0, err
	}
	if len(res.Results) != len(ops) {
		return 0, fmt.Errorf("read the holders of %d leases: %w", len(asked), res.why())
	}
	for i, now := range res.Results[1:] {
		if now.Session != "" && now.Session != s.id {
			refuse(asked[i : i+1])
		}
	}
	return l.epochs.now(string(res.Results[0].Value))
}

func refuse(asked []*lease) {
	for _, g := range asked {
		g.err = held(g.name)
	}
}

// lock asks for all at once. What is refused gets an error or is delayed; the rest then has neither error nor token and is to
// be asked for again.
func (l *Leaser) lock(ctx context.Context, s *Session, asked []*lease, epoch uint64, nonce []byte) (delayed []*lease, err error) {
	ops := make(api.KVTxnOps, len(asked))
	for i, g := range asked {
		ops[i] = &api.KVTxnOp{Verb: api.KVLock, Key: l.prefix + g.name, Value: nonce, Session: s.id}
	}
	res, err := l.conn.txn(ctx, ops)
	switch {
	case err != nil:
		return nil, err
	case res.ok:
		return nil, locked(asked, epoch, res)
	case len(res.Errors) == 0:
		return nil, res.why()
	}
	for _, e := range res.Errors {
		switch {
		case e.OpIndex < len(asked) && strings.Contains(e.What, "lock is already held"):
			refuse(asked[e.OpIndex : e.OpIndex+1])
		case e.OpIndex < len(asked) && strings.Contains(e.What, "due to lock delay"):
			delayed = append(delayed, asked[e.OpIndex])
		default:
			return nil, l.fault(s, res)
		}
	}
	return delayed, nil
}

func locked(asked []*lease, epoch uint64, res txnResult) error {
	if len(res.Results) != len(asked) {
		return fmt.Errorf("lock %d leases: consul answered for %d", len(asked), len(res.Results))
	}
	for i, g := range asked {
		g.token = leases.Token{Epoch: epoch, Index: res.Results[i].ModifyIndex}
	}
	return nil
}

// fault is the reason why nothing at all is granted. Consul has no code for it, only words.
func (l *Leaser) fault(s *Session, res txnResult) error {
	err := res.why()
	if strings.Contains(err.Error(), "invalid session") {
		return fmt.Errorf("%w: consul does not know session %s", leases.ErrLost, s.id)
	}
	return err
}
