package node

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/hotfolder"
)

const envMounts = "HOTFOLDERD_TEST_MOUNTS"

// mayMount runs the calling test once more, in a process with a mount namespace of its own, where it may mount what it likes and
// everything is gone with the process. There it reports true. Who is not root becomes it by a user namespace.
func mayMount(t *testing.T) bool {
	t.Helper()
	if os.Getenv(envMounts) != "" {
		return true
	}
	flags, err := namespace()
	if err != nil {
		t.Fatalf("this test mounts a small tmpfs, for which it needs root or user namespaces, and there is neither: %v", err)
	}
	args := append(flags, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=2m", fmt.Sprintf("-test.v=%v", testing.Verbose()))
	cmd := exec.CommandContext(t.Context(), "unshare", args...)
	cmd.Env = append(os.Environ(), envMounts+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	} else if testing.Verbose() {
		t.Logf("%s", out)
	}
	return false
}

// namespace finds the arguments of unshare(1) that work here.
func namespace() (flags []string, err error) {
	for _, flags := range [][]string{{"--mount"}, {"--mount", "--user", "--map-root-user"}} {
		flags = append(flags, "--propagation", "private")
		out, failed := exec.Command("unshare", append(slices.Clone(flags), "true")...).CombinedOutput()
		if failed == nil {
			return flags, nil
		}
		err = errors.Join(err, fmt.Errorf("%w: %s", failed, out))
	}
	return nil, err
}

// tmpfs mounts one with these options until the test ends.
func tmpfs(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillSpace writes a file until there is no room at all, then gives some back.
func fillSpace(t *testing.T, dir string, leave int64) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	size, serr := f.Seek(0, io.SeekCurrent)
	if !errors.Is(err, syscall.ENOSPC) || serr != nil {
		t.Fatal(err, serr)
	}
	if err := f.Truncate(size - leave); err != nil {
		t.Fatal(err)
	}
	return func() { os.Remove(path) }
}

// fillInodes makes empty files until there can be no more.
func fillInodes(t *testing.T, dir string) (free func()) {
	t.Helper()
	fillers := filepath.Join(dir, "fillers")
	err := os.Mkdir(fillers, 0o777)
	for i := 0; err == nil; i++ {
		err = os.WriteFile(filepath.Join(fillers, fmt.Sprint(i)), nil, 0o666)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() { os.RemoveAll(fillers) }
}

// prepared are whole files beside the store, on its file system, so that dropping them takes no room.
func prepared(t *testing.T, disk string, n int) map[string][]byte {
	t.Helper()
	all := map[string][]byte{"crash.jpg": crashDrop}
	for i := range n - 1 {
		all[fmt.Sprintf("%d.jpg", i)] = jpeg(100_000+i*10_000, uint64(i))
	}
	for name, data := range all {
		write(t, filepath.Join(disk, "prepared", name), data)
	}
	return all
}

// importedOnce waits until every drop is imported, and holds the ledger to it.
func (r *running) importedOnce(drops map[string][]byte) {
	r.t.Helper()
	for name, data := range drops {
		r.expect(name, data)
		if _, number, err := r.Area().Current(r.t.Context(), asset.Key("inbox/"+name)); err != nil || number != 1 {
			r.t.Errorf("%s: want version 1, got %d, %v", name, number, err)
		}
	}
	if got := len(records(r.t, r.stores.all["file://"+r.dir])); got != len(drops) {
		r.t.Errorf("want %d records, one for each drop, got %d", len(drops), got)
	}
	if got := r.status("inbox").Counts.Failed; got != 0 {
		r.t.Errorf("want nothing in failed/, got %d", got)
	}
}

// onFullDisk starts a node on a tmpfs, fills that up, drops, and waits until the node says so.
func onFullDisk(t *testing.T, tmpfsOptions string, fill func(disk string) (free func())) (r *running, drops map[string][]byte, free func()) {
	t.Helper()
	disk := tmpfs(t, tmpfsOptions)
	r = start(t, options(t, filepath.Join(disk, "store"), rule("inbox", impatient, withThumbnails)))
	within(t, 5*time.Second, "running", func() bool { return r.status("inbox").Watching != "" })
	drops = prepared(t, disk, 10)
	free = fill(disk)
	for name := range drops {
		if err := os.Rename(filepath.Join(disk, "prepared", name), r.inbox(name)); err != nil {
			t.Fatal(err)
		}
	}
	return r, drops, free
}

// staysFull holds for a while that nothing can be imported, nothing is given up, and nothing is half.
func (r *running) staysFull(t *testing.T, drops map[string][]byte) {
	t.Helper()
	within(t, 10*time.Second, "amber, and it says full", func() bool {
		s := r.status("inbox")
		return s.Level == hotfolder.Amber && strings.Contains(s.Reason, "full")
	})
	for range 10 {
		time.Sleep(20 * time.Millisecond) // nothing must happen in this time; there is nothing to wait for
		for name, data := range drops {
			if got, err := os.ReadFile(r.inbox(name)); err != nil || sum(got) != sum(data) {
				t.Fatalf("want %s left whole where it is: %d bytes, %v", name, len(got), err)
			}
		}
		checkNothingHalf(t, r.dir, r.inbox("crash.jpg"))
	}
	if s := r.status("inbox"); s.Counts.Imported != 0 || s.Counts.Failed != 0 {
		t.Errorf("want nothing imported and nothing given up, got %+v", s.Counts)
	}
}

func TestDisk_withoutSpaceDropsWaitAndGoOnWhenThereIsRoom(t *testing.T) {
	if !mayMount(t) {
		return
	}
	r, drops, free := onFullDisk(t, "size=8m", func(disk string) func() { return fillSpace(t, disk, 0) })
	r.staysFull(t, drops)
	free()
	r.importedOnce(drops)
	checkNothingHalf(t, r.dir, r.inbox("crash.jpg"))
	within(t, 5*time.Second, "green", func() bool { return r.status("inbox").Level == hotfolder.Green })
}

func TestDisk_withoutInodesDropsWaitAndGoOnWhenThereIsRoom(t *testing.T) {
	if !mayMount(t) {
		return
	}
	r, drops, free := onFullDisk(t, "size=64m,nr_inodes=400", func(disk string) func() { return fillInodes(t, disk) })
	r.staysFull(t, drops)
	free()
	r.importedOnce(drops)
	checkNothingHalf(t, r.dir, r.inbox("crash.jpg"))
	within(t, 5*time.Second, "green", func() bool { return r.status("inbox").Level == hotfolder.Green })
}

// Room for one drop, not for all at once: each import gives back what its drop took.
func TestDisk_withRoomForOneDropImportsAll(t *testing.T) {
	if !mayMount(t) {
		return
	}
	r, drops, _ := onFullDisk(t, "size=8m", func(disk string) func() { return fillSpace(t, disk, 600<<10) })
	r.importedOnce(drops)
	checkNothingHalf(t, r.dir, r.inbox("crash.jpg"))
}
