package node

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// crashPlan tells a child process where to die. With neither Step nor Nth it does not; with Count it prints what it did.
type crashPlan struct {
	Dir    string
	Rule   config.Rule
	Step   string // before this step of the walk; "end" is after the last
	Nth    int    // at this operation on the store after the drop was seen, from 1
	After  bool   // when the operation has taken effect
	Count  bool
	Drops  int
	Within time.Duration
}

// runChild is the main of a child process: a node that dies as planned, by SIGKILL to itself.
func runChild(text string) {
	var plan crashPlan
	if err := json.Unmarshal([]byte(text), &plan); err != nil {
		fatal(err)
	}
	s := config.Default()
	s.Node.ID, s.Storage.URL = "child", plan.Dir
	s.Node.Roles = []string{config.RoleImport, config.RoleThumbnails}
	var fault *storagetest.Fault
	o := Options{
		Settings: s, Rules: fixedRules{plan.Rule}, Log: zap.NewNop(), Registry: prometheus.NewRegistry(),
		Wrap: func(inner storage.Store) storage.Store {
			fault = storagetest.NewFault(inner)
			fault.OnCrash = func(string, asset.Key) { die() }
			return fault
		},
		Step: func(step, _ string, _ asset.Key) {
			if step == "settle" {
				plan.arm(fault)
			}
			if plan.Step != "" && (step == plan.Step || step == "" && plan.Step == "end") {
				die()
			}
		},
	}
	n, err := New(context.Background(), o)
	if err != nil {
		fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), plan.Within)
	defer cancel()
	go plan.stopWhenDone(ctx, n, cancel)
	if err := n.Run(ctx); err != nil {
		fatal(err)
	}
	if plan.Count {
		fmt.Println(strings.Join(fault.Ops(), "\n"))
	}
}

// arm counts operations from the first look at the drop, so that what the node does at its start is not swept each time.
func (p *crashPlan) arm(f *storagetest.Fault) {
	if p.Count {
		f.Reset()
	}
	if p.Nth > 0 {
		r := storagetest.Rule{After: p.Nth - 1, Times: 1, Crash: true}
		if p.After {
			r.When = storagetest.After
		}
		f.Inject(r)
		p.Nth = 0
	}
}

func (p *crashPlan) stopWhenDone(ctx context.Context, n *Node, cancel func()) {
	for ctx.Err() == nil {
		if st := n.room.Status(); len(st) == 1 && st[0].Counts.Imported == uint64(p.Drops) {
			cancel()
		}
		time.Sleep(time.Millisecond)
	}
}

func die() {
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(3)
}

// child runs a plan in a process of its own. killed tells whether it died as planned.
func child(t *testing.T, p crashPlan) (out string, killed bool) {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "HOTFOLDERD_TEST_CHILD="+string(text))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return stdout.String(), true
	}
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	return stdout.String(), false
}

var crashDrop = jpeg(50_000, 7)

// crashRound drops a file, lets a child die by the plan, looks at what lies about, and finishes with a healthy node.
func crashRound(t *testing.T, p crashPlan) (killed bool) {
	t.Helper()
	p.Dir, p.Drops, p.Within = t.TempDir(), 1, 20*time.Second
	drop := filepath.Join(p.Dir, "hotfolders", "inbox", "sub", "a.jpg")
	write(t, drop, crashDrop)
	_, killed = child(t, p)
	checkNothingHalf(t, p.Dir, drop)

	n := start(t, options(t, p.Dir, p.Rule))
	defer n.end()
	want := asset.Key("inbox/sub/a.jpg")
	within(t, 20*time.Second, "imported after the crash", func() bool {
		_, err := os.Lstat(drop)
		gone := errors.Is(err, fs.ErrNotExist)
		return (gone || p.Rule.After == config.AfterKeep) && string(imported(t, n.Area(), want)) == string(crashDrop)
	})
	if _, number, err := n.Area().Current(t.Context(), want); err != nil || number != 1 {
		t.Errorf("want version 1, got %d, %v", number, err)
	}
	if got := len(records(t, n.stores.all["file://"+p.Dir])); got != 1 {
		t.Errorf("want one record, got %d", got)
	}
	n.end()
	checkNothingHalf(t, p.Dir, drop)
	checkNoLeavings(t, p.Dir)
	return killed
}

// checkNothingHalf holds at every moment: the drop is still there whole or its import can be seen; every asset has the bytes
// of its name; every name leads to bytes that are there.
func checkNothingHalf(t *testing.T, dir, drop string) {
	t.Helper()
	area := filepath.Join(dir, "workarea")
	data, err := os.ReadFile(drop)
	dropped := err == nil && sum(data) == sum(crashDrop)
	seen := false
	walkFiles(t, filepath.Join(area, "assets"), func(path string, data []byte) {
		if sum(data).String() != filepath.Base(path) {
			t.Errorf("half an asset: %s has %d bytes", path, len(data))
		}
		seen = seen || sum(data) == sum(crashDrop)
	})
	walkFiles(t, filepath.Join(area, "catalog"), func(path string, data []byte) {
		var rec asset.Record
		if err := json.Unmarshal(data, &rec); err != nil {
			t.Errorf("half a catalog entry: %s: %v", path, err)
			return
		}
		if _, err := os.Stat(filepath.Join(area, "assets", string(rec.Content.Hash.Shard()))); err != nil {
			t.Errorf("a name whose bytes are not there: %v", err)
		}
	})
	walkFiles(t, filepath.Join(area, "image-cache"), func(path string, data []byte) {
		if filepath.Ext(path) == ".jpg" && !strings.HasSuffix(string(data), "\xff\xd9") {
			t.Errorf("half a thumbnail: %s", path)
		}
	})
	if !dropped && !seen && !asideHas(t, dir) {
		t.Error("the drop is lost: neither in its hotfolder nor imported")
	}
}

// asideHas looks for the drop among what a removal had set aside; the next start gives it its name back.
func asideHas(t *testing.T, dir string) (found bool) {
	walkFiles(t, filepath.Join(dir, ".hotfolderd"), func(path string, data []byte) {
		found = found || strings.Contains(path, "/aside/") && sum(data) == sum(crashDrop)
	})
	return found
}

// checkNoLeavings: after an orderly end nothing of ours is left but the store.
func checkNoLeavings(t *testing.T, dir string) {
	t.Helper()
	private := filepath.Join(dir, ".hotfolderd")
	walkFiles(t, private, func(path string, _ []byte) {
		below := strings.TrimPrefix(path, private) // the test's own folder may lie in /tmp
		if strings.Contains(below, "/tmp/") || strings.Contains(below, "/aside/") {
			t.Errorf("left behind: %s", path)
		}
	})
}

func walkFiles(t *testing.T, dir string, f func(path string, data []byte)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		f(path, data)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

func withThumbnails(r *config.Rule) { r.Thumbnails.Sizes = []int{64} }
func withLibrary(r *config.Rule)    { r.Library = true }
func archived(r *config.Rule)       { r.After = config.AfterArchive }
func kept(r *config.Rule)           { r.After = config.AfterKeep }

func TestCrash_atEveryStepOfTheWalk(t *testing.T) {
	for _, step := range []string{"settle", "claim", "stage", "thumbnails", "commit", "apply", "remove", "end"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			if !crashRound(t, crashPlan{Step: step, Rule: rule("inbox", withThumbnails, withLibrary)}) {
				t.Error("the child did not reach this step")
			}
		})
	}
}

func TestCrash_atEveryOperationOnTheStore(t *testing.T) {
	for name, change := range map[string]func(*config.Rule){"remove": withLibrary, "archive": archived, "keep": kept} {
		t.Run(name, func(t *testing.T) {
			r := rule("inbox", withThumbnails, change)
			ops := countOps(t, r)
			t.Logf("%d operations for one import", ops)
			for nth := 1; nth <= ops; nth++ {
				for _, after := range []bool{false, true} {
					t.Run(fmt.Sprintf("%d/after=%v", nth, after), func(t *testing.T) {
						t.Parallel()
						crashRound(t, crashPlan{Nth: nth, After: after, Rule: r})
					})
				}
			}
		})
	}
}

// countOps is how many operations on the store an import takes, from the first look on.
func countOps(t *testing.T, r config.Rule) int {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "hotfolders", "inbox", "sub", "a.jpg"), crashDrop)
	out, _ := child(t, crashPlan{Dir: dir, Rule: r, Count: true, Drops: 1, Within: 20 * time.Second})
	n := 0
	for s := bufio.NewScanner(strings.NewReader(out)); s.Scan(); n++ {
		t.Log(s.Text())
	}
	if n < 10 {
		t.Fatalf("want the operations of an import, got %d", n)
	}
	return n
}
