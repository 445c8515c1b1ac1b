//go:build powercut

package powercut

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// moment is when the power goes.
type moment struct {
	plan
	name    string
	report  string        // when a walk comes to this step for the nth time, or so long after that
	delay   time.Duration // and without report: so long after the start
	backlog bool          // everything was dropped before the node began
}

// moments are all kinds of cuts: a walk stands still before each step; each step was reported and the walks go on; some operation
// on the store, with or without its effect; any time.
func moments(r *rand.Rand) []moment {
	var all []moment
	for _, step := range []string{"settle", "claim", "stage", "thumbnails", "commit", "apply", "invalidate", "remove", "end"} {
		nth := 1 + r.IntN(40)
		all = append(all,
			moment{name: fmt.Sprintf("at %s %d", step, nth), plan: plan{Step: step, Nth: nth}},
			moment{name: fmt.Sprintf("after %s %d", step, nth), plan: plan{Nth: nth}, report: step, delay: upTo(r, 4*time.Millisecond)})
	}
	for i := range 24 {
		op := 1 + i*35 + r.IntN(35)
		all = append(all, moment{name: fmt.Sprintf("at operation %d", op), plan: plan{Op: op, After: i%2 == 1}, backlog: i%4 == 0})
	}
	for i := range 24 {
		delay := upTo(r, 400*time.Millisecond)
		all = append(all, moment{name: fmt.Sprintf("after %s", delay.Round(time.Millisecond)), delay: delay, backlog: i%2 == 0})
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func upTo(r *rand.Rand, d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }

// tally is what all rounds of one file system came to.
type tally struct {
	cuts, again, midway int // all; while a node repaired what the cut before had left; before everything was imported
	durable             int // drops that their writer had synced, counted at each cut
	there, imported     int // of these after the cut: still there; gone, because imported
	announced           int // drops that the node had called imported
	thumbs              int // thumbnails that were there after a cut
	half                int // drops that nobody had synced: imported, and then not whole in their hotfolder again
}

func (s *tally) String() string {
	return fmt.Sprintf("%d cuts, %d of them in a repair, %d with imports under way; %d durable drops: %d still there, %d imported, 0 lost; "+
		"%d announced imports: all true; %d thumbnails: all whole; %d imported drops came back half (nobody had synced them)",
		s.cuts, s.again, s.midway, s.durable, s.there, s.imported, s.announced, s.thumbs, s.half)
}

// missed says that the cuts came at times when nothing could break.
func (s *tally) missed() bool {
	return s.cuts > 50 && (s.midway < s.cuts/2 || s.imported == 0 || s.announced == 0 || s.thumbs == 0)
}

func TestPowerCut(t *testing.T) {
	for _, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			var sum tally
			d, begin := newDisk(t, kind), time.Now()
			rounds(t, d, &sum)
			if t.Failed() {
				return
			}
			if sum.missed() {
				t.Errorf("the cuts missed: %s", &sum)
			}
			fmt.Printf("%s: %s (%s)\n", kind, &sum, time.Since(begin).Round(time.Second))
		})
	}
}

// rounds cuts again and again, on one file system that grows old with it, until one round fails.
func rounds(t *testing.T, d *disk, sum *tally) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	var all []moment
	for i := 0; i < *roundsFlag || *roundsFlag == 0 && (i == 0 || len(all) > 0); i++ {
		if len(all) == 0 {
			all = moments(r)
		}
		m := all[0]
		all = all[1:]
		if !t.Run(m.name, func(t *testing.T) { newRound(t, d, m, i, r.Uint64(), sum).run() }) {
			t.Logf("seed %d, round %d, %+v", seed, i, m)
			return
		}
	}
	d.unmount(t)
}
