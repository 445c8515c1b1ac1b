package node

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hotfolderd/config"
)

// straced runs a plan under strace, which lets system calls fail. How the child ends is not looked at: a node may give up. It
// returns what strace has seen of syncing and naming.
func straced(t *testing.T, p crashPlan, inject ...string) []string {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("this test lets system calls fail by strace (apt-get install strace): %v", err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "strace")
	args := []string{"-f", "--seccomp-bpf", "-y", "-s", "4096", "-o", log, "-e", "trace=fsync,syncfs,fdatasync,renameat,renameat2,linkat"}
	for _, i := range inject {
		args = append(args, "-e", "inject="+i)
	}
	cmd := exec.CommandContext(t.Context(), strace, append(args, os.Args[0])...)
	cmd.Env = append(os.Environ(), "HOTFOLDERD_TEST_CHILD="+string(text))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Logf("the node ended with %v: %s", err, out)
	}
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []string
	for s := bufio.NewScanner(f); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return lines
}

var (
	syncLine   = regexp.MustCompile(`^(\d+) +fsync\(\d+<[^>]*/tmp/([0-9a-f]+)>`)
	failedLine = regexp.MustCompile(`^(\d+) .*fsync.*= -1 EIO`)
	namedLine  = regexp.MustCompile(`^\d+ +(?:renameat2?|linkat)\(\d+<[^>]*/tmp>, "([0-9a-f]+)"`)
)

// checkNoNameAfterEIO reads what strace has seen: bytes whose fsync failed are lost, and must never get a name, also when a later
// fsync of them succeeds. It returns how many such bytes there were.
func checkNoNameAfterEIO(t *testing.T, lines []string) (lost int) {
	t.Helper()
	syncing, broken := map[string]string{}, map[string]bool{} // by thread; by name in tmp
	for _, line := range lines {
		if m := syncLine.FindStringSubmatch(line); m != nil {
			syncing[m[1]] = m[2]
		}
		if m := failedLine.FindStringSubmatch(line); m != nil && syncing[m[1]] != "" {
			broken[syncing[m[1]]] = true
		}
		if strings.Contains(line, "= 0") || strings.Contains(line, "= -1") {
			thread, _, _ := strings.Cut(line, " ")
			delete(syncing, thread)
		}
		if m := namedLine.FindStringSubmatch(line); m != nil && broken[m[1]] {
			t.Errorf("bytes whose fsync failed got a name: %s", line)
		}
	}
	return len(broken)
}

// Each round drops something and lets the node work with a disk that fails again and again, from another moment on; a round may end
// at once, because a node refuses to start on such a disk. (strace counts calls for each thread by itself.)
func TestDisk_failingSyncsLoseNothing(t *testing.T) {
	const rounds, perRound = 4, 20
	for name, faults := range map[string][]string{
		"some of both":           {"fsync:error=EIO:when=%d+5", "syncfs:error=EIO:when=1+2"},
		"all syncfs, some fsync": {"fsync:error=EIO:when=%d+7", "syncfs:error=EIO"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rule("inbox", withThumbnails, patient)
			dir, drops := t.TempDir(), map[string][]byte{"crash.jpg": crashDrop}
			inbox := filepath.Join(dir, "hotfolders", "inbox")
			write(t, filepath.Join(inbox, "crash.jpg"), crashDrop)
			injected, lost := 0, 0
			for round := range rounds {
				for i := range perRound {
					name, data := fmt.Sprintf("%d-%d.jpg", round, i), jpeg(3000+i*2000, uint64(round*perRound+i))
					drops[name] = data
					write(t, filepath.Join(inbox, name), data)
				}
				p := crashPlan{Dir: dir, Rule: r, Drops: checkLeft(t, inbox, drops), Within: 5 * time.Second}
				var inject []string
				for _, f := range faults {
					inject = append(inject, strings.Replace(f, "%d", fmt.Sprint(3+4*round), 1))
				}
				lines := straced(t, p, inject...)
				injected += strings.Count(strings.Join(lines, "\n"), "(INJECTED)")
				lost += checkNoNameAfterEIO(t, lines)
				checkNothingHalf(t, dir, filepath.Join(inbox, "crash.jpg"))
			}
			t.Logf("%d syncs failed, %d of them of staged bytes; %d drops left", injected, lost, checkLeft(t, inbox, drops))
			if injected < 2*rounds || lost == 0 {
				t.Error("too few syncs failed to say anything")
			}

			n := start(t, options(t, dir, r))
			n.importedOnce(drops)
			n.end()
			checkNothingHalf(t, dir, filepath.Join(inbox, "crash.jpg"))
			checkNoLeavings(t, dir)
		})
	}
}

// patient gives no drop up.
func patient(r *config.Rule) {
	r.Retry = config.Retry{Attempts: 1000, Backoff: config.Duration(time.Millisecond), MaxBackoff: config.Duration(20 * time.Millisecond)}
}

// checkLeft counts the drops that still lie in their hotfolder; each must be whole.
func checkLeft(t *testing.T, inbox string, drops map[string][]byte) (left int) {
	t.Helper()
	for name, data := range drops {
		got, err := os.ReadFile(filepath.Join(inbox, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil || sum(got) != sum(data):
			t.Errorf("want %s whole, got %d bytes, %v", name, len(got), err)
		}
		left++
	}
	return left
}
