package workarea

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// How the journal is cut into batches: a lone event is written soon, a stream of them in few objects.
const (
	batchBytes   = 256 << 10              // so many bytes are written at once
	maxBatch     = 4 << 20                // and never more than so many
	batchWait    = 300 * time.Millisecond // from the first event to its batch
	maxBatchWait = 2 * time.Second        // the same, under continuous load
	maxRetryWait = 15 * time.Second
	finishTime   = 5 * time.Second // for the rest, after the end
)

// Flush writes what is buffered. What could not be written stays in the buffer.
func (j *Journal) Flush(ctx context.Context) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	for {
		b := j.batch()
		if len(b) == 0 {
			return nil
		}
		if err := j.write(ctx, b); err != nil {
			j.putBack(b)
			signal(j.some)
			j.a.count.journalBatches.WithLabelValues("error").Inc()
			return fmt.Errorf("write journal: %w", because(ctx, err))
		}
		j.a.count.journalBatches.WithLabelValues("ok").Inc()
		if !j.wrote() {
			return nil
		}
	}
}

// write stores one batch. The next number is used only after a success: a batch whose answer was lost is written over by
// itself, so its events do not come twice.
func (j *Journal) write(ctx context.Context, b []queued) error {
	name := fmt.Sprintf("%s-%d-%08d.jsonl", fileSafe(j.a.node), j.start, j.seq)
	key := j.a.journalDay(dayOf(j.a.now())).Join(asset.Key(name))
	lines := make([]io.Reader, len(b))
	for i, q := range b {
		lines[i] = bytes.NewReader(q.line)
	}
	_, err := j.a.store.Put(ctx, key, io.MultiReader(lines...), storage.PutOptions{Deferred: true, Brief: true})
	if err == nil {
		j.seq++
	}
	return err
}

// fileSafe is a node's name as a part of a file name.
func fileSafe(node string) string {
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '_'
	}, node)
	return "n" + cut(safe, 100)
}

// collect waits for more events; false when ctx ended.
func (j *Journal) collect(ctx context.Context, wait time.Duration) bool {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
	case <-j.full:
	}
	return true
}

// finish writes the rest when the context of Run has ended, as long as its bound allows.
func (j *Journal) finish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	for {
		err := j.Flush(ctx)
		if err == nil || !sleep(ctx, batchWait) {
			return err
		}
	}
}

// sleep reports whether it slept to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// pace says how long to collect before the next batch.
type pace struct {
	next   time.Duration
	failed int
	last   time.Time // end of the last batch
}

func newPace() *pace { return &pace{next: batchWait} }

// wait is asked when the first event of a batch is there. When it came soon after the last batch there is a stream.
func (p *pace) wait() time.Duration {
	if p.failed > 0 {
		d := min(batchWait<<min(p.failed, 10), maxRetryWait)
		return d/2 + rand.N(d/2)
	}
	if time.Since(p.last) < p.next {
		p.next = min(2*p.next, maxBatchWait)
	} else {
		p.next = batchWait
	}
	return p.next
}

func (p *pace) done(err error) {
	p.last = time.Now()
	if err == nil {
		p.failed = 0
		return
	}
	p.failed++
}
