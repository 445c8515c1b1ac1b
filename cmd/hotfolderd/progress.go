package main

import (
	"fmt"
	"io"
	"time"
)

// progress shows on a terminal how far a transfer has come; elsewhere it shows nothing.
type progress struct {
	out   io.Writer // nil: nothing is shown
	total int64     // below 0: not known
	begun time.Time
	told  time.Time
	shown bool
}

const (
	progressAfter = time.Second // a short transfer is not worth a line
	progressEvery = 200 * time.Millisecond
)

func (a *app) progress(total int64) *progress {
	p := &progress{total: total, begun: time.Now()}
	if isTerminal(a.err) {
		p.out = a.err
	}
	return p
}

// at is told of the bytes that were transferred so far.
func (p *progress) at(n int64) {
	now := time.Now()
	if p.out == nil || now.Sub(p.begun) < progressAfter || now.Sub(p.told) < progressEvery {
		return
	}
	p.told, p.shown = now, true
	rate := bytesText(int64(float64(n)/now.Sub(p.begun).Seconds())) + "/s"
	if p.total > 0 {
		fmt.Fprintf(p.out, "\r%3d %%  %s of %s  %s\x1b[K", 100*n/p.total, bytesText(n), bytesText(p.total), rate)
		return
	}
	fmt.Fprintf(p.out, "\r%s  %s\x1b[K", bytesText(n), rate)
}

// end takes the line away.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
