//go:build nfslab

package nfslab_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/test/nfslab"
	"hotfolderd/test/nfslab/guest"
)

// storeTests is the program of the tests of storage/posix, for guests.
func storeTests(t *testing.T, l *nfslab.Lab) (program string) {
	t.Helper()
	program = filepath.Join(l.Dir, "posix.test")
	cmd := exec.Command("go", "test", "-c", "-tags", "nodynamic,nfslab", "-o", program, "hotfolderd/storage/posix")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// TestStore_keepsTheContractOnNFS runs the suite of all stores on a real share.
func TestStore_keepsTheContractOnNFS(t *testing.T) {
	l := nfslab.Start(t, 1, 512)
	program := storeTests(t, l)
	for _, version := range []string{"3", "4.2"} {
		l.Mount(l.Clients[0], "/mnt/"+version, version, "")
		inGuest(t, l, 0, filepath.Join(l.Dir, "suite-"+version+".log"), "TMPDIR=/mnt/"+version, program, "-test.run", "^TestStore_keepsTheContract$/^as_on_a_share$", "-test.timeout", "20m")
	}
}

// TestStore_aCreateHasOneWinnerOnNFS has three clients put the same keys, only if absent. While they do, the server's wire is cut for a moment and
// the server started anew, over and over: then answers are lost, and the server has forgotten what it did for whom.
func TestStore_aCreateHasOneWinnerOnNFS(t *testing.T) {
	n := 300
	if more, err := strconv.Atoi(os.Getenv("HOTFOLDERD_RACES")); err == nil {
		n = more
	}
	l := nfslab.Start(t, 3, 512)
	program := storeTests(t, l)
	for _, version := range []string{"3", "4.2"} {
		for _, cut := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/cut=%v", version, cut), func(t *testing.T) {
				at := fmt.Sprintf("/mnt/%s-%v", version, cut)
				for _, c := range l.Clients {
					l.Mount(c, at, version, "")
				}
				dir := fmt.Sprintf("%s/races-%s-%v", at, version, cut)
				l.Clients[0].Call("MakeDir", dir, &guest.None{})
				cuts, begin := 0, time.Now()
				winners := race(t, l, program, dir, n, func(stop <-chan struct{}) {
					if cut {
						cuts = loseAnswers(l, stop)
					}
				})
				audit(t, l, dir, n, winners)
				t.Logf("NFS %s: %d keys in %v, won by each client: %s; the server was cut off %d times and started anew %d times", version, n,
					time.Since(begin).Round(time.Second), shareOf(winners, len(l.Clients)), cuts, (cuts+restartEach-1)/restartEach)
			})
		}
	}
}

// race has all clients put the same keys at once and tells who says that it has won each. It begins when all have opened the store;
// then meanwhile is called, which ends before they close it: a server that was just started neither gives nor takes locks for a while.
func race(t *testing.T, l *nfslab.Lab, program, dir string, n int, meanwhile func(stop <-chan struct{})) map[string][]int {
	t.Helper()
	var mu sync.Mutex
	winners := map[string][]int{}
	begun := filepath.Join(l.Dir, filepath.Base(dir)+".begun")
	var all sync.WaitGroup
	var logs []string
	for i, c := range l.Clients {
		log := filepath.Join(l.Dir, filepath.Base(dir)+"-"+c.Name+".log")
		logs = append(logs, log)
		all.Go(func() {
			out := inGuest(t, l, i, log, "HOTFOLDERD_RACE_IN="+dir, "HOTFOLDERD_RACE_AS="+strconv.Itoa(i), "HOTFOLDERD_RACES="+strconv.Itoa(n),
				"HOTFOLDERD_RACE_BEGUN="+begun, program, "-test.run", "^TestInGuest_races$", "-test.v", "-test.timeout", "0")
			mu.Lock()
			defer mu.Unlock()
			for line := range strings.Lines(out) {
				if key, ok := strings.CutPrefix(strings.TrimSpace(line), "won "); ok {
					winners[key] = append(winners[key], i)
				}
			}
		})
	}
	awaitWord(t, logs, "ready", 5*time.Minute)
	if err := os.WriteFile(begun, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var also sync.WaitGroup
	also.Go(func() { meanwhile(stop) })
	awaitWord(t, logs, "raced", 2*time.Hour)
	close(stop)
	also.Wait()
	all.Wait()
	return winners
}

// awaitWord waits until all clients have said a word, or have failed, which its inGuest tells of.
func awaitWord(t *testing.T, logs []string, word string, patience time.Duration) {
	t.Helper()
	silent := func(log string) bool {
		said, _ := os.ReadFile(log)
		return !strings.Contains(string(said), word+"\n") && !strings.Contains(string(said), "FAIL")
	}
	for end := time.Now().Add(patience); slices.ContainsFunc(logs, silent); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the clients are not %s after %v", word, patience)
		}
	}
}

// audit sees that each key was won by one, and holds what that one put.
func audit(t *testing.T, l *nfslab.Lab, dir string, n int, winners map[string][]int) {
	t.Helper()
	var held map[string]string
	l.Clients[0].Call("ReadAll", dir+"/raced", &held)
	if len(held) != n {
		t.Errorf("want %d keys, got %d", n, len(held))
	}
	for name, by := range held {
		if got := fmt.Sprint(winners["raced/"+name]); got != "["+by+"]" {
			t.Errorf("%s: want it won by %s, which put what is there, got %s", name, by, got)
		}
	}
}

// restartEach is how many cuts there are for each start anew, after which a server of NFS 4 waits for its old clients and takes nothing new.
const restartEach = 10

// loseAnswers cuts the server off for a moment, again and again, and now and then starts it anew, until stop is closed.
func loseAnswers(l *nfslab.Lab, stop <-chan struct{}) (cuts int) {
	for {
		select {
		case <-stop:
			return cuts
		case <-time.After(3 * time.Second):
		}
		l.Server.Cut()
		time.Sleep(100 * time.Millisecond)
		l.Server.Mend()
		if cuts%restartEach == 0 {
			_ = l.Server.Try("StopServer", guest.None{}, &guest.None{})
			_ = l.Server.Try("StartServer", false, &guest.None{})
		}
		cuts++
	}
}

func shareOf(winners map[string][]int, clients int) string {
	counts := make([]int, clients)
	for _, by := range winners {
		for _, i := range slices.Compact(by) {
			counts[i]++
		}
	}
	return fmt.Sprint(counts)
}

// inGuest runs a program in a guest until it ends, however long that takes. It returns what it wrote to its log.
func inGuest(t *testing.T, l *nfslab.Lab, client int, log string, argv ...string) string {
	t.Helper()
	g := l.Clients[client]
	var pid int
	g.Call("Start", guest.Command{Argv: append([]string{"/usr/bin/env"}, argv...), Log: log, Dir: l.Dir}, &pid)
	var how string
	err := g.Try("Wait", pid, &how)
	for err != nil && strings.Contains(err.Error(), "no answer") {
		err = g.Try("Wait", pid, &how)
	}
	out, _ := os.ReadFile(log)
	if err != nil || how != "" {
		t.Errorf("%v on %s: %v %s\n%s", argv, g.Name, err, how, out[max(0, len(out)-4000):])
	}
	return string(out)
}
