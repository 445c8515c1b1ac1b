package ftp_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// program is the binary under test, built once.
var program string

func TestMain(m *testing.M) {
	if os.Getenv(crowdEnv) != "" {
		os.Exit(beCrowd())
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hotfolderd-ftp-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "hotfolderd")
	out, err := exec.Command("go", "build", "-o", program, "../../cmd/hotfolderd").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "build hotfolderd: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// number is what an environment variable says, or else.
func number(t testing.TB, name string, orElse int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return orElse
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: want a number from 1, got %q", name, text)
	}
	return n
}

// uploads is how many are tried of each kind.
func uploads(t testing.TB, few int) int { return number(t, "HOTFOLDERD_UPLOADS", few) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
