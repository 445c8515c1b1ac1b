package ftpgate

import (
	"sync"

	"hotfolderd/asset"
)

// stuck are stored uploads of this gate that could not be given their name.
type stuck struct {
	asked chan struct{} // somebody is to try again

	mu  sync.Mutex
	all map[asset.Key]bool
}

func newStuck() *stuck { return &stuck{asked: make(chan struct{}, 1), all: map[asset.Key]bool{}} }

func (s *stuck) add(at asset.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[at] = true
	s.ask()
}

func (s *stuck) has(at asset.Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[at]
}

// drop forgets one that has its name.
func (s *stuck) drop(at asset.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, at)
}

// askIfAny has those that are left tried again, and reports whether there are any.
func (s *stuck) askIfAny() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) > 0 {
		s.ask()
	}
	return len(s.all) > 0
}

func (s *stuck) ask() {
	select {
	case s.asked <- struct{}{}:
	default:
	}
}
