package posix

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childEnv names the store that a child process is to open, stage something in, and hold until its input ends.
const childEnv = "POSIX_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := child(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func child(dir string) error {
	s, err := Open(context.Background(), dir, Options{})
	if err != nil {
		return err
	}
	t, err := s.stage()
	if err != nil {
		return err
	}
	if _, err := t.Write([]byte("half of a fi")); err != nil {
		return err
	}
	fmt.Println(s.boot.key.Join(tmpName).Join("1"))
	_, err = io.Copy(io.Discard, os.Stdin)
	return err // without Close, like a process that was killed
}
