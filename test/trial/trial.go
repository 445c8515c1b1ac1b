package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

const (
	startTime = time.Minute      // until all answer
	pauseTime = 15 * time.Second // from the end of a process to its next start: there should be time to look
	nodeTime  = 20 * time.Second // that a node gets to end in order
	lookTime  = 100 * time.Millisecond
)

// trial is a Consul and its nodes.
type trial struct {
	out    io.Writer
	consul *process
	nodes  []*process
	store  string  // folder
	bucket *bucket // nil: the store is that folder
	ended  chan *process
	again  chan *process // is to be started again
	pause  time.Duration // before that
}

// run starts everything, tells where it is, and keeps it going until ctx ends. Nothing is left when it returns.
func (t *trial) run(ctx context.Context) (err error) {
	defer t.stop()
	sctx, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("not ready after %s", startTime))
	defer cancel()
	t.say("starting; Ctrl-C ends everything")
	err = t.start(sctx)
	if ctx.Err() != nil {
		return nil // somebody changed his mind
	}
	if err != nil {
		return err
	}
	t.tellWhere()
	t.keep(ctx)
	return nil
}

// start returns when all nodes are ready.
func (t *trial) start(ctx context.Context) error {
	if t.bucket != nil {
		if err := t.bucket.secure(); err != nil {
			return err
		}
	}
	for _, p := range t.needs() {
		if err := t.begin(p); err != nil {
			return err
		}
		if err := t.await(ctx, p); err != nil {
			return err
		}
	}
	if err := t.ready(ctx); err != nil {
		return err
	}
	for _, p := range t.nodes {
		if err := t.begin(p); err != nil {
			return err
		}
	}
	for _, p := range t.nodes {
		if err := t.await(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// needs are the processes that the nodes need.
func (t *trial) needs() []*process {
	if t.bucket == nil {
		return []*process{t.consul}
	}
	return []*process{t.bucket.server, t.consul}
}

// ready makes the store ready for the nodes.
func (t *trial) ready(ctx context.Context) error {
	if t.bucket != nil {
		return t.bucket.make(ctx)
	}
	return t.adopt(ctx)
}

// adopt tells a store that has been here before that this Consul, which keeps nothing, is the one of its nodes.
func (t *trial) adopt(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(t.store, "workarea")); err != nil {
		return nil
	}
	first := t.nodes[0]
	out, err := exec.CommandContext(ctx, first.path, "cluster", "adopt", "--config", first.settings).CombinedOutput()
	if err != nil {
		return fmt.Errorf("give the store to the nodes: %w\n%s", err, out)
	}
	return nil
}

// begin starts one process. It is called by the main goroutine only: see main.
func (t *trial) begin(p *process) error {
	return p.start(func() { t.ended <- p })
}

// await returns when a process is ready, or none of them will be.
func (t *trial) await(ctx context.Context, p *process) error {
	tick := time.NewTicker(lookTime)
	defer tick.Stop()
	for !p.ready(ctx) {
		select {
		case dead := <-t.ended:
			return fmt.Errorf("%s ended before it was ready (%s)%s", dead.name, dead.end(), dead.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", p.name, context.Cause(ctx))
		case <-tick.C:
		}
	}
	return nil
}

// keep starts again what ends, until ctx ends.
func (t *trial) keep(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-t.ended:
			t.say("%s has ended (%s); it is started again in %s", p.name, p.end(), t.pause)
			time.AfterFunc(t.pause, func() { t.again <- p })
		case p := <-t.again:
			if err := t.begin(p); err != nil {
				t.say("%v; it is tried again in %s", err, t.pause)
				time.AfterFunc(t.pause, func() { t.again <- p })
				continue
			}
			t.say("%s is started again, pid %d", p.name, p.pid())
		}
	}
}

// stop ends the nodes in order, then what they need for that.
func (t *trial) stop() {
	t.say("ending")
	for _, p := range t.nodes {
		p.terminate()
	}
	for _, p := range t.nodes {
		t.awaitEnd(p)
	}
	for _, p := range slices.Backward(t.needs()) {
		p.terminate()
		t.awaitEnd(p)
	}
}

func (t *trial) awaitEnd(p *process) {
	if !p.await(nodeTime) {
		t.say("%s does not end and is killed", p.name)
		p.kill()
	}
}

func (t *trial) say(format string, args ...any) {
	fmt.Fprintf(t.out, "\n-- "+format+"\n\n", args...)
}

// tellWhere says what there is to see and to do.
func (t *trial) tellWhere() {
	line := func(label, text string) { fmt.Fprintf(t.out, "  %-15s   %s\n", label, text) }
	inbox := filepath.Join(t.store, "hotfolders", "inbox")
	drop := fmt.Sprintf("cp testdata/assets/photo.jpg %s/$i.jpg", short(inbox))
	if t.bucket != nil {
		inbox = t.bucket.inbox()
		drop = fmt.Sprintf("curl -sK %s -T testdata/assets/photo.jpg %s/$i.jpg", short(filepath.Join(t.store, "curl")), inbox)
	}
	fmt.Fprintf(t.out, "\n%d nodes on one store, with a Consul of their own\n\n", len(t.nodes))
	line("drop files into", inbox)
	label := "look at"
	for _, p := range t.nodes {
		line(label, fmt.Sprintf("http://%s/cluster   %s, pid %d", p.address, p.name, p.pid()))
		label = ""
	}
	first, last := t.nodes[0], t.nodes[len(t.nodes)-1]
	line("try", "for i in $(seq 200); do "+drop+"; done")
	line("", first.path+" cluster --config "+first.settings)
	line("", fmt.Sprintf("kill -9 %d", last.pid()))
	line("", first.path+" drain --config "+first.settings)
	line("", fmt.Sprintf("(what ends is started again after %s)", t.pause))
	line("stop with", "Ctrl-C")
	fmt.Fprintln(t.out)
}

// short is a path as it is written in the working directory.
func short(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}
