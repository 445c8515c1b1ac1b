// Command make writes the files that tests import: every format that hotfolderd knows, and the broken and hostile ones.
//
//	go run ./testdata/make [-dir testdata/assets]
//
// Everything is made here from code, with integer arithmetic, so that two runs give the same bytes and nothing has an
// owner elsewhere. It writes below the given folder only and removes nothing.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	dir := flag.String("dir", "testdata/assets", "folder to write into")
	flag.Parse()
	if err := write(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "make:", err)
		os.Exit(1)
	}
}

// write makes every file below dir. It overwrites what has the same name.
func write(dir string) error {
	for _, f := range files() {
		b, err := f.make()
		if err != nil {
			return fmt.Errorf("make %s: %w", f.name, err)
		}
		path := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
