//go:build !linux

package thumbnails

import (
	"errors"
	"os/exec"
)

func confine(*exec.Cmd) {}

func onMainThread() bool { return false }

func lowerPriority() {}

// memoryOf is known on Linux only; elsewhere only the child's own collector holds the limit.
func memoryOf(int) (read func() (int64, error), closer func() error, err error) {
	return nil, nil, errors.ErrUnsupported
}
