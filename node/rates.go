package node

import (
	"context"
	"sync"
	"time"
)

const (
	rateTick  = time.Second
	rateTicks = 60
)

// rates counts imports per hotfolder over the last minute.
type rates struct {
	mu   sync.Mutex
	now  int
	ring map[string]*[rateTicks]int
}

func newRates() *rates { return &rates{ring: map[string]*[rateTicks]int{}} }

func (r *rates) count(hotfolder string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ring[hotfolder] == nil {
		r.ring[hotfolder] = &[rateTicks]int{}
	}
	r.ring[hotfolder][r.now]++
}

// perSecond is the mean of the last minute.
func (r *rates) perSecond(hotfolder string) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	ring := r.ring[hotfolder]
	if ring == nil {
		return 0
	}
	sum := 0
	for _, n := range ring {
		sum += n
	}
	return float64(sum) / (rateTicks * rateTick.Seconds())
}

// run moves the minute on until ctx ends.
func (r *rates) run(ctx context.Context) {
	every(ctx, rateTick, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.now = (r.now + 1) % rateTicks
		for _, ring := range r.ring {
			ring[r.now] = 0
		}
	})
}
