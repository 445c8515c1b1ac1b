package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"hotfolderd/config"
	"hotfolderd/node"
)

// warnings are what is odd in the settings file, if it is asked about, and in the rules.
func (a *app) warnings(ctx context.Context, s config.Settings, set []config.Rule, whole bool) ([]found, error) {
	all := []found{}
	if file, data, err := a.settingsFile(); err != nil {
		return nil, badSettings(err)
	} else if whole && file != "" {
		for _, e := range config.OddSettings(file, data) {
			all = append(all, found(e))
		}
	}
	if s.Hotfolders == config.Published && whole && len(set) == 0 {
		all = append(all, found{Path: "hotfolders", Problem: nothingPublished, Hint: "until then there is no hotfolder"})
	}
	for _, r := range set {
		if len(s.Cluster.Consul) == 0 && len(r.RunOn) > 0 && !slices.Contains(r.RunOn, s.Node.ID) {
			all = append(all, found{
				File: r.File, Path: "run_on", Problem: fmt.Sprintf("node %s is alone and not named here, so it imports nothing of hotfolder %s", show(s.Node.ID), show(r.Hotfolder)),
				Hint: "add it, or leave run_on away",
			})
		}
	}
	return append(all, mountWarnings(ctx, s, set, whole)...), nil
}

// mountWarnings are of the shares that the store and hotfolders of their own lie on; each mount is told once.
func mountWarnings(ctx context.Context, s config.Settings, set []config.Rule, whole bool) (all []found) {
	told := map[string]bool{}
	warn := func(file, path, where string) {
		for _, d := range node.MountDoubts(ctx, where) {
			if told[d.Problem()] {
				continue
			}
			told[d.Problem()] = true
			all = append(all, found{File: file, Path: path, Problem: d.Problem(), Hint: d.Do})
		}
	}
	if whole {
		warn("", "storage.url", s.Storage.URL)
	}
	for _, r := range set {
		if strings.Contains(r.Path, "://") {
			warn(r.File, "path", r.Path)
		}
	}
	return all
}
