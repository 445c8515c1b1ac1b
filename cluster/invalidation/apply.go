package invalidation

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"

	"go.uber.org/zap"
)

var errOlder = errors.New("it shows less than an earlier look")

// apply makes this node forget what one look says. What is not sure and shows less than an earlier look is left alone, with
// errOlder: the answer was overtaken, or Consul lost something. The turn is held.
func (r *reader) apply(ctx context.Context, g glance, sure bool) error {
	if !r.started {
		r.l.clear("the node starts")
		r.started = true
		r.adopt(g)
		return nil
	}
	if !sure && r.older(g) {
		return errOlder
	}
	reason := r.vanished(g)
	if reason == "" {
		var err error
		if reason, err = r.follow(ctx, g); err != nil {
			return err
		}
	}
	if reason != "" {
		r.clear(reason)
	}
	r.adopt(g)
	return nil
}

// older reports whether anything is missing, or as it was before. The holder of turn is the only one who changes origins.
func (r *reader) older(g glance) bool {
	for name, o := range r.origins {
		if now := g.heads[name]; now == nil || now.index < o.index {
			return true
		}
	}
	return g.counter.index < r.counter.index
}

// vanished says why everything must be forgotten because of logs that are gone, if it must. A log is removed when it has been
// closed for long, and the counter tells how many were: so those that came and went unseen show too.
func (r *reader) vanished(g glance) (reason string) {
	var known uint64
	for name, o := range r.origins {
		if g.heads[name] != nil {
			continue
		}
		if known++; !o.head.closed && !r.own(name) {
			return "the log of " + strconv.Quote(name) + " is gone before its end was seen"
		}
	}
	switch removed := g.counter.count - r.counter.count; {
	case g.counter.count < r.counter.count, removed < known:
		return "consul lost logs"
	case removed > known:
		return "logs came and went while consul was not heard"
	}
	return ""
}

func (r *reader) own(name string) bool {
	_, _, own := r.l.w.own(name)
	return own
}

// follow applies what is new in each log: first what the heads hold, then what must be fetched.
func (r *reader) follow(ctx context.Context, g glance) (reason string, err error) {
	var gaps []string
	for _, name := range slices.Sorted(maps.Keys(g.heads)) {
		now, applied := g.heads[name], r.applied(name)
		if now.foreign || r.own(name) {
			continue
		}
		marks, ok := now.head.after(applied)
		switch {
		case now.head.seq < applied:
			return "the log of " + strconv.Quote(name) + " went back", nil
		case !ok:
			gaps = append(gaps, name)
		case len(marks) > 0:
			r.forget(name, now, marks)
		}
	}
	for _, name := range gaps {
		marks, err := r.fetch(ctx, name, r.applied(name), g.heads[name].head)
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if err != nil {
			r.l.m.gaps.WithLabelValues("lost").Inc()
			return "events of " + strconv.Quote(name) + " are missing: " + err.Error(), nil
		}
		r.l.m.gaps.WithLabelValues("filled").Inc()
		r.forget(name, g.heads[name], marks)
	}
	return "", nil
}

func (r *reader) applied(name string) uint64 {
	if o := r.origins[name]; o != nil {
		return o.applied
	}
	return 0 // a log begins at 0
}

// forget applies events of one log, up to its head.
func (r *reader) forget(name string, now *origin, marks []uint64) {
	if slices.Contains(marks, clearMark) {
		r.clear("asked to, by " + strconv.Quote(name))
	} else {
		r.l.forget(marks...)
	}
	r.l.m.applied.Add(float64(len(marks)))
	r.l.o.Log.Debug("changes of another node are forgotten", zap.String("log", name), zap.Uint64("to", now.head.seq))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heardOf += uint64(len(marks))
	now.applied = now.head.seq
	r.origins[name] = now
	r.wake()
}

// wake lets those look again who wait for an event; mu is held.
func (r *reader) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *reader) clear(reason string) {
	r.l.clear(reason)
	r.l.m.clears.Inc()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clears++
	r.why = reason
}

// adopt takes a look as the newest: all that it shows is applied.
func (r *reader) adopt(g glance) {
	if r.replaced(g) {
		r.l.q.touch()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, now := range g.heads {
		now.applied = now.head.seq
		if now.foreign {
			now.applied = r.applied(name)
		}
	}
	r.origins, r.counter = g.heads, g.counter
	r.wake()
}

// replaced reports whether the log that is being written here was closed or lost: its writer should know soon.
func (r *reader) replaced(g glance) bool {
	for name := range r.origins {
		if _, current, _ := r.l.w.own(name); current && (g.heads[name] == nil || g.heads[name].head.closed) {
			return true
		}
	}
	return false
}
