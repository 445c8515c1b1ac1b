package ftpgate

import (
	"context"
	"sync"
)

// uploads are those in hand in this gate.
type uploads struct {
	mu  sync.Mutex
	all map[*upload]chan struct{}
}

func newUploads() *uploads { return &uploads{all: map[*upload]chan struct{}{}} }

// begin registers an upload; done forgets it, when what it leaves is kept.
func (l *uploads) begin(u *upload) (done func()) {
	ended := make(chan struct{})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[u] = ended
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.all, u)
		close(ended)
	}
}

// of are the uploads of one name in hand, and their ends.
func (l *uploads) of(name uploadName) map[*upload]<-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := map[*upload]<-chan struct{}{}
	for u, ended := range l.all {
		if u.name() == name {
			found[u] = ended
		}
	}
	return found
}

// size is how much there is of an upload of that name in hand; 0 when there is none.
func (l *uploads) size(name uploadName) int64 {
	var most int64
	for u := range l.of(name) {
		most = max(most, u.base+u.t.moved.Load())
	}
	return most
}

// takeOver ends the same user's older uploads to the same place, since this one is to go on with what they have: their client lost
// its connection, and the gate has not noticed yet.
func (u *upload) takeOver() error {
	ctx, cancel := context.WithTimeout(u.s.ctx, cleanupTimeout)
	defer cancel()
	for other, ended := range u.s.g.uploads.of(u.name()) {
		other.s.cancel(errTakenOver)
		select {
		case <-ended:
		case <-ctx.Done():
			return answerf(450, "another session of yours still uploads it")
		}
	}
	return nil
}
