package thumbnails

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// confine gives the process a group of its own, so that a key pressed in our terminal is not for it, and has the system
// kill it when the thread that starts it ends.
func confine(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func onMainThread() bool { return syscall.Gettid() == os.Getpid() }

// lowerPriority is for the calling thread, which must be locked, and what it starts. It fails only where it does no
// harm.
func lowerPriority() {
	// The system call counts from 40 (most favoured) down to 1.
	raw, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err == nil {
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, min(20-raw+niceness, 19))
	}
}

// memoryOf returns a function that tells how many bytes of memory the process uses. The open file belongs to the
// process, not to its number: after its end there is an error, never another process's figure.
func memoryOf(pid int) (read func() (int64, error), closer func() error, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return nil, nil, err
	}
	return func() (int64, error) {
		var b [128]byte
		n, err := f.ReadAt(b[:], 0)
		if n == 0 {
			return 0, err
		}
		return parseStatm(b[:n])
	}, f.Close, nil
}

// parseStatm reads the second field, the resident pages.
func parseStatm(b []byte) (int64, error) {
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0, fmt.Errorf("statm %q", b)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}
