package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/hotfolder"
)

// explained is what one hotfolder would do to a name.
type explained struct {
	Hotfolder string    `json:"hotfolder"`
	Key       asset.Key `json:"key"`
	Drop      bool      `json:"drop"`              // it would be imported
	Ignored   string    `json:"ignored,omitempty"` // why it would not
	Name      asset.Key `json:"name,omitempty"`    // as far as the path decides it
	Note      string    `json:"note,omitempty"`
}

func (a *app) explain(c *cobra.Command, set []config.Rule, f checkFlags) error {
	key, err := asset.ParseKey(f.explain)
	if err != nil {
		return usagef(c, "--explain wants a path below the hotfolder: %w", err)
	}
	if f.hotfolder != "" {
		rule, err := ruleNamed(set, f.hotfolder)
		if err != nil {
			return err
		}
		set = []config.Rule{rule}
	}
	all := []explained{}
	for _, r := range set {
		all = append(all, explainOne(r, key))
	}
	if a.json {
		return a.printJSON(map[string]any{"explained": all})
	}
	for _, e := range all {
		a.printExplained(e)
	}
	return nil
}

func explainOne(r config.Rule, key asset.Key) explained {
	e := explained{Hotfolder: r.Hotfolder, Key: key}
	filter := hotfolder.NewFilter(r)
	if e.Ignored = filter.Ignored(key); e.Ignored != "" {
		return e
	}
	name, err := r.Name.Name(config.NameData{Path: key, Arrived: time.Now(), Hotfolder: r.Hotfolder})
	if err != nil {
		e.Ignored = "it would fail: " + err.Error()
		return e
	}
	e.Drop, e.Name = true, name
	var notes []string
	if strings.Contains(string(r.Name), ".Hash") || strings.Contains(string(r.Name), ".Meta") {
		notes = append(notes, "the rest of the name comes from what is in the file")
	}
	if m := filter.Marker(key); m != "" {
		notes = append(notes, "it waits for its done marker "+show(m))
	}
	if r.Paused {
		notes = append(notes, "but the hotfolder is paused")
	}
	e.Note = strings.Join(notes, "; ")
	return e
}

func (a *app) printExplained(e explained) {
	switch {
	case !e.Drop:
		a.printf("%s: %s is left alone: %s\n", show(e.Hotfolder), show(e.Key), admin.Visible(e.Ignored))
	case e.Note != "":
		a.printf("%s: %s would be imported as %s (%s)\n", show(e.Hotfolder), show(e.Key), show(e.Name), admin.Visible(e.Note))
	default:
		a.printf("%s: %s would be imported as %s\n", show(e.Hotfolder), show(e.Key), show(e.Name))
	}
}
