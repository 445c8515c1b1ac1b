package hotfolder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/leases"
	"hotfolderd/storage"
)

const (
	// tellWaiting is how long a drop waits before its journal says so: what settles sooner needs no line of its own.
	tellWaiting = time.Second
	// concludeTime bounds moving a drop to failed/ after its walk's own context has ended.
	concludeTime = 30 * time.Second
)

// verdict is what is to be done with a candidate after its walk.
type verdict struct {
	wait      time.Duration // look again after this; 0 ends with the candidate
	notNow    bool          // its write was refused for the moment: hold it
	through   bool          // all its writes were taken
	finished  bool          // the file stays where it is and needs nothing more
	lookAgain bool          // the file may be there again, as a new drop
}

// walk claims the drop, walks it and says what is next.
func (f *folder) walk(ctx context.Context, c *candidate) verdict {
	lease, done := f.r.d.Claims.Claim(f.rule.Hotfolder, c.key)
	if lease == nil {
		return verdict{}
	}
	defer done() // last of all, and also when a step panics
	w := &walk{f: f, c: c, lease: lease, p: newProgress(stepSettle, c.key)}
	f.hold(w.p, true)
	defer f.hold(w.p, false)
	wctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(lease.Context(), func() { cancel(context.Cause(lease.Context())) })
	defer stop()
	return w.conclude(ctx, w.underLease(w.run(wctx)))
}

// underLease says of an error that the lease's end made it: whoever was interrupted may have said only that it was, or that
// something failed. The drop is another's by now, and neither tried nor failed.
func (w *walk) underLease(err error) error {
	if err == nil || w.lease.Context().Err() == nil {
		return err
	}
	return fmt.Errorf("%w: %w", context.Cause(w.lease.Context()), err)
}

func (f *folder) hold(p *progress, on bool) {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	if on {
		f.hands[p] = struct{}{}
	} else {
		delete(f.hands, p)
	}
}

// conclude sorts the ends of a walk: done, not yet, gone, not ours any more, not now, refused, or failed and to be tried again.
func (w *walk) conclude(ctx context.Context, err error) verdict {
	var wait *waitError
	var no *refusal
	switch {
	case err == nil:
		return w.imported()
	case errors.As(err, &wait):
		return w.waits(wait.settled)
	case errors.Is(err, errKept):
		return verdict{finished: true, through: true}
	case errors.Is(err, errGone):
		return w.gone()
	case errors.Is(err, errChanged):
		return verdict{wait: w.c.nextPause(maxPause)}
	case errors.Is(err, errNoFile):
		return w.noFile(ctx)
	case ctx.Err() != nil, errors.Is(err, leases.ErrLost), errors.Is(err, leases.ErrReleased), errors.Is(err, leases.ErrClosed):
		return verdict{}
	case errors.Is(err, asset.ErrNotNow):
		return w.notNow(err)
	case errors.As(err, &no):
		return w.fail(ctx, no, no.key)
	}
	return w.retry(ctx, err)
}

// noFile reports a thing that is no plain file and leaves it alone.
func (w *walk) noFile(ctx context.Context) verdict {
	o, err := w.f.store.Stat(ctx, w.f.prefix.Join(w.c.key))
	if err == nil && unsafeKind(o.Kind) {
		w.f.tell(w.c.key, o)
	}
	return verdict{}
}

func (w *walk) event(result asset.Result) asset.Event {
	return asset.Event{
		Time: time.Now(), Node: w.f.r.d.Node, Hotfolder: w.f.rule.Hotfolder, Key: w.c.key, Version: w.c.version,
		Drop: w.drop.ID(), Door: w.drop.Door, Result: result, Settled: w.how, Size: w.obj.Size,
		Attempt: w.c.attempts + 1, Token: w.lease.Token().String(), Took: time.Since(w.c.first), Steps: w.steps,
	}
}

func (w *walk) imported() verdict {
	e := w.event(asset.Imported)
	e.Drop, e.Name, e.Number = w.record.Drop, w.outcome.Name, w.outcome.Number
	e.Hash, e.Type, e.Thumbs = w.record.Content.Hash, w.record.Content.Type, w.record.Thumbnails
	if w.outcome.Skipped {
		e.Result, e.Reason = asset.Skipped, "the name keeps the bytes it has (conflict: "+string(w.record.Conflict)+")"
	}
	if w.outcome.Superseded {
		e.Result, e.Reason = asset.Skipped, "a later drop under its name was imported first"
	}
	w.f.r.mu.Lock()
	w.f.outage.success()
	w.f.counts.add(e)
	w.f.r.mu.Unlock()
	w.f.r.o.Metrics.end(e)
	w.f.r.d.Journal(e)
	w.f.log.Info(string(e.Result), zap.String("key", w.c.key.Shown()), zap.String("asset", e.Name.Shown()),
		zap.Int("version", e.Number), zap.Int64("size", e.Size), zap.String("settled", w.how), zap.Duration("took", e.Took))
	return verdict{finished: w.f.rule.After == "keep", lookAgain: w.c.again, through: true}
}

func (c *Counts) add(e asset.Event) {
	switch e.Result {
	case asset.Imported:
		c.Imported++
		c.Bytes += uint64(e.Size)
	case asset.Skipped:
		c.Skipped++
	case asset.Failed:
		c.Failed++
	}
}

// waits tells the journal once for each reason, and only when it takes a while.
func (w *walk) waits(s settled) verdict {
	w.tellWaiting(stepSettle, s.wait)
	return verdict{wait: max(s.after, time.Millisecond)}
}

func (w *walk) gone() verdict {
	if w.c.reason != "" || w.c.attempts > 0 {
		e := w.event(asset.Gone)
		e.Reason = "it was taken away or renamed before it was imported"
		w.f.r.d.Journal(e)
	}
	return verdict{}
}

// retry books a failed attempt. A store at fault is waited for as long as it takes; a drop at fault is given up after the
// rule's attempts.
func (w *walk) retry(ctx context.Context, err error) verdict {
	c, step := w.c, *w.p.step.Load()
	sure := ofStore(step, err)
	w.f.r.mu.Lock()
	pause := backoff(w.f.rule.Retry, c.attempts+1)
	w.f.outage.failure(c.key, sure, reasonOf(step, err), time.Now().Add(pause))
	outage := w.f.outage.on()
	w.f.r.mu.Unlock()
	c.attempts++
	if outage {
		c.attempts = min(c.attempts, max(1, w.f.rule.Retry.Attempts-1))
	} else if c.attempts >= w.f.rule.Retry.Attempts {
		return w.fail(ctx, err, "")
	}
	e := w.event(asset.Retrying)
	e.Step, e.Reason, e.Attempt = step, reasonOf(step, err), c.attempts
	w.f.r.o.Metrics.end(e)
	w.f.r.d.Journal(e)
	w.f.log.Warn("will be tried again", zap.String("key", c.key.Shown()), zap.String("step", step),
		zap.Int("attempt", c.attempts), zap.Duration("pause", pause), zap.Error(err))
	return verdict{wait: pause}
}

// ofStore reports whether an error is the store's for certain: every other drop meets it too.
func ofStore(step string, err error) bool {
	for _, known := range []error{storage.ErrFull, storage.ErrIdentity, storage.ErrSilent, syscall.EROFS} {
		if errors.Is(err, known) {
			return true
		}
	}
	writes := step == stepCommit || step == stepApply || step == stepRemove
	return writes && errors.Is(err, fs.ErrPermission)
}

// fail moves the drop to failed/. When even that fails the drop stays where it is and the walk is tried again later: a drop is
// never lost.
func (w *walk) fail(ctx context.Context, cause error, ruleKey string) verdict {
	step := *w.p.step.Load()
	fctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeTime)
	defer cancel()
	failure, err := w.f.r.d.Area.Fail(fctx, w.f.store, w.obj, asset.Failure{
		Time: time.Now().UTC(), Node: w.f.r.d.Node, Hotfolder: w.f.rule.Hotfolder, Key: w.c.key, Drop: w.drop.ID(),
		Version: w.c.version, Size: w.obj.Size, Step: step, Rule: ruleName(w.f.rule, ruleKey), Attempts: max(1, w.c.attempts),
		Reason: reasonOf(step, cause), Hint: hintOf(step, ruleKey), Detail: cause.Error(),
	})
	switch {
	case errors.Is(ofSource(err), errGone):
		return w.gone()
	case errors.Is(ofSource(err), errChanged):
		return verdict{wait: firstPause}
	case errors.Is(err, asset.ErrNotNow):
		return w.notNow(err)
	case err != nil:
		w.f.log.Error("cannot move to failed/", zap.String("key", w.c.key.Shown()), zap.Error(err))
		return verdict{wait: w.f.rule.Retry.MaxBackoff.D()}
	}
	e := w.event(asset.Failed)
	e.Step, e.Reason, e.Attempt = step, failure.Reason, failure.Attempts
	w.f.r.mu.Lock()
	w.f.counts.add(e)
	w.f.r.mu.Unlock()
	w.f.r.o.Metrics.end(e)
	w.f.r.d.Journal(e)
	w.f.log.Warn("failed", zap.String("key", w.c.key.Shown()), zap.String("step", step), zap.String("id", failure.ID),
		zap.String("reason", failure.Reason))
	return verdict{}
}

// reasonOf is the sentence that people read.
func reasonOf(step string, err error) string {
	var no *refusal
	switch {
	case errors.As(err, &no):
		return no.why
	case errors.Is(err, storage.ErrFull):
		return "the store is full (no space, no inodes or over quota): " + err.Error()
	}
	return fmt.Sprintf("step %s failed: %v", step, err)
}

func hintOf(step, ruleKey string) string {
	switch {
	case ruleKey == "conflict":
		return "rename the file and retry, or choose another conflict policy in the rule"
	case ruleKey != "":
		return "change " + ruleKey + " in the rule, or the file, and retry"
	case step == stepStage:
		return "check that the file can be read, then retry"
	}
	return "mend the cause, then retry"
}
