package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"hotfolderd/thumbnails"
)

// workerCommand is what a node starts its rendering children with. It is no command for people.
const workerCommand = "thumbnail-worker"

// programCommand is what a node starts a program of others with. It is no command for people either.
const programCommand = "thumbnail-program"

func main() { os.Exit(start(os.Args[1:])) }

// start is the whole program but for its end; it returns the exit code.
func start(args []string) int {
	if len(args) == 1 && args[0] == workerCommand {
		return serveThumbnails() // before anything else is built: a child must be there in milliseconds
	}
	if len(args) > 1 && args[0] == programCommand {
		fmt.Fprintln(os.Stderr, thumbnails.Become(args[1:]))
		return exitFailed
	}
	ctx, stop := untilSignal(context.Background())
	defer stop()
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	return a.execute(ctx, args)
}

// app is one call of the program: where it reads and writes, and the flags that all commands share.
type app struct {
	in         io.Reader
	out, err   io.Writer
	configFile string
	json       bool
	ownStore   bool // storage.url was set: it is not the default
}

func (a *app) execute(ctx context.Context, args []string) int {
	root := newRoot(a)
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		a.tell(err)
		return codeOf(err)
	}
	return exitDone
}

// serveThumbnails renders for the node that started this process, until it closes the standard input. A signal to the whole
// group of processes is the node's to answer: it lets what is being rendered end.
func serveThumbnails() int {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	if err := thumbnails.Confine(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err := thumbnails.ServeWorker(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return exitDone
}

// untilSignal is a context that ends with the first SIGINT or SIGTERM. The second one ends the process at once: what was in
// hand is walked again by whoever comes next.
func untilSignal(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-signals:
			}
			if ctx.Err() != nil {
				os.Exit(exitFailed)
			}
			cancel()
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		<-ended
		cancel()
	}
}
