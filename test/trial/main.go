// Command trial runs three nodes and a Consul of their own on this machine, for whoever wants to see a cluster at work.
//
//	bin/trial [-configs configs/cluster] [-bin bin] [-pause 15s]
//
// It starts what the settings files in that folder say, shows the logs of the nodes side by side, starts again what ended, and
// ends everything with itself, however it ends. It touches no process that it did not start. Consul keeps nothing on disk; the
// store stays.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func main() {
	// What is started dies with the thread that started it, and this one lives as long as the process.
	runtime.LockOSThread()
	configs := flag.String("configs", "configs/cluster", "folder of the nodes' settings files (*.yaml)")
	bin := flag.String("bin", "bin", "folder of hotfolderd and consul")
	pause := flag.Duration("pause", pauseTime, "from the end of a process to its next start")
	flag.Parse()
	if err := try(*configs, *bin, *pause); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func try(configs, bin string, pause time.Duration) error {
	// cleanup: a signal ends it; a second one ends this process at once, and with it all that it started.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop)
	t, err := prepare(configs, bin, os.Stdout)
	if err != nil {
		return err
	}
	t.pause = pause
	return t.run(ctx)
}
