package consul

import (
	"bytes"
	"context"

	"github.com/hashicorp/consul/api"
)

func write(ctx context.Context) *api.WriteOptions { return new(api.WriteOptions).WithContext(ctx) }

// consistent reads what the leader has made sure of; for decisions.
func consistent(ctx context.Context) *api.QueryOptions {
	return (&api.QueryOptions{RequireConsistent: true}).WithContext(ctx)
}

// Get reads one key consistently; nil when there is none.
func (c *Conn) Get(ctx context.Context, key string) (pair *api.KVPair, err error) {
	err = c.Do(ctx, func(ctx context.Context, cl *api.Client) error {
		var meta *api.QueryMeta
		pair, meta, err = cl.KV().Get(key, consistent(ctx))
		return unfiltered(meta, err)
	})
	return pair, err
}

// List reads all keys below a prefix consistently.
func (c *Conn) List(ctx context.Context, prefix string) (pairs api.KVPairs, err error) {
	err = c.Do(ctx, func(ctx context.Context, cl *api.Client) error {
		var meta *api.QueryMeta
		pairs, meta, err = cl.KV().List(prefix, consistent(ctx))
		return unfiltered(meta, err)
	})
	return pairs, err
}

// Put writes one key whatever is there.
func (c *Conn) Put(ctx context.Context, key string, value []byte) error {
	return c.Do(ctx, func(ctx context.Context, cl *api.Client) error {
		_, err := cl.KV().Put(&api.KVPair{Key: key, Value: value}, write(ctx))
		return err
	})
}

// CAS writes the pair when the key was last modified at pair.ModifyIndex (0: when there is none) and returns the index of
// what was written. Values must differ from one write to the next: a no after a try without an answer is settled by
// reading back whether the value is ours.
func (c *Conn) CAS(ctx context.Context, pair *api.KVPair) (index uint64, ok bool, err error) {
	ops := api.KVTxnOps{{Verb: api.KVCAS, Key: pair.Key, Value: pair.Value, Flags: pair.Flags, Index: pair.ModifyIndex}}
	return c.one(ctx, ops, pair.Value)
}

// Acquire writes the key under the session, when no other session holds it, and returns the index. The session may hold it
// already.
func (c *Conn) Acquire(ctx context.Context, session, key string, value []byte) (index uint64, ok bool, err error) {
	return c.one(ctx, api.KVTxnOps{{Verb: api.KVLock, Key: key, Value: value, Session: session}}, value)
}

// one does a transaction that writes one key.
func (c *Conn) one(ctx context.Context, ops api.KVTxnOps, value []byte) (index uint64, ok bool, err error) {
	ok, results, err := c.Txn(ctx, ops)
	if err != nil {
		return 0, false, err
	}
	if ok {
		return results[0].ModifyIndex, true, nil
	}
	now, err := c.Get(ctx, ops[0].Key)
	if err != nil || now == nil || !bytes.Equal(now.Value, value) {
		return 0, false, err
	}
	if s := ops[0].Session; s != "" && now.Session != s {
		return 0, false, nil
	}
	return now.ModifyIndex, true, nil
}

// Delete removes a key; that there is none is no error.
func (c *Conn) Delete(ctx context.Context, key string) error {
	return c.Do(ctx, func(ctx context.Context, cl *api.Client) error {
		_, err := cl.KV().Delete(key, write(ctx))
		return err
	})
}
