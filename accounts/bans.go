package accounts

import (
	"math"
	"net/netip"
	"sync"
	"time"
)

// How wrong passwords are answered.
const (
	banAfter   = 15               // wrong passwords in the window
	banWindow  = 30 * time.Minute // in which they are counted
	banTime    = 30 * time.Minute // of the first ban; each one that follows is half as long again
	banLongest = 24 * time.Hour
	maxCounted = 20_000 // addresses that are remembered

	firstSlow = time.Second // after a wrong password; doubles with each one
	lastSlow  = 8 * time.Second
)

// Bans counts wrong passwords and tokens in this process, and reckons with those that other nodes have told it of. Make one with
// [NewBans]; safe for concurrent use.
type Bans struct {
	mu     sync.Mutex
	now    func() time.Time
	seen   map[string]*counted
	others map[string]map[string]Counted // by node and network
	told   chan struct{}                 // has a signal when there is something to tell
}

// counted is what is known of one address.
type counted struct {
	wrong int
	since time.Time // when the window began
	until time.Time // of the ban
	bans  int
}

// Counted is what one node knows of one network, for the others.
type Counted struct {
	Network string    `json:"network"`
	Wrong   int       `json:"wrong,omitempty"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // of a ban
	Bans    int       `json:"bans,omitempty"`
}

// NewBans makes a counter that knows nobody.
func NewBans() *Bans {
	return &Bans{now: time.Now, seen: map[string]*counted{}, others: map[string]map[string]Counted{}, told: make(chan struct{}, 1)}
}

// Banned tells how long an address is still refused; 0 when it is not.
func (b *Bans) Banned(address string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := network(address)
	_, until := b.elsewhere(key)
	if c := b.seen[key]; c != nil && c.until.After(until) {
		until = c.until
	}
	return max(0, until.Sub(b.now()))
}

// elsewhere is what other nodes have told of a network; mu is held.
func (b *Bans) elsewhere(key string) (wrong int, until time.Time) {
	for _, list := range b.others {
		c := list[key]
		if b.now().Sub(c.Since) <= banWindow {
			wrong += c.Wrong
		}
		if c.Until.After(until) {
			until = c.Until
		}
	}
	return wrong, until
}

// Failed counts a wrong password and tells how many there are now. It may ban the address.
func (b *Bans) Failed(address string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.nudge()
	now, key := b.now(), network(address)
	c := b.seen[key]
	if c == nil {
		b.makeRoom(now)
		c = &counted{since: now}
		b.seen[key] = c
	}
	if now.Sub(c.since) > banWindow {
		c.wrong, c.since = 0, now
	}
	c.wrong++
	elsewhere, _ := b.elsewhere(key)
	if c.wrong+elsewhere >= banAfter && !c.until.After(now) {
		c.until = now.Add(banLength(c.bans))
		c.bans++
		c.wrong, c.since = 0, c.until
		return banAfter
	}
	return c.wrong + elsewhere
}

// makeRoom forgets a tenth at once, so that a flood of addresses costs little: those who have done nothing for long, then those who
// are not banned, then anybody; mu is held.
func (b *Bans) makeRoom(now time.Time) {
	if len(b.seen) < maxCounted {
		return
	}
	for _, may := range []func(*counted) bool{
		func(c *counted) bool { return now.Sub(c.since) > banWindow && now.Sub(c.until) > banWindow },
		func(c *counted) bool { return !c.until.After(now) },
		func(*counted) bool { return true },
	} {
		for key, c := range b.seen {
			if len(b.seen) < maxCounted*9/10 {
				return
			}
			if may(c) {
				delete(b.seen, key)
			}
		}
	}
}

func banLength(before int) time.Duration {
	return min(banLongest, time.Duration(float64(banTime)*math.Pow(1.5, float64(min(before, 20)))))
}

// network is what is counted for an address: an IPv6 client has a whole network of them.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Is4() {
		return address
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}

// Slow is how long the answer to a wrong password takes, by their number.
func Slow(count int) time.Duration {
	return min(lastSlow, firstSlow<<min(max(count-1, 0), 10))
}
