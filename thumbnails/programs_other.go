//go:build !linux

package thumbnails

import (
	"errors"
	"os/exec"
)

// Become is not possible here: without Linux there is nothing that holds a program back.
func Become([]string) error { return errors.New("programs of others run on Linux only") }

func killGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }
