package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hashicorp/consul/api"
)

// Txn does all of at most 128 operations or none; ok is false when one of them refused. What the ACL token may not do is an
// error, see [Denied].
func (c *Conn) Txn(ctx context.Context, ops api.KVTxnOps) (ok bool, results []*api.KVPair, err error) {
	res, err := c.txn(ctx, ops)
	if err == nil && res.denied() {
		err = res.why()
	}
	return res.ok, res.Results, err
}

// txnResult is the answer to a transaction: what was done, or what was refused.
type txnResult struct {
	ok bool
	api.KVTxnResponse
}

func (c *Conn) txn(ctx context.Context, ops api.KVTxnOps) (res txnResult, err error) {
	err = c.Do(ctx, func(ctx context.Context, cl *api.Client) error {
		ok, got, _, err := cl.KV().Txn(ops, new(api.QueryOptions).WithContext(ctx))
		if err == nil {
			res = txnResult{ok, *got}
		}
		return err
	})
	return res, err
}

// denied: Consul says it as the reason of a refused operation, in words only, and a read leaves out what is hidden.
func (r txnResult) denied() bool {
	for _, e := range r.Errors {
		if strings.HasPrefix(e.What, "Permission denied") {
			return true
		}
	}
	return false
}

// why is what was refused, in Consul's words.
func (r txnResult) why() error {
	if r.denied() {
		return api.StatusError{Code: http.StatusForbidden, Body: r.Errors[0].What}
	}
	if len(r.Errors) == 0 {
		return errors.New("consul left out a part of the answer: the ACL token may not see all of it")
	}
	return fmt.Errorf("consul refuses: %s", r.Errors[0].What)
}
