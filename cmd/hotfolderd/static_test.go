package main

import (
	"debug/elf"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestBuild_isStatic: what `make build` makes runs where there is no C library.
func TestBuild_isStatic(t *testing.T) {
	bin := t.TempDir()
	cmd := exec.Command("make", "-s", "-C", "../..", "build", "BIN="+bin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	f, err := elf.Open(filepath.Join(bin, "hotfolderd"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the program needs a dynamic linker")
		}
	}
}
