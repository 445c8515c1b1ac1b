package local

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hotfolderd/leases"
	"hotfolderd/leases/leasestest"
)

const holdVar = "HOTFOLDERD_TEST_HOLD"

// TestMain is also the other process: it holds the folder that it is told to until it is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(holdVar); dir != "" {
		l, err := New(dir)
		fmt.Println(err)
		for err == nil {
			time.Sleep(time.Hour)
		}
		fmt.Println(l)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

func TestLeaser_keepsTheContract(t *testing.T) {
	var dirs sync.Map
	leasestest.Run(t, func(t *testing.T) (a, b leases.Leaser) {
		dir, _ := dirs.LoadOrStore(t.Name(), t.TempDir())
		l, err := New(dir.(string))
		if err != nil {
			t.Fatal(err)
		}
		return l, l
	})
}

func TestUnlocked_keepsTheContractInOneProcess(t *testing.T) {
	var index atomic.Uint64
	leasestest.Run(t, func(t *testing.T) (a, b leases.Leaser) {
		l := Unlocked(7, index.Add(1)<<32)
		return l, l
	})
	l := Unlocked(7, 1<<62)
	defer l.Close()
	grants, err := l.Acquire(t.Context(), "p/1")
	if err != nil || !(leases.Token{Epoch: 7, Index: 1 << 62}).Less(grants[0].Lease.Token()) {
		t.Fatalf("want a token above the one it began with, got %+v, %v", grants, err)
	}
}

func TestNew_refusesASecondOneOnTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "made", "yet")
	first, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(dir)
	want := "another hotfolderd (pid " + strconv.Itoa(os.Getpid()) + ") works on this folder"
	if !errors.Is(err, leases.ErrHeld) || !strings.Contains(err.Error(), want) {
		t.Fatalf("want %q, got %v", want, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := New(dir)
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestShare_keepsAloneAndClusterApart(t *testing.T) {
	dir := t.TempDir()
	alone, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Share(dir)
	if want := "pid " + strconv.Itoa(os.Getpid()); !errors.Is(err, leases.ErrHeld) || !strings.Contains(err.Error(), want) {
		t.Fatalf("share what one node has alone: want %q, got %v", want, err)
	}
	if err := alone.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		shared, err := Share(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer shared.Close()
	}
	_, err = New(dir)
	if !errors.Is(err, leases.ErrHeld) || !strings.Contains(err.Error(), "nodes of a cluster") {
		t.Fatalf("be alone where a cluster works: got %v", err)
	}
}

func TestNew_killedHolderGivesTheFolderBack(t *testing.T) {
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), holdVar+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "<nil>\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	_, err = New(dir)
	if want := fmt.Sprintf("(pid %d)", child.Process.Pid); !errors.Is(err, leases.ErrHeld) || !strings.Contains(err.Error(), want) {
		t.Fatalf("want the child's %s, got %v", want, err)
	}
	epoch := epochOf(t, dir)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed
	l, err := New(dir)
	if err != nil {
		t.Fatalf("after kill -9: %v", err)
	}
	defer l.Close()
	if epochOf(t, dir) != epoch+1 {
		t.Fatalf("want epoch %d, got %d", epoch+1, epochOf(t, dir))
	}
}

func epochOf(t *testing.T, dir string) uint64 {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, epochName))
	if err != nil {
		t.Fatal(err)
	}
	n, err := parseEpoch(string(b))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNew_refusesADamagedEpoch(t *testing.T) {
	for _, content := range []string{"", "x", "-1", "1 2", "18446744073709551615", "99999999999999999999"} {
		dir := t.TempDir()
		path := filepath.Join(dir, epochName)
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		if l, err := New(dir); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Fatalf("%q: want an error, got %v, %v", content, l, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		l, err := New(dir) // the lock was given back
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNew_lostFolderKeepsTokensGrowing(t *testing.T) {
	dir := t.TempDir()
	for range 3 { // starts within one second count too
		l, err := New(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if e := epochOf(t, dir); e < uint64(time.Now().Add(-time.Hour).Unix()) {
		t.Fatalf("the epoch %d began lower than the clock", e)
	}
}

func TestAcquire_leaseOutlivesTheCallsContext(t *testing.T) {
	l, err := New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	grants, err := l.Acquire(ctx, "n", "n")
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(grants[1].Err, leases.ErrHeld) {
		t.Fatalf("the same name twice: want ErrHeld, got %v", grants[1].Err)
	}
	cancel()
	if err := grants[0].Lease.Context().Err(); err != nil {
		t.Fatalf("the lease ended with the call's context: %v", err)
	}
}

func FuzzParseEpoch(f *testing.F) {
	f.Add("1\n")
	f.Add("18446744073709551615")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseEpoch(s)
		if err == nil && n+1 <= n {
			t.Fatalf("%q does not grow", s)
		}
	})
}
