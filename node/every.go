package node

import (
	"context"
	"time"
)

// every calls do once in each interval until ctx ends; the first time after one interval.
func every(ctx context.Context, interval time.Duration, do func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}
