package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// whole lets several write to one place, each call by itself.
type whole struct {
	mu sync.Mutex
	to io.Writer
}

// Write implements io.Writer. It never fails: a node must not die because nobody looks.
func (w *whole) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = w.to.Write(b)
	return len(b), nil
}

// column writes the lines of one process so that they can be told from those of the others.
type column struct {
	name string
	to   io.Writer
	half bytes.Buffer // of a line that goes on
}

// Write implements io.Writer.
func (c *column) Write(b []byte) (int, error) {
	c.half.Write(b)
	for {
		line, err := c.half.ReadString('\n')
		if err != nil {
			c.half.WriteString(line)
			return len(b), nil
		}
		fmt.Fprintf(c.to, "%s  %s", c.name, line)
	}
}
