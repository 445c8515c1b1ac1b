//go:build powercut

package powercut

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	imageSize = 512 << 20 // sparse; mkfs.xfs refuses less than 300 MB
	// goingDown is EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN: one number. noLogFlush lets nothing more reach the disk.
	goingDown  = 0x8004587d
	noLogFlush = 2
)

// disk is a file system that can lose its power.
type disk struct {
	image string
	dir   string // where it is mounted

	mu  sync.Mutex
	cut bool
}

// newDisk makes and mounts a file system of this kind; with the test everything of it ends.
func newDisk(t *testing.T, kind string) *disk {
	t.Helper()
	base := t.TempDir()
	d := &disk{image: filepath.Join(base, kind+".img"), dir: filepath.Join(base, "disk")}
	if err := os.Mkdir(d.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, imageSize); err != nil {
		t.Fatal(err)
	}
	run(t, "mkfs."+kind, "-q", d.image)
	t.Cleanup(func() { _ = exec.Command("umount", "-l", d.dir).Run() }) // the last resort: mostly it is unmounted by then
	d.mount(t)
	return d
}

func (d *disk) mount(t *testing.T) { run(t, "mount", "-o", "loop", d.image, d.dir) }

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

// powerCut is the moment. Only the first call of a round does anything.
func (d *disk) powerCut() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return nil
	}
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.IoctlSetPointerInt(int(f.Fd()), goingDown, noLogFlush); err != nil {
		return fmt.Errorf("cut the power of %s: %w", d.dir, err)
	}
	d.cut = true
	return nil
}

// isCut reports whether the power is gone. What was done before an answer of no was done before the cut.
func (d *disk) isCut() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cut
}

// powerUp mounts again what was cut, which replays its journal.
func (d *disk) powerUp(t *testing.T) {
	t.Helper()
	d.unmount(t)
	d.mount(t)
	d.mu.Lock()
	d.cut = false
	d.mu.Unlock()
}

// unmount waits for the last file of a killed process to be closed.
func (d *disk) unmount(t *testing.T) {
	t.Helper()
	var err error
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err = unix.Unmount(d.dir, 0); !errors.Is(err, unix.EBUSY) {
			break
		}
	}
	if err != nil {
		t.Fatalf("unmount: %v", err)
	}
}
