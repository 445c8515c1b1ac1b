package workarea

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/leases"
	"hotfolderd/storage"
)

const (
	// DefaultTenureEvery is the time between two looks of a holder. Each is paid for.
	DefaultTenureEvery = 20 * time.Second
	// DefaultTenurePatience is how long a newcomer waits for the holder's answer before it takes it for dead.
	DefaultTenurePatience = 3 * DefaultTenureEvery
	// freshLooks is after how many looks without an answer of the store the holder does not count on being it any more.
	freshLooks = 2
)

// TenureOptions of [Area.Hold]. The zero value is for a node that is alone.
type TenureOptions struct {
	// Cluster names the cluster whose nodes hold the tenure together; empty: one node holds it alone.
	Cluster string
	// Machine is a secret of a place where only one node can be alone, by a lock that it holds there. A holder from there is dead for
	// certain. Empty: nothing is known.
	Machine string
	// Saw is told by Run what each look found beside the tenure; nil: nobody wants to know.
	Saw func(context.Context, Look)
	// Every and Patience replace the defaults, in tests.
	Every, Patience time.Duration
}

// Tenure is the right to take a work area for one's own, where no lock can say that somebody has: in a bucket. It is a number that only
// grows, taken by creating its object if absent. A newcomer asks the holder for a sign of life, by an object that the holder removes;
// when it gets none for long enough by its own clock it takes the next number. So no clocks are compared, and an idle holder writes
// nothing.
//
// It keeps caches true and people from confusion. What is imported once stays so without it: a holder that was stopped and goes on may
// not know for one more look that another has come, and then the ledger decides, as ever.
type Tenure struct {
	a      *Area
	o      TenureOptions
	number uint64
	began  time.Time
	looked atomic.Int64 // when the last good look began, since began
	over   atomic.Bool  // another has it

	identity string // of the store, as the last look of Run told it
}

// holder is the content of a tenure.
type holder struct {
	Node    string    `json:"node"`
	Cluster string    `json:"cluster,omitempty"`
	Machine string    `json:"machine,omitempty"`
	Time    time.Time `json:"time"` // for people
}

// Hold waits until it is known whether somebody holds the work area, and takes it. It wraps [leases.ErrHeld], and says who, when one
// lives that is not of the same cluster. Close gives it back.
func (a *Area) Hold(ctx context.Context, o TenureOptions) (*Tenure, error) {
	o.Every, o.Patience = cmp.Or(o.Every, DefaultTenureEvery), cmp.Or(o.Patience, DefaultTenurePatience)
	t := &Tenure{a: a, o: o, began: time.Now()}
	for {
		t.looked.Store(int64(time.Since(t.began)))
		seen, err := a.tenures(ctx)
		if err == nil {
			err = t.succeed(ctx, seen)
		}
		switch {
		case errors.Is(err, fs.ErrExist):
			continue // somebody was quicker: who is it?
		case err != nil:
			return nil, fmt.Errorf("hold the work area: %w", err)
		}
		t.prune(ctx)
		return t, nil
	}
}

// succeed takes the next number when the holder of the highest one is gone, or joins it. fs.ErrExist: look again.
func (t *Tenure) succeed(ctx context.Context, seen tenures) error {
	if seen.top > 0 && !seen.ended {
		h, err := t.a.holder(ctx, seen.top)
		switch {
		case err != nil:
			return err
		case t.o.Cluster != "" && h.Cluster == t.o.Cluster:
			t.number = seen.top
			return nil
		case h.Cluster != "" || t.o.Machine == "" || h.Machine != t.o.Machine:
			if err := t.ask(ctx, seen.top, h); err != nil {
				return err
			}
		}
	}
	t.number = seen.top + 1
	t.looked.Store(int64(time.Since(t.began)))
	return t.a.putSmall(ctx, t.a.tenureKey(t.number, ""), holder{t.a.node, t.o.Cluster, t.o.Machine, t.a.now().UTC()})
}

// ask returns nil when the holder gives no sign of life.
func (t *Tenure) ask(ctx context.Context, number uint64, h holder) error {
	question := t.a.tenureKey(number, askMark+rand.Text())
	if err := t.a.putSmall(ctx, question, holder{Node: t.a.node, Time: t.a.now().UTC()}); err != nil {
		return err
	}
	t.a.log.Info("asking whether the last one to work on this bucket still does",
		zap.String("node", h.Node), zap.String("cluster", h.Cluster), zap.Duration("patience", t.o.Patience))
	for end := time.Now().Add(t.o.Patience); ; {
		_, err := t.a.store.Stat(ctx, question)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%s works on it: %w", h, leases.ErrHeld)
		case err == nil && time.Now().After(end):
			return nil
		case err != nil && time.Now().After(end):
			return err
		}
		if err := pause(ctx, t.o.Patience/20); err != nil {
			return err
		}
	}
}

func (h holder) String() string {
	if h.Cluster != "" {
		return "the cluster " + strconv.Quote(h.Cluster)
	}
	return "node " + strconv.Quote(h.Node) + ", which is alone,"
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// Run looks from time to time whether the tenure is still ours, and answers who asks. One [Look] does for all that is looked at in the
// work area. It returns nil when ctx ends, and an error that
// wraps [leases.ErrLost] when another has come: nothing must be done any more.
func (t *Tenure) Run(ctx context.Context) error {
	for pause(ctx, t.o.Every) == nil {
		begin := time.Since(t.began)
		look, err := t.a.look(ctx)
		if err != nil {
			continue // Fresh tells
		}
		if t.ours(ctx, look) {
			if look.tenures.top != t.number {
				return t.lost(ctx, look.tenures.top)
			}
			t.looked.Store(int64(begin))
			t.answer(ctx, look.tenures.asked)
		}
		if t.o.Saw != nil {
			t.o.Saw(ctx, look)
		}
	}
	return nil
}

// ours reports whether this is the store that the tenure is of. One that was cleared, or is another one, was taken by nobody.
func (t *Tenure) ours(ctx context.Context, l Look) bool {
	if l.Identity != t.identity && t.a.CheckIdentity(ctx) == nil {
		t.identity = l.Identity
	}
	return l.Identity != "" && l.Identity == t.identity
}

// answer gives a sign of life to those who asked for one.
func (t *Tenure) answer(ctx context.Context, questions []asset.Key) {
	for _, question := range questions {
		if err := t.a.store.Remove(ctx, question, ""); err == nil {
			t.a.log.Warn("another node wanted this bucket for its own, and was told that it is taken")
		}
	}
}

func (t *Tenure) lost(ctx context.Context, top uint64) error {
	t.over.Store(true)
	who := "another"
	if h, err := t.a.holder(ctx, top); err == nil {
		who = h.String()
	}
	return fmt.Errorf("%s took this bucket, since this node gave no sign of life for too long: %w", who, leases.ErrLost)
}

// Fresh reports whether the tenure was seen to be ours not long ago. When false, another may change what is kept in memory here.
func (t *Tenure) Fresh() bool {
	return time.Since(t.began)-time.Duration(t.looked.Load()) < freshLooks*t.o.Every
}

// Close gives the tenure back: the next one need not ask. What a cluster holds is given back by nobody.
func (t *Tenure) Close(ctx context.Context) error {
	if t.o.Cluster != "" || t.over.Load() {
		return nil
	}
	err := t.a.putSmall(ctx, t.a.tenureKey(t.number, endMark), holder{Node: t.a.node, Time: t.a.now().UTC()})
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("give the work area back: %w", err)
	}
	return nil
}

// prune takes away what belongs to lower numbers. What is left over by a fault goes the next time.
func (t *Tenure) prune(ctx context.Context) {
	seen, err := t.a.tenures(ctx)
	if err != nil {
		return
	}
	for _, key := range seen.old {
		if t.a.store.Remove(ctx, key, "") != nil {
			return
		}
	}
}

// putSmall creates an object of one line of JSON.
func (a *Area) putSmall(ctx context.Context, key asset.Key, v any) error {
	line, err := encodeLine(v)
	if err != nil {
		return err
	}
	_, err = a.store.Put(ctx, key, bytes.NewReader(line), storage.PutOptions{IfAbsent: true})
	return err
}

func (a *Area) holder(ctx context.Context, number uint64) (h holder, err error) {
	data, err := a.readSmall(ctx, a.tenureKey(number, ""))
	if errors.Is(err, fs.ErrNotExist) {
		return h, fmt.Errorf("%w: %w", fs.ErrExist, err) // pruned: there is a higher one
	}
	if err == nil {
		err = json.Unmarshal(data, &h)
	}
	return h, err
}
