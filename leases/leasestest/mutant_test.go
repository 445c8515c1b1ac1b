package leasestest

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"hotfolderd/leases"
	"hotfolderd/leases/local"
)

// Each mutant breaks one promise of a good leaser, and the suite must name it.
var mutants = map[string]struct {
	breaks string // the case that must fail
	wrap   func(leases.Leaser) leases.Leaser
}{
	"grants a held name":             {"Leases_haveOneHolder", func(l leases.Leaser) leases.Leaser { return &generous{l} }},
	"ends the context late":          {"Release_givesTheNameBack", func(l leases.Leaser) leases.Leaser { return &late{l} }},
	"answers in another order":       {"Acquire_grantsInOrder", func(l leases.Leaser) leases.Leaser { return &reversed{l} }},
	"forgets tokens over a restart":  {"Token_growsOverRestarts", func(l leases.Leaser) leases.Leaser { return &forgetful{l} }},
	"grants to a canceled context":   {"Acquire_canceledGrantsNothing", func(l leases.Leaser) leases.Leaser { return &deaf{l} }},
	"keeps leases alive after Close": {"Close_givesEverythingBack", func(l leases.Leaser) leases.Leaser { return &immortal{l} }},
}

const mutantVar = "LEASESTEST_MUTANT"

func TestRun_namesTheBrokenPromise(t *testing.T) {
	for name, m := range mutants {
		t.Run(name, func(t *testing.T) {
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMutant$/^"+m.breaks+"$", "-test.v")
			child.Env = append(os.Environ(), mutantVar+"="+name)
			out, err := child.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestMutant/"+m.breaks) {
				t.Fatalf("the suite did not see that a leaser %s: %v\n%s", name, err, out)
			}
		})
	}
}

// TestMutant runs the suite on the mutant that its parent asks for; without one it has nothing to do.
func TestMutant(t *testing.T) {
	m, ok := mutants[os.Getenv(mutantVar)]
	if !ok {
		return
	}
	var dirs sync.Map
	Run(t, func(t *testing.T) (a, b leases.Leaser) {
		dir, _ := dirs.LoadOrStore(t.Name(), t.TempDir())
		l, err := local.New(dir.(string))
		if err != nil {
			t.Fatal(err)
		}
		w := m.wrap(l)
		return w, w
	})
}

// changed is a lease of which some methods lie.
type changed struct {
	leases.Lease
	token   *leases.Token
	ctx     context.Context
	release func(context.Context) error
}

func (c *changed) Token() leases.Token {
	if c.token != nil {
		return *c.token
	}
	return c.Lease.Token()
}

func (c *changed) Context() context.Context {
	if c.ctx != nil {
		return c.ctx
	}
	return c.Lease.Context()
}

func (c *changed) Release(ctx context.Context) error {
	if c.release != nil {
		return c.release(ctx)
	}
	return c.Lease.Release(ctx)
}

// generous gives a held name to everybody.
type generous struct{ leases.Leaser }

func (l *generous) Acquire(ctx context.Context, names ...string) ([]leases.Grant, error) {
	grants, err := l.Leaser.Acquire(ctx, names...)
	for i := range grants {
		if grants[i].Lease == nil {
			other, err := l.Leaser.Acquire(ctx, names[i]+"'")
			if err != nil {
				return nil, err
			}
			grants[i] = other[0]
		}
	}
	return grants, err
}

type late struct{ leases.Leaser }

func (l *late) Acquire(ctx context.Context, names ...string) ([]leases.Grant, error) {
	grants, err := l.Leaser.Acquire(ctx, names...)
	for i, g := range grants {
		if g.Lease != nil {
			grants[i].Lease = &changed{Lease: g.Lease, ctx: context.WithoutCancel(ctx)}
		}
	}
	return grants, err
}

type reversed struct{ leases.Leaser }

func (l *reversed) Acquire(ctx context.Context, names ...string) ([]leases.Grant, error) {
	grants, err := l.Leaser.Acquire(ctx, names...)
	for i, j := 0, len(grants)-1; i < j; i, j = i+1, j-1 {
		grants[i], grants[j] = grants[j], grants[i]
	}
	return grants, err
}

type forgetful struct{ leases.Leaser }

func (l *forgetful) Acquire(ctx context.Context, names ...string) ([]leases.Grant, error) {
	grants, err := l.Leaser.Acquire(ctx, names...)
	for i, g := range grants {
		if g.Lease != nil {
			grants[i].Lease = &changed{Lease: g.Lease, token: &leases.Token{Epoch: 1, Index: g.Lease.Token().Index}}
		}
	}
	return grants, err
}

type deaf struct{ leases.Leaser }

func (l *deaf) Acquire(ctx context.Context, names ...string) ([]leases.Grant, error) {
	return l.Leaser.Acquire(context.WithoutCancel(ctx), names...)
}

// immortal closes its leaser, but the contexts live on.
type immortal struct{ leases.Leaser }

func (l *immortal) Acquire(ctx context.Context, names ...string) ([]leases.Grant, error) {
	return (&late{l.Leaser}).Acquire(ctx, names...)
}
