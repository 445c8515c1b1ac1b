//go:build powercut

// Package powercut cuts the power of file systems that a node works on, and looks at what is left.
//
// Each file system lies in an image behind a loop device. The cut is the ioctl that ext4 and XFS have for this: from then on
// nothing reaches the image, neither from the journal in memory nor from the page cache, and every call fails. Then the node is
// killed, the file system is unmounted and mounted again, its journal is replayed, and what is there is held against what was
// known: which drops were durable, and what the node had announced. What it cannot show is a disk that loses what it said was
// flushed, or that writes half a sector.
//
// It needs root, loop devices, mkfs.ext4 and mkfs.xfs, and says so where one is missing. It works in a mount namespace of its
// own, so that mounts and loop devices are gone when its process is, however that ends.
package powercut

import (
	"flag"
	"fmt"
	"os"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

const (
	envChild  = "HOTFOLDERD_POWERCUT_CHILD"
	envInside = "HOTFOLDERD_POWERCUT_INSIDE"
)

var roundsFlag = flag.Int("rounds", 0, "cuts on each file system; 0 is every kind of cut once")

func TestMain(m *testing.M) {
	if plan := os.Getenv(envChild); plan != "" {
		runChild(plan)
		return
	}
	if err := moveInside(); err != nil {
		fmt.Fprintf(os.Stderr, "power cuts need root, loop devices and unshare(1) of util-linux: %v\n", err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// moveInside begins this program again in a mount namespace of its own.
func moveInside() error {
	if os.Getenv(envInside) != "" {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("this is user %d", os.Geteuid())
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		return err
	}
	const unshare = "/usr/bin/unshare"
	args := append([]string{unshare, "--mount", "--propagation", "private", os.Args[0]}, os.Args[1:]...)
	return fmt.Errorf("%s: %w", unshare, syscall.Exec(unshare, args, append(os.Environ(), envInside+"=1")))
}
