package s3

import (
	"context"
	"math/rand/v2"
	"time"
)

// Requests that may be repeated are tried so often, with pauses that double up to the longest.
const (
	tries     = 5
	pause     = 50 * time.Millisecond
	longPause = time.Second
)

// again repeats what changes nothing when it is done twice, while its errors are of the kind that pass.
func again(ctx context.Context, do func() error) error {
	for n := 1; ; n++ {
		err := do()
		if n == tries || !passing(ctx, err) {
			return err
		}
		if !rest(ctx, n) {
			return err
		}
	}
}

// rest waits before the try after the n-th, with jitter. It reports whether ctx still stands.
func rest(ctx context.Context, n int) bool {
	d := min(pause<<(n-1), longPause)
	t := time.NewTimer(d/2 + rand.N(d/2))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
