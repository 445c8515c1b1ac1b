package main

import (
	"fmt"
	"slices"

	"hotfolderd/config"
)

// warnings are what is odd in the settings file, if it is asked about, and in the rules.
func (a *app) warnings(s config.Settings, set []config.Rule, whole bool) ([]found, error) {
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
	return all, nil
}
