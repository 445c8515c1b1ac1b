package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"hotfolderd/config"
	"hotfolderd/node"
)

// runFlags win over the settings.
type runFlags struct {
	listen, store string
	newStore      bool
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use: "run", Short: "Work until a signal",
		Long: "Imports drops and serves the page until SIGINT or SIGTERM; what is in hand is finished then. A second signal ends it at once.\n" +
			"The log goes to standard error. Rules are taken up when their files change; SIGHUP does nothing.",
		Args: take(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return a.run(c.Context(), f) },
	}
	c.Flags().StringVar(&f.listen, "listen", "", "host:port of the page, in place of http.listen; port 0 is any free one")
	c.Flags().StringVar(&f.store, "store", "", "folder or URL of the store, in place of storage.url")
	c.Flags().BoolVar(&f.newStore, "new-store", false, "begin a new store, or take the one that is there, where this machine knows another one; give it once")
	_ = c.MarkFlagDirname("store") // it fails only for a flag that is not there
	return c
}

// run builds the node, says where things are and works. Everything that can be refused is refused before anything is opened.
func (a *app) run(ctx context.Context, f runFlags) error {
	s, err := a.readSettings()
	if err != nil {
		return err
	}
	if err := a.apply(f, &s); err != nil {
		return err
	}
	set, err := a.rulesToRun(ctx, s)
	if err != nil {
		return err
	}
	log, err := newLog(s.Log, os.Stderr)
	if err != nil {
		return badSettings(err)
	}
	ignoreHangup()
	n, err := a.newNode(ctx, s, f.newStore, log)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		log.Info("stopped before the node had begun")
		return nil
	}
	if err != nil {
		return err
	}
	a.sayWhere(s, n)
	if len(set) == 1 && set[0].File == "" {
		log.Info("no rule files: the built-in hotfolder is used", zap.String("folder", s.Hotfolders))
	}
	defer context.AfterFunc(ctx, func() { log.Info("stopping: what is in hand is finished; a second signal ends it at once") })()
	err = n.Run(ctx)
	log.Info("stopped")
	return err
}

// rulesToRun looks whether the rule files can be used. A published set is the node's own to wait for.
func (a *app) rulesToRun(ctx context.Context, s config.Settings) ([]config.Rule, error) {
	if s.Hotfolders == config.Published {
		return nil, nil
	}
	return a.rules(ctx, s)
}

// apply puts the flags over the settings and refuses what cannot be served then.
func (a *app) apply(f runFlags, s *config.Settings) error {
	if f.listen != "" {
		s.HTTP.Listen = f.listen
		if _, err := s.Advertised(""); err != nil && len(s.Cluster.Consul) > 0 {
			return badSettings(err)
		}
	}
	if f.store != "" {
		here, err := os.Getwd()
		if err != nil {
			return err
		}
		s.Storage.URL, a.ownStore = absolutePath(f.store, here), true
	}
	return supported(*s)
}

// newNode gives the node this program's own path, so that pictures are rendered in children that can be killed.
func (a *app) newNode(ctx context.Context, s config.Settings, newStore bool, log *zap.Logger) (*node.Node, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program's own file: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	n, err := node.New(ctx, node.Options{
		Settings: s, Log: log, Registry: registry, Version: thisVersion().Version, Renderer: []string{self, workerCommand}, Programs: []string{self, programCommand},
		Memory: a.memory(log), NewStore: newStore,
	})
	switch {
	case errors.Is(err, node.ErrReplaced):
		err = fmt.Errorf("%w\nmount the right share and start again; if you really mean to begin a new store here, or to work with the "+
			"one that is there now, run once with --new-store", err)
	case errors.Is(err, syscall.EADDRINUSE):
		err = fmt.Errorf("%w: another program has %s; choose another address by http.listen or --listen", err, s.HTTP.Listen)
	}
	return n, err
}

// sayWhere tells a person the three things to know. It is written when the page answers and the hotfolders are there.
func (a *app) sayWhere(s config.Settings, n *node.Node) {
	dir, err := node.StoreFolder(s.Storage.URL)
	if err != nil {
		dir = s.Storage.URL
	}
	a.printf("hotfolderd %s · node %s · store %s\n\n", thisVersion().Version, s.Node.ID, show(dir))
	label := "drop files into"
	for _, f := range n.Folders() {
		paused := ""
		if f.Rule.Paused {
			paused = "   (paused)"
		}
		a.printf("  %-15s   %s%s\n", label, show(cleanPlace(f.Path)), paused)
		label = ""
	}
	if addr := n.Addr(); addr != "" {
		a.printf("  %-15s   http://%s/\n", "look at", addr)
	}
	a.printf("  %-15s   Ctrl-C\n\n", "stop with")
}

// cleanPlace is a folder's path as short as it can be written; a bucket's stays as it is.
func cleanPlace(path string) string {
	if strings.Contains(path, "://") {
		return path
	}
	return filepath.Clean(path)
}

// ignoreHangup keeps a node alive that was told, out of habit, to read its rules again: it does so by itself. The channel is
// never read: a signal that does not fit is dropped. Ignoring it outright would be inherited by the children.
func ignoreHangup() { signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) }
