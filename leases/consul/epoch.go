package consul

import (
	"fmt"
	"strconv"
	"sync"
)

// epochs knows the first part of the tokens: what the settings say, or the key, when that is greater. Consul's indexes begin
// anew when its data were lost; then the key is missing, and nothing is granted until somebody has written a greater one.
type epochs struct {
	key string

	mu    sync.Mutex
	last  uint64
	found bool // the key was there once
}

// known is the last epoch that was in force.
func (e *epochs) known() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

// now is the epoch when the key has this value.
func (e *epochs) now(value string) (uint64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if value == "" {
		if e.found {
			return 0, fmt.Errorf("%s is gone from consul: its data were lost, and tokens must not shrink", e.key)
		}
		return e.last, nil
	}
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s in consul is no epoch: %w", e.key, err)
	}
	if n < e.last {
		return 0, fmt.Errorf("%s in consul went back from %d to %d, and tokens must not shrink", e.key, e.last, n)
	}
	e.last, e.found = n, true
	return n, nil
}
