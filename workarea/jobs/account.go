package jobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	// renewPart of its ttl is how long a job's last use may not be noted.
	renewPart = 4
	// recountEvery is how old a count of the bytes in a job's folder may be before a write; recountSoon, before a write is refused. Where
	// counting takes long, it is done less often.
	recountEvery = 30 * time.Second
	recountSoon  = time.Second
	recountShare = 20
	// writeTime bounds a change of a note that no caller waits for.
	writeTime = 30 * time.Second
)

// account is what this node knows of one job that is used here. All that waits for the note goes into it with one write.
type account struct {
	j  *Jobs
	id string

	mu      sync.Mutex
	seen    Note
	looked  time.Time // before seen was read, by this process's clock
	fresh   time.Time // the note was written then or later
	users   int
	last    time.Time // of its last use here
	asking  []*asked
	granted int64 // bytes of writes that are under way
	settled int64 // of writes that were made, and are not noted yet
	added   int64 // of these, without what became less
	writing bool
	counted time.Time // when the folder was counted here
	took    time.Duration
}

// asked is a write that waits for its bytes.
type asked struct {
	bytes int64
	gave  chan error // has room for the answer
	over  bool       // nobody waits any more
}

func (j *Jobs) account(id string) *account {
	j.mu.Lock()
	defer j.mu.Unlock()
	a := j.accounts[id]
	if a == nil {
		a = &account{j: j, id: id}
		j.accounts[id] = a
	}
	return a
}

// drop forgets an account that is of no use.
func (j *Jobs) drop(id string, a *account) {
	a.mu.Lock()
	idle := a.users == 0 && len(a.asking) == 0 && !a.writing && a.granted == 0 && a.settled == 0
	a.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if idle && j.accounts[id] == a {
		delete(j.accounts, id)
	}
}

// use reads the note, and notes the use when that was not done for too long.
func (a *account) use(ctx context.Context) error {
	begin := time.Now()
	n, err := a.j.read(ctx, a.id)
	if err != nil {
		return err
	}
	if n.Ended {
		return fmt.Errorf("job %s: %w", a.id, asset.ErrJobEnded)
	}
	if a.saw(n, begin) || a.j.o.MayWrite() != nil {
		return nil
	}
	_, err = a.j.Renew(ctx, a.id)
	return err
}

// saw reports whether the note is known to have been written not long ago.
func (a *account) saw(n Note, begin time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n.version != a.seen.version && a.seen.version != "" {
		a.fresh = a.looked // it was written after the look before
	}
	a.seen, a.looked, a.last = n, begin, begin
	return time.Since(a.fresh) < n.TTL/renewPart
}

// renewed takes a note that was written just now.
func (a *account) renewed(n Note) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen, a.looked, a.fresh = n, time.Now(), time.Now()
}

// stay keeps the job while it is used.
func (a *account) stay() (done func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users++
	return sync.OnceFunc(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.users--
		a.last = time.Now()
	})
}

// Most implements files.Budget.
func (a *account) Most() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen.Quota
}

// Hold implements files.Budget.
func (a *account) Hold(ctx context.Context, bytes int64) (settle func(made bool), err error) {
	w := &asked{bytes: bytes, gave: make(chan error, 1)}
	a.mu.Lock()
	a.asking = append(a.asking, w)
	a.write()
	a.mu.Unlock()
	select {
	case err = <-w.gave:
	case <-ctx.Done():
		err = a.giveUp(w, context.Cause(ctx))
	}
	if err != nil {
		return nil, err
	}
	return func(made bool) { a.settle(bytes, made) }, nil
}

// giveUp ends the wait of a write that was canceled. If it has got its bytes meanwhile it gives them back.
func (a *account) giveUp(w *asked, cause error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.over = true
	select {
	case err := <-w.gave:
		if err == nil {
			a.granted -= max(0, w.bytes)
			a.write()
		}
	default:
	}
	return cause
}

func (a *account) settle(bytes int64, made bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.granted -= max(0, bytes)
	if made {
		a.settled += bytes
		a.added += max(0, bytes)
	}
	a.write()
}

// write begins to write the note, unless that is under way; mu is held. Close waits for its end.
func (a *account) write() {
	if a.writing {
		return
	}
	if !a.j.begin() {
		for _, w := range a.asking {
			w.gave <- fmt.Errorf("job %s: %w: this node ends", a.id, asset.ErrNotNow)
		}
		a.asking = nil
		return
	}
	a.writing = true
	go func() {
		defer a.j.work.Done()
		for a.writeOnce() {
		}
	}()
}

// begin counts a piece of work that Close waits for; false when it does not wait any more.
func (j *Jobs) begin() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.closed {
		j.work.Add(1)
	}
	return !j.closed
}

// writeOnce notes all that waits; false when nothing does.
func (a *account) writeOnce() bool {
	ctx, cancel := context.WithTimeout(a.j.life, writeTime)
	defer cancel()
	a.mu.Lock()
	batch := a.asking
	a.asking = nil
	if len(batch) == 0 && a.settled == 0 && a.seen.Held[a.j.o.Instance] == a.granted {
		a.writing = false
		a.mu.Unlock()
		return false
	}
	due := len(batch) > 0 && a.recountDue(recountEvery)
	a.mu.Unlock()
	refused, err := a.note(ctx, batch, due)
	if err == nil && len(refused) > 0 && a.recountDueSoon() {
		refused, err = a.note(ctx, refused, true)
	}
	if err == nil && len(refused) > 0 {
		err = fmt.Errorf("job %s: %w", a.id, ErrQuota)
	}
	for _, w := range refused {
		w.gave <- err
	}
	if err != nil && len(batch) == 0 {
		return a.rest(err)
	}
	return true
}

// rest puts off what nobody waits for; it goes with the next write.
func (a *account) rest(err error) bool {
	if !errors.Is(err, fs.ErrNotExist) {
		a.j.log.Info("the bytes of a job are noted later", zap.String("job", a.id), zap.Error(err))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if errors.Is(err, fs.ErrNotExist) {
		a.settled, a.added = 0, 0
	}
	a.writing = len(a.asking) > 0
	return a.writing
}

func (a *account) recountDue(every time.Duration) bool {
	return a.counted.IsZero() || time.Since(a.counted) > max(every, recountShare*a.took)
}

func (a *account) recountDueSoon() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.recountDue(recountSoon)
}

// note gives bytes to as many writes as the quota has them for, and returns the others. count says whether the folder is counted first.
func (a *account) note(ctx context.Context, batch []*asked, count bool) (refused []*asked, err error) {
	var c *counted
	if count {
		if c, err = a.count(ctx); err != nil {
			return batch, err
		}
	}
	a.mu.Lock()
	settled, added, under, known := a.settled, a.added, a.granted, a.seen
	a.mu.Unlock()
	var given []*asked
	gone := fmt.Errorf("job %s: %w", a.id, asset.ErrJobEnded)
	over := false
	n, err := a.j.change(ctx, a.id, known, func(n *Note) error {
		if over = n.Ended; over {
			if n.Held[a.j.o.Instance] == under {
				return gone
			}
			n.hold(a.j.o.Instance, under) // its note stays as long as somebody holds something
			return nil
		}
		n.Used = max(0, n.Used+settled)
		if c != nil {
			n.Used = c.sum + n.Written - c.written + added - c.added
		}
		n.Written += added
		a.j.bury(n)
		var sum int64
		given, refused, sum = portion(batch, n.Quota-n.Used-n.heldByOthers(a.j.o.Instance)-under)
		n.hold(a.j.o.Instance, under+sum)
		return nil
	})
	if err != nil {
		return batch, err
	}
	if over {
		given, refused, err = nil, batch, gone
	}
	a.give(n, given, settled, added)
	return refused, err
}

// portion gives what is left to those who asked first.
func portion(batch []*asked, left int64) (given, refused []*asked, sum int64) {
	for _, w := range batch {
		if w.bytes > 0 && w.bytes > left-sum {
			refused = append(refused, w)
			continue
		}
		given, sum = append(given, w), sum+max(0, w.bytes)
	}
	return given, refused, sum
}

// give hands out what was noted.
func (a *account) give(n Note, given []*asked, settled, added int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settled -= settled
	a.added -= added
	a.seen, a.looked, a.fresh = n, time.Now(), time.Now()
	for _, w := range given {
		if !w.over {
			a.granted += max(0, w.bytes)
			w.gave <- nil
		}
	}
}

// counted is what was in a job's folder, and what was known of it just before.
type counted struct {
	sum, written, added int64
}

// count counts the bytes in the job's folder, which anybody may have changed. What is written meanwhile may be counted twice, until the next
// count, but never not at all.
func (a *account) count(ctx context.Context) (*counted, error) {
	begin := time.Now()
	before, err := a.j.read(ctx, a.id)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	c := &counted{written: before.Written, added: a.added}
	a.mu.Unlock()
	for o, err := range a.j.store.List(ctx, a.j.Folder(a.id), storage.ListOptions{Recursive: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("count the bytes of job %s: %w", a.id, err)
		}
		if o.Kind != storage.Directory {
			c.sum += o.Size
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen, a.looked = before, begin
	a.counted, a.took = time.Now(), time.Since(begin)
	return c, nil
}

// bury lets go of what nodes held that are not any more.
func (j *Jobs) bury(n *Note) {
	for instance := range n.Held {
		if instance != j.o.Instance && !j.o.Live(instance) {
			delete(n.Held, instance)
		}
	}
}

func (n *Note) heldByOthers(but string) (sum int64) {
	for instance, bytes := range n.Held {
		if instance != but {
			sum += bytes
		}
	}
	return sum
}

func (n *Note) hold(instance string, bytes int64) {
	delete(n.Held, instance)
	if bytes <= 0 {
		return
	}
	if n.Held == nil {
		n.Held = map[string]int64{}
	}
	n.Held[instance] = bytes
}
