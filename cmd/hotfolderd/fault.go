package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hotfolderd/admin"
	"hotfolderd/cluster"
	"hotfolderd/config"
	"hotfolderd/node"
)

// The exit codes. They are promised: scripts decide by them.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitNotFound = 3
	exitSettings = 78 // EX_CONFIG of sysexits.h: systemd can be told not to restart on it
)

// fault is an error that knows the exit code it asks for.
type fault struct {
	code int
	err  error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

func usagef(c *cobra.Command, format string, args ...any) error {
	return &fault{exitUsage, fmt.Errorf(format+"\nsee: %s --help", append(args, c.CommandPath())...)}
}

func notFoundf(format string, args ...any) error {
	return &fault{exitNotFound, fmt.Errorf(format, args...)}
}

func badSettings(err error) error { return &fault{exitSettings, err} }

func codeOf(err error) int {
	var f *fault
	switch {
	case errors.As(err, &f):
		return f.code
	case ofSettings(err):
		return exitSettings
	}
	return exitFailed
}

// ofSettings reports whether only a change of settings or rules helps, so that starting again is of no use.
func ofSettings(err error) bool {
	var faults config.Errors
	kinds := []error{node.ErrUnsupported, node.ErrSettings, cluster.ErrDuplicate, cluster.ErrStore, cluster.ErrHome}
	return errors.As(err, &faults) || slices.ContainsFunc(kinds, func(kind error) bool { return errors.Is(err, kind) })
}

// tell writes an error to people: each line by itself, so that a line is one fault and can be jumped to.
func (a *app) tell(err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if line != "" {
			fmt.Fprintf(a.err, "hotfolderd: %s\n", admin.Visible(line))
		}
	}
}

// take checks the positional arguments; words says in the usage's own words what is wanted.
func take(least, most int, words string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) >= least && (most < 0 || len(args) <= most):
			return nil
		case words == "":
			return usagef(c, "%s takes no argument, got %q", c.Name(), args[0])
		}
		return usagef(c, "%s wants %s, got %d arguments", c.Name(), words, len(args))
	}
}
