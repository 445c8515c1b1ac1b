package thumbnails

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"hotfolderd/storage"
)

// The settings of [Become], which go by the environment since arguments are the program's.
const (
	envMemory  = "HOTFOLDERD_LIMIT_MEMORY"
	envSeconds = "HOTFOLDERD_LIMIT_SECONDS"
)

// programFiles is how many files a program may have open.
const programFiles = 64

var errTooMuch = errors.New("more than can be taken")

// runProgram gives what a program writes. The file lies in a folder that has no other, under no name.
func runProgram(ctx context.Context, command []string, p program, size string, in io.Reader, lim Limits) ([]byte, error) {
	dir, err := os.MkdirTemp("", "hotfolderd-picture-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file, err := spooled(ctx, dir, in)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	ctx, cancel := context.WithTimeoutCause(ctx, lim.Timeout, errTimeout)
	defer cancel()
	argv := append(append([]string{}, command...), append([]string{p.name}, p.argv(size)...)...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	out, said := &limited{most: renditionBytes}, &limited{most: tailBytes}
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, file, out, said
	cmd.Env = []string{
		"PATH=" + programPath, "HOME=" + dir, "TMPDIR=" + dir, "LANG=C.UTF-8",
		envMemory + "=" + strconv.FormatInt(lim.Memory, 10), envSeconds + "=" + strconv.FormatInt(int64(lim.Timeout/time.Second)+1, 10),
	}
	cmd.WaitDelay = childGrace
	confine(cmd)
	cmd.Cancel = func() error { return killGroup(cmd) }
	err = onThread(cmd.Run)
	switch {
	case context.Cause(ctx) == errTimeout:
		return nil, timedOut(lim)
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil || out.over || out.Len() == 0:
		return nil, &Error{Kind: Corrupt, Reason: fmt.Sprintf("%s cannot show this %s: %s", p.name, p.label, complaint(said.Bytes())), Err: err}
	}
	return out.Bytes(), nil
}

// spooled is a file with these bytes, read from its start, that has no name any more.
func spooled(ctx context.Context, dir string, in io.Reader) (*os.File, error) {
	f, err := os.CreateTemp(dir, "")
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(f, storage.Reading(ctx, in))
	err = errors.Join(err, os.Remove(f.Name()))
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, &readError{err}
	}
	return f, nil
}

// limited keeps what is written up to a bound; one more byte is an error, which ends who writes.
type limited struct {
	bytes.Buffer
	most int
	over bool
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > l.most {
		l.over = true
		return 0, errTooMuch
	}
	return l.Buffer.Write(p)
}

// onThread runs f on a thread that stays until f has ended: the system ends a child with the thread that started it.
func onThread(f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return f()
}
