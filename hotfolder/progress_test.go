package hotfolder

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgress_isStalledWhenNothingMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgress(stepStage, "a")
		time.Sleep(stallAfter)
		if _, _, yes := p.stalled(); yes {
			t.Error("want it going at the limit, got stalled")
		}
		time.Sleep(time.Millisecond)
		if step, idle, yes := p.stalled(); !yes || step != stepStage || idle != stallAfter+time.Millisecond {
			t.Errorf("want it stalled in %s for %s, got %q, %s, %v", stepStage, stallAfter+time.Millisecond, step, idle, yes)
		}
		p.enter(stepCommit)
		if step, idle, yes := p.stalled(); yes || step != stepCommit || idle != 0 {
			t.Errorf("want it going in the next step, got %q, %s, %v", step, idle, yes)
		}
	})
}

func TestProgress_everyReadIsASignOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgress(stepStage, "a")
		r := beating{strings.NewReader("four"), p}
		for range 4 {
			time.Sleep(stallAfter)
			if _, err := r.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		if _, idle, yes := p.stalled(); yes || idle != 0 {
			t.Errorf("want it going, got idle for %s", idle)
		}
		if _, err := r.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("want the reader's own end, got %v", err)
		}
	})
}

func TestProgress_renderingHasItsOwnLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProgress(stepThumbnails, "a")
		time.Sleep(10 * stallAfter)
		if _, _, yes := p.stalled(); yes {
			t.Error("want rendering not called a stalled store, got stalled")
		}
	})
}
