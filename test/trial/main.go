// Command trial runs three nodes and a Consul of their own on this machine, for whoever wants to see a cluster at work.
//
//	bin/trial [-s3] [-configs configs/cluster] [-bin bin] [-pause 15s]
//
// It starts what the settings files in that folder say, shows the logs of the nodes side by side, starts again what ended, and
// ends everything with itself, however it ends. It touches no process that it did not start. The store stays. Where it is a bucket, a
// MinIO of their own has it, and Consul stays too: nodes that do not know it would have to ask for a minute whether others live. Else
// Consul keeps nothing on disk.
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
	configs := flag.String("configs", "", "folder of the nodes' settings files (*.yaml); empty: configs/cluster, or configs/cluster-s3")
	s3 := flag.Bool("s3", false, "nodes on a bucket of a MinIO of their own")
	bin := flag.String("bin", "bin", "folder of hotfolderd and consul")
	pause := flag.Duration("pause", pauseTime, "from the end of a process to its next start")
	flag.Parse()
	if *configs == "" {
		*configs = map[bool]string{false: "configs/cluster", true: "configs/cluster-s3"}[*s3]
	}
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
