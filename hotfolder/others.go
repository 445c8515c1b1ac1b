package hotfolder

import (
	"slices"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// On a share no event tells a node what came, and a look by each of many nodes costs its server that many. So one of them looks at the
// folders of a hotfolder as soon as they change, and tells the others of drops that are theirs; those look now and then, for what it has not seen
// or could not tell.

const (
	maxFinds = 1000            // drops that a look tells of
	lately   = 5 * time.Second // before the newest thing in a folder, by the store's clock: what is older was there at an earlier look
)

// looksForAll reports whether this node is the one that looks.
func (f *folder) looksForAll() bool { return f.mine(asset.Root) }

// Seen says that another node has seen a drop of this node, which is then looked at without waiting for this node's own looks. Nothing is
// known of whether it is whole.
func (r *Room) Seen(hotfolder string, key asset.Key) {
	f := r.named(hotfolder)
	if f == nil || f.filter.Ignored(key) != "" {
		return
	}
	f.near.hear(f.prefix.Join(key).Dir())
	f.offer(key, time.Now(), false)
}

// finds are drops of other nodes in a folder, of which the last that came are told. A nil *finds takes none.
type finds struct {
	newest time.Time
	all    []storage.Object
}

func (l *finds) add(o storage.Object) {
	if l == nil || o.Changed.Before(l.newest.Add(-lately)) {
		return
	}
	if o.Changed.After(l.newest) {
		l.newest = o.Changed
	}
	if l.all = append(l.all, o); len(l.all) >= 2*maxFinds {
		l.last()
	}
}

// last are those that came last.
func (l *finds) last() []storage.Object {
	l.all = slices.DeleteFunc(l.all, func(o storage.Object) bool { return o.Changed.Before(l.newest.Add(-lately)) })
	if len(l.all) > maxFinds {
		slices.SortFunc(l.all, func(a, b storage.Object) int { return b.Changed.Compare(a.Changed) })
		l.all = l.all[:maxFinds]
	}
	return l.all
}

// tell tells of drops of others, of each version once.
func (l *looks) tell(others *finds) {
	if others == nil {
		return
	}
	for _, o := range others.last() {
		if l.passed[o.Key] == o.Version {
			continue
		}
		if len(l.passed) >= maxTold {
			clear(l.passed)
		}
		l.passed[o.Key] = o.Version
		if key, ok := o.Key.Below(l.f.prefix); ok {
			l.f.r.d.Tell(l.f.rule.Hotfolder, key)
		}
	}
}
