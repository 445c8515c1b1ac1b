package cluster_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program is the binary under test, built once.
var program string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hotfolderd-cluster-")
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
