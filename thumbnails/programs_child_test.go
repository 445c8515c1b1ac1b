package thumbnails

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// asProgram is what the test's own process does in place of a program of others.
func asProgram(how string) {
	switch how {
	case "program":
		fmt.Fprintln(os.Stderr, Become(os.Args[1:]))
	case "hang as a program":
		time.Sleep(time.Hour)
	case "pry as a program":
		pry()
	}
	os.Exit(1)
}

// pry takes the limits of a program upon itself and says what it can do then.
func pry() {
	entries, _ := os.ReadDir(".")
	if err := holdBack(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, socket := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	_, read := os.ReadFile("/etc/passwd")
	_, library := os.ReadDir("/usr/lib")
	write := os.WriteFile("written", []byte("x"), 0o600)
	remove := unix.Unlink(os.Args[len(os.Args)-1])
	parent := unix.Kill(os.Getppid(), 0)
	var files, memory, seconds, bytes unix.Rlimit
	_ = unix.Getrlimit(unix.RLIMIT_NOFILE, &files)
	_ = unix.Getrlimit(unix.RLIMIT_AS, &memory)
	_ = unix.Getrlimit(unix.RLIMIT_CPU, &seconds)
	_ = unix.Getrlimit(unix.RLIMIT_FSIZE, &bytes)
	fmt.Fprintf(os.Stderr, "folder=%d socket=%v remove=%v parent=%v library=%v files=%d memory=%d seconds=%d bytes=%d secret=%s; %v; %v\n",
		len(entries), socket, remove, parent, library, files.Max, memory.Max, seconds.Max, bytes.Max, os.Getenv("AWS_SECRET_ACCESS_KEY"), read, write)
}
