package hotfolder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"hotfolderd/config"
	"hotfolderd/hotfolder/proof"
	"hotfolderd/storage"
)

const (
	hintPause  = 2 * time.Millisecond // between a hint and the look that it asks for
	firstPause = 2 * time.Millisecond // between the first two looks at a file that is not complete; doubles
	maxPause   = time.Second          // at most, while it may become complete by its format
	proofShare = 10                   // a proof may take one part in so many of the time
)

// settled is the answer to "is this drop complete?".
type settled struct {
	how    string        // known, proven or quiet, with the evidence; empty while it is not
	proven bool          // by its format alone
	wait   string        // why not, in words
	after  time.Duration // when to look again
}

// settle decides about one version of one file. Size is never a reason. What it may trust:
//
//	known   the store has whole objects only; a done marker is there; or, where its format does not object, its door says so, or
//	        it was renamed into place and nobody writes to it
//	proven  its format ends where the file ends, no part of it was never written, and nobody is seen writing to it
//	quiet   this version was seen at two looks at least settle apart (patience, where its format says that its end is
//	        missing, or it is empty on a share), and nobody is seen writing to it
//
// Where the store can see writers, a file that somebody holds open for writing is never complete, however long it pauses.
func (f *folder) settle(ctx context.Context, c *candidate, src storage.Reader) (settled, error) {
	o := src.Object()
	if door, ok := f.knows(c, o.Version); ok {
		return f.unlessIncomplete(ctx, c, src, "known: it came whole by "+string(door))
	}
	if f.store.Properties().WholeObjects {
		return settled{how: "known: objects of this store are always whole"}, nil
	}
	if f.rule.Complete.DoneMarker != "" {
		return f.settleByMarker(ctx, c)
	}
	open, seen := writers(src)
	if open {
		return settled{wait: "a program still has it open for writing", after: c.nextPause(f.settleTime())}, nil
	}
	if c.created && seen && o.Size > 0 && o.Changed.After(o.ModTime) {
		return f.unlessIncomplete(ctx, c, src, "known: renamed into place, and no program has it open for writing")
	}
	return f.settleByContent(ctx, c, src)
}

// writers reports whether anybody is seen writing to the open file.
func writers(src storage.Reader) (open, seen bool) {
	w, ok := src.(storage.WriterFinder)
	if !ok {
		return false, false
	}
	open, seen = w.Writers()
	return open && seen, seen
}

// unlessIncomplete believes how the file came, unless its format says that its end is missing: a client of FTP that is stopped may
// end its data like one that is done, and the gate renames into place what came.
func (f *folder) unlessIncomplete(ctx context.Context, c *candidate, src storage.Reader, how string) (settled, error) {
	e, err := f.evidence(ctx, src)
	if err != nil {
		return settled{}, err
	}
	if e.Verdict == proof.Incomplete {
		return f.settleByContent(ctx, c, src)
	}
	return settled{how: how}, nil
}

func (f *folder) settleByMarker(ctx context.Context, c *candidate) (settled, error) {
	marker := f.filter.Marker(c.key)
	_, err := f.store.Stat(ctx, f.prefix.Join(marker))
	if errors.Is(err, fs.ErrNotExist) {
		return settled{wait: "its done marker " + marker.Quoted() + " is not there", after: f.settleTime()}, nil
	}
	if err != nil {
		return settled{}, err
	}
	return settled{how: "known: its done marker " + marker.Quoted() + " is there"}, nil
}

// settleByContent proves the file by its format, and otherwise waits until it has been quiet: for longer when the format says
// that its end is missing.
func (f *folder) settleByContent(ctx context.Context, c *candidate, src storage.Reader) (settled, error) {
	begin := time.Now()
	e, err := f.evidence(ctx, src)
	if err != nil {
		return settled{}, err
	}
	if e.Verdict == proof.Complete {
		return settled{how: "proven: " + e.Reason, proven: true}, nil
	}
	need, but, patient := f.settleTime(), "", f.unwritten(src.Object())
	if e.Verdict == proof.Incomplete {
		but, patient = ", although incomplete: "+e.Reason, true
	}
	if patient {
		need = max(need, f.rule.Complete.Patience.D())
	}
	quiet := time.Since(c.since)
	if c.looks > 1 && quiet >= need && but != "" && f.rule.Complete.Incomplete == "reject" {
		return settled{}, &refusal{key: "complete.incomplete", why: "it is incomplete: " + e.Reason}
	}
	if c.looks > 1 && quiet >= need {
		return settled{how: fmt.Sprintf("quiet: unchanged for %s%s", quiet.Round(time.Millisecond), but)}, nil
	}
	left := max(need-quiet, time.Millisecond)
	wait := settled{wait: fmt.Sprintf("not yet quiet for %s%s", need, but), after: left}
	if patient {
		wait.after = min(left, max(c.nextPause(left), proofShare*time.Since(begin)))
	}
	return wait, nil
}

// unwritten reports whether a file is one that a program on another machine may have made and be about to write to: nobody sees that
// there, and no file that its format could prove is empty.
func (f *folder) unwritten(o storage.Object) bool {
	return o.Size == 0 && f.store.Properties().Remote && f.rule.Complete.Prove
}

// evidence is what the file's own format says, where the rule wants to know.
func (f *folder) evidence(ctx context.Context, src storage.Reader) (proof.Evidence, error) {
	if !f.rule.Complete.Prove || src.Object().Size == 0 {
		return proof.Evidence{}, nil
	}
	return prove(ctx, src)
}

// prove reads the file by its format, where no part of it was never written.
func prove(ctx context.Context, src storage.Reader) (proof.Evidence, error) {
	if h, ok := src.(storage.HoleFinder); ok {
		if at, found := h.Hole(); found {
			return proof.Evidence{Verdict: proof.Incomplete, Reason: fmt.Sprintf("nothing was written yet at byte %d", at)}, nil
		}
	}
	return proof.Check(ctx, src, src.Object().Size)
}

// nextPause is the time to the next look at an incomplete file: short at first, since most are complete in a moment.
func (c *candidate) nextPause(most time.Duration) time.Duration {
	c.pause = min(max(2*c.pause, firstPause), maxPause)
	return min(c.pause, most)
}

func (f *folder) settleTime() time.Duration { return f.rule.Complete.Settle.D() }

// look brings the candidate up to date with what is on the store, and decides what can be decided without its content. A nil
// refusal and an empty wait mean: go on.
func (c *candidate) look(o storage.Object, now time.Time) {
	c.looks++
	if c.since.IsZero() || c.version != o.Version {
		if c.version != "" {
			c.created, c.looks, c.attempts = false, 1, 0
		}
		c.version, c.since = o.Version, now
	}
}

// refuse says why a file can never be imported by this rule; permanent until the file changes.
func refuse(r config.Rule, o storage.Object) error {
	switch {
	case r.Match.MaxSize > 0 && o.Size > int64(r.Match.MaxSize):
		return &refusal{key: "match.max_size", why: fmt.Sprintf("it has %d bytes; match.max_size allows %d", o.Size, int64(r.Match.MaxSize))}
	case o.Size == 0 && r.Match.Empty == "reject":
		return &refusal{key: "match.empty", why: "it is empty (0 bytes)"}
	}
	return nil
}

// refusal is a permanent failure: trying again would change nothing.
type refusal struct {
	key string // the rule's key that decided
	why string
}

func (e *refusal) Error() string { return e.why }

// kindReason says why a thing that is no plain file is left alone.
func kindReason(k storage.Kind) string {
	switch k {
	case storage.Link:
		return "a symbolic link; links are never followed: drop the file itself"
	case storage.HardLinked:
		return "a file with several hard links; its bytes could be changed under another name: drop a copy"
	case storage.Mount:
		return "another file system is mounted here; give it a hotfolder of its own with a path file:///..."
	}
	return k.String() + "; it is never opened"
}

// unsafeKind reports whether a listed thing is to be reported and left alone.
func unsafeKind(k storage.Kind) bool {
	return k != storage.Regular && k != storage.Directory
}
