package consul

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases"
)

// batch is the most names in one transaction.
const batch = 64

// take decides about each name that was asked for: it gets an index or an error.
func (l *Leaser) take(ctx context.Context, s *Session, asked []*lease) error {
	nonce := l.nonce()
	for chunk := range slices.Chunk(waiting(asked), batch) {
		if err := l.refuseHeld(ctx, s, chunk); err != nil {
			return err
		}
		for rest := waiting(chunk); len(rest) > 0; rest = waiting(rest) {
			if err := l.lock(ctx, s, rest, nonce); err != nil {
				return err
			}
		}
	}
	return nil
}

// refuseHeld reads who holds the names. A refused lock is written to Consul's log too; a read is not.
func (l *Leaser) refuseHeld(ctx context.Context, s *Session, asked []*lease) error {
	ops := make(api.KVTxnOps, len(asked))
	for i, g := range asked {
		ops[i] = &api.KVTxnOp{Verb: api.KVGetOrEmpty, Key: l.prefix + g.name}
	}
	res, err := l.conn.txn(ctx, ops)
	if err != nil {
		return err
	}
	if len(res.Results) != len(ops) {
		return fmt.Errorf("read the holders of %d leases: %w", len(ops), res.why())
	}
	for i, now := range res.Results {
		if now.Session != "" && now.Session != s.id {
			asked[i].err = held(asked[i].name)
		}
	}
	return nil
}

// lock asks for all at once. What is refused gets an error; the rest then has neither error nor index and is asked for again.
func (l *Leaser) lock(ctx context.Context, s *Session, asked []*lease, nonce []byte) error {
	ops := make(api.KVTxnOps, len(asked))
	for i, g := range asked {
		ops[i] = &api.KVTxnOp{Verb: api.KVLock, Key: l.prefix + g.name, Value: nonce, Session: s.id}
	}
	res, err := l.conn.txn(ctx, ops)
	switch {
	case err != nil:
		return err
	case res.ok:
		return l.locked(asked, res)
	case len(res.Errors) == 0:
		return res.why()
	}
	for _, refusal := range res.Errors {
		if !isHeld(refusal.What) || refusal.OpIndex >= len(asked) {
			return l.fault(s, res)
		}
		asked[refusal.OpIndex].err = held(asked[refusal.OpIndex].name)
	}
	return nil
}

func (l *Leaser) locked(asked []*lease, res txnResult) error {
	if len(res.Results) != len(asked) {
		return fmt.Errorf("lock %d leases: consul answered for %d", len(asked), len(res.Results))
	}
	for i, g := range asked {
		g.index = res.Results[i].ModifyIndex
	}
	return nil
}

// isHeld knows the two refusals of a lock that are no fault, by Consul's words; it has no code for them.
func isHeld(what string) bool {
	return strings.Contains(what, "lock is already held") || strings.Contains(what, "due to lock delay")
}

// fault is the reason why nothing at all is granted.
func (l *Leaser) fault(s *Session, res txnResult) error {
	err := res.why()
	if strings.Contains(err.Error(), "invalid session") {
		return fmt.Errorf("%w: consul does not know session %s", leases.ErrLost, s.id)
	}
	return err
}
