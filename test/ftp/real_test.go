package ftp_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// signals end clients: kill -9, Ctrl-C, and a service manager.
var signals = []syscall.Signal{syscall.SIGKILL, syscall.SIGINT, syscall.SIGTERM}

// realOnes is how many uploads each real client makes: they are what takes the time.
func realOnes(t testing.TB, few int) int { return number(t, "HOTFOLDERD_REAL_UPLOADS", few) }

// tested are the cheap clients, or all where many uploads are asked for.
func tested(t testing.TB) []uploader {
	if realOnes(t, 1) > 1 {
		return clients
	}
	return clients[:cheap]
}

func TestCut_noRealClientThatIsKilledLeavesPartOfAFile(t *testing.T) {
	t.Parallel()
	n := begin(t, options{})
	for _, c := range tested(t) {
		before := len(n.imported(t))
		count := realOnes(t, 6)
		sideBySide(count, 3, func(i int) { killReal(t, n, c, i) })
		n.settle(t)
		done := len(n.imported(t)) - before
		t.Logf("%s: %d killed, %d of them had been done and were imported, whole", c.name, count, done)
		if done == count {
			t.Errorf("%s: want some to be killed in the middle, all were done", c.name)
		}
	}
}

// killReal signals a client at some moment of its upload.
func killReal(t *testing.T, n *node, c uploader, i int) {
	// The gate itself is slow for every other one: then much of the file is on its way when the client dies.
	who, slowly := user, i%2 == 0 && c.name != "ncftp"
	size := killSize
	if !slowly {
		who, size = "slow", 4*killSize
	}
	file, remove := fileOf(t, named(c.name+"_cut", i, size))
	defer remove()
	cmd := c.command(n.addr, who, file, c.secure && i/2%2 == 1, slowly)
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return
	}
	time.Sleep(50*time.Millisecond + rand.N(500*time.Millisecond)) // the moment is what is tested
	signal := signals[i%len(signals)]
	if c.finishes && signal == syscall.SIGINT {
		signal = syscall.SIGKILL
	}
	_ = cmd.Process.Signal(signal)
	_ = cmd.Wait()
}

func TestWhole_noneOfARealClientIsRejected(t *testing.T) {
	t.Parallel()
	n := begin(t, options{})
	var mu sync.Mutex
	var names []string
	for _, c := range tested(t) {
		var failed atomic.Int64
		sideBySide(realOnes(t, 6), 3, func(i int) {
			name := named(c.name, i, 1+rand.IntN(1<<uint(4+rand.IntN(16))))
			if err := uploadReal(t, n, c, name, i); err != nil {
				failed.Add(1)
				t.Errorf("%s: %v", name, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			names = append(names, name)
		})
		t.Logf("%s: %d failed", c.name, failed.Load())
	}
	n.awaitImported(t, names)
}

// uploadReal has a client upload a file; every other Python leaves without a word.
func uploadReal(t *testing.T, n *node, c uploader, name string, i int) error {
	file, remove := fileOf(t, name)
	defer remove()
	cmd := c.command(n.addr, user, file, c.secure && i/2%2 == 1, false)
	if c.name == "python" && i%2 == 1 {
		cmd.Args[len(cmd.Args)-1] = "true"
	}
	out, err := output(cmd) // rclone wants to see the file afterwards, which has been imported by then
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// output is what a command says within a minute.
func output(cmd *exec.Cmd) (string, error) {
	late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// ncftp and tnftp end their data at Ctrl-C like a file that is whole, and wait for the answer. Nothing but its format can tell.
func TestCut_theFormatTellsOfAClientThatLivesOn(t *testing.T) {
	t.Parallel()
	n := begin(t, options{rule: "complete: { settle: 100ms, patience: 1h }\nthumbnails: { sizes: [] }\n"})
	var names []string
	for i := range 20 {
		name := fmt.Sprintf("ends-%d.png", i)
		names = append(names, name)
		c, err := login(n.addr, client(i), user, i%2 == 1)
		check(t, err)
		check(t, c.upload(name, contentOf(name)[:1+rand.IntN(len(contentOf(name))-1)]))
		leaves[i%len(leaves)](c)
	}
	whole := named("whole", 0, 1000)
	c, err := login(n.addr, client(0), user, false)
	check(t, err)
	check(t, c.upload(whole, contentOf(whole)))
	within(t, time.Minute, "what has no format is imported", func() bool { return n.imported(t)[whole] == 1 })
	if got := n.imported(t); len(got) != 1 {
		t.Errorf("want no part of a picture imported, got %v", got)
	}
	for _, name := range names {
		check(t, c.upload(name, contentOf(name)))
	}
	n.awaitImported(t, append(names, whole))
}
