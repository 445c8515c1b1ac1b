package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync"
	"time"

	"hotfolderd/cluster"
	"hotfolderd/config"
	"hotfolderd/workarea"
)

// publishedEvery is how often the store is asked for newer rules when no message says that there are any.
const publishedEvery = 20 * time.Second

// published are the rules in the store. They are looked for when a message comes, and now and then in case it was lost.
type published struct {
	area  *workarea.Area
	every time.Duration

	mu     sync.Mutex
	newest workarea.RuleSet
	next   time.Time // when to look again
}

// poke makes the next look go to the store.
func (p *published) poke() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = time.Time{}
}

// Mark implements RuleSource by the number of the newest set.
func (p *published) Mark(ctx context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Now().Before(p.next) {
		return strconv.Itoa(p.newest.Version), nil
	}
	newer, err := p.area.Rules(ctx, p.newest.Version)
	switch {
	case err == nil:
		p.newest = newer
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	p.next = time.Now().Add(p.every)
	return strconv.Itoa(p.newest.Version), nil
}

// Load implements RuleSource. Before the first set is published there is no hotfolder.
func (p *published) Load(ctx context.Context) ([]config.Rule, error) {
	if _, err := p.Mark(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	set := p.newest
	p.mu.Unlock()
	if set.Version == 0 {
		return nil, nil
	}
	rules, err := config.ReadRules(set.Files)
	if err != nil {
		return nil, fmt.Errorf("published rule set %d: %w", set.Version, err)
	}
	return rules, nil
}

// version is the number of the set that was loaded last.
func (p *published) version() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.newest.Version
}

// hearOfRules waits for messages that rules were published, until ctx ends.
func (n *Node) hearOfRules(ctx context.Context) {
	if p, ok := n.o.Rules.(*published); ok && n.together != nil {
		cluster.HearRules(ctx, n.together.conn, n.o.Settings.Cluster.Namespace, p.poke)
	}
}
