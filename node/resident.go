package node

import (
	"bytes"
	"math"
	"os"
	"runtime/debug"
	"strconv"
)

// resident is how much memory of the machine this process has; 0: not known. What its renderers have is not in it.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(text)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// memoryGoal is where the program begins to collect garbage harder (GOMEMLIMIT); 0: none is set.
func memoryGoal() int64 {
	if goal := debug.SetMemoryLimit(-1); goal != math.MaxInt64 {
		return goal
	}
	return 0
}
