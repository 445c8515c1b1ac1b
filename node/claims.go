package node

import (
	"context"
	"errors"
	"fmt"

	"hotfolderd/asset"
	"hotfolderd/leases"
)

// Partitions is into how many parts the drops of a namespace are divided among the nodes.
const Partitions = 256

// partitions are the leases on the parts that this node walks.
type partitions struct {
	held [Partitions]leases.Lease // nil: another node's
}

// claimAll takes every partition, as a node that is alone does.
func claimAll(ctx context.Context, l leases.Leaser, namespace string) (*partitions, error) {
	names := make([]string, Partitions)
	for i := range names {
		names[i] = fmt.Sprintf("p/%s/%d", namespace, i)
	}
	grants, err := l.Acquire(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("take the partitions: %w", err)
	}
	p := &partitions{}
	var errs []error
	for i, g := range grants {
		p.held[i] = g.Lease
		errs = append(errs, g.Err)
	}
	return p, errors.Join(errs...)
}

// Claim implements hotfolder.Claims. Nobody waits for the end of a walk: a node that is alone gives no partition away.
func (p *partitions) Claim(hotfolder string, key asset.Key) (leases.Lease, func()) {
	l := p.of(hotfolder, key)
	if l == nil {
		return nil, nil
	}
	return l, func() {}
}

// Mine implements hotfolder.Claims.
func (p *partitions) Mine(hotfolder string, key asset.Key) bool { return p.of(hotfolder, key) != nil }

// of is the lease on a drop's partition, nil when it is not held.
func (p *partitions) of(hotfolder string, key asset.Key) leases.Lease {
	l := p.held[asset.Partition(hotfolder, key, Partitions)]
	if l == nil || l.Context().Err() != nil {
		return nil
	}
	return l
}
