package hotfolder

import (
	"io"
	"sync/atomic"
	"time"

	"hotfolderd/asset"
)

// stallAfter is how long an operation on a store may make no progress before its hotfolder is called stalled.
const stallAfter = 8 * time.Second

// progress is a sign of life of one scan or walk. Others may read it while its owner hangs in a system call.
type progress struct {
	key  asset.Key
	step atomic.Pointer[string]
	last atomic.Int64 // monotonic nanoseconds since start
}

var start = time.Now()

func newProgress(step string, key asset.Key) *progress {
	p := &progress{key: key}
	p.enter(step)
	return p
}

func (p *progress) enter(step string) {
	p.step.Store(&step)
	p.beat()
}

func (p *progress) beat() { p.last.Store(int64(time.Since(start))) }

// idle is for how long nothing moved.
func (p *progress) idle() time.Duration { return time.Since(start) - time.Duration(p.last.Load()) }

// stalled tells for how long nothing moved in a step that waits for a store. Rendering and waiting for another node have their own time limits.
func (p *progress) stalled() (step string, idle time.Duration, yes bool) {
	step = *p.step.Load()
	idle = p.idle()
	return step, idle, idle > stallAfter && step != stepThumbnails && step != stepBorrow
}

// beating is a reader that shows progress.
type beating struct {
	io.Reader
	p *progress
}

func (b beating) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.p.beat()
	return n, err
}
