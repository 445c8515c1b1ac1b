package ftpgate

import (
	"context"
	"strings"
	"sync"
	"time"
)

// paces are the speeds and the daily sums of users, over all their sessions.
type paces struct {
	mu     sync.Mutex
	all    map[string]*pace
	others map[string]map[string]Spent // of other gates, by node and user
}

func newPaces() *paces { return &paces{all: map[string]*pace{}, others: map[string]map[string]Spent{}} }

// inward are the paces of uploads, by user; mu is held.
func (p *paces) inward() map[string]*pace {
	found := map[string]*pace{}
	for key, x := range p.all {
		if user, ok := strings.CutPrefix(key, "in"); ok {
			found[user] = x
		}
	}
	return found
}

// elsewhere is what a user has spent today at other gates.
func (p *paces) elsewhere(user string) (sum int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, spent := range p.others {
		if s := spent[user]; s.Day == today() {
			sum += s.Bytes
		}
	}
	return sum
}

// of is the pace of a user in one direction. There are as many as users.
func (p *paces) of(user, direction string) *pace {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := direction + user
	if p.all[key] == nil {
		p.all[key] = &pace{}
	}
	return p.all[key]
}

type pace struct {
	mu    sync.Mutex
	next  time.Time // when the next byte may move
	day   int       // see [Spent]
	spent int64     // bytes on that day
}

// wait returns when n more bytes are in time at rate bytes per second; 0 is no limit.
func (p *pace) wait(ctx context.Context, n, rate int64) error {
	if rate <= 0 {
		return nil
	}
	d := p.reserve(time.Now(), n, rate)
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// reserve is how long n bytes take from now, behind those that are on their way.
func (p *pace) reserve(now time.Time, n, rate int64) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(time.Duration(float64(n) / float64(rate) * float64(time.Second)))
	return p.next.Sub(now)
}

// spend counts n bytes of today; false when they would be more than most, 0 being no limit.
func (p *pace) spend(n, most int64) bool {
	if most <= 0 {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if day := today(); day != p.day {
		p.day, p.spent = day, 0
	}
	if p.spent+n > most {
		return false
	}
	p.spent += n
	return true
}

func (p *pace) sum() Spent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Spent{p.day, p.spent}
}

func (p *pace) restore(s Spent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.Day == today() && p.day != s.Day {
		p.day, p.spent = s.Day, s.Bytes
	}
}
