package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"hotfolderd/admin"
	"hotfolderd/asset"
)

func (a *app) printTold(t told) error {
	if a.json {
		return a.printJSON(t)
	}
	a.printf("%s in hotfolder %s\n\n", show(t.Key), show(t.Hotfolder))
	for _, e := range t.Events {
		who := fmt.Sprintf("  %s  %s  ", stamp(e.Time), show(e.Node))
		a.printf("%s%s\n", who, admin.Visible(words(e)))
		for _, fact := range evidence(e) {
			a.printf("%*s%s\n", utf8.RuneCountInString(who), "", admin.Visible(fact))
		}
	}
	if len(t.Events) == 0 {
		a.printf("  the journal says nothing of it\n")
	}
	a.printf("\n")
	for _, line := range standing(t.Now) {
		a.printf("  now: %s\n", admin.Visible(line))
	}
	return nil
}

// words is an event as a sentence. The switch is as long as there are results.
func words(e asset.Event) string {
	switch e.Result {
	case asset.Seen:
		return "seen, " + bytesText(e.Size)
	case asset.Waiting:
		return "waits: " + e.Reason
	case asset.Ignored:
		return "left alone: " + e.Reason
	case asset.Imported:
		return "imported as " + nameAndVersion(e.Name, e.Number) + ", " + span(e.Took) + " after it was seen"
	case asset.Skipped:
		return "imported, but not as " + show(e.Name) + ": " + e.Reason
	case asset.Retrying:
		return fmt.Sprintf("step %s did not work at attempt %d, it will be tried again: %s", e.Step, e.Attempt, e.Reason)
	case asset.Failed:
		return fmt.Sprintf("failed at step %s and moved to failed/: %s", e.Step, e.Reason)
	case asset.Gone:
		return "gone: " + e.Reason
	case asset.Retried, asset.AtDoor:
		return e.Reason
	}
	return strings.TrimSpace(string(e.Result) + " " + e.Reason)
}

// evidence is what else is known of an import, a line each.
func evidence(e asset.Event) []string {
	if e.Result != asset.Imported && e.Result != asset.Skipped {
		return nil
	}
	facts := []string{fmt.Sprintf("%s, %s, sha256 %.12s", bytesText(e.Size), e.Type, e.Hash), "complete, " + e.Settled}
	if t := e.Thumbs; t != nil && t.Error != "" {
		facts = append(facts, "no thumbnails: "+t.Error)
	} else if t != nil {
		facts = append(facts, "thumbnails of "+sizesText(t.Sizes)+" pixels")
	}
	return facts
}

func sizesText(sizes []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(sizes), "[]"), " ", ", ")
}

// standing is how things are now, most urgent first.
func standing(n now) []string {
	var lines []string
	for _, f := range n.Failed {
		lines = append(lines, fmt.Sprintf("in failed/ since %s: %s; %s (hotfolderd retry %s)", stamp(f.Time), f.Reason, f.Hint, f.ID))
	}
	switch {
	case n.Present && n.Ignored != "":
		lines = append(lines, "it lies in the hotfolder and is left alone: "+n.Ignored)
	case n.Present:
		lines = append(lines, fmt.Sprintf("it lies in the hotfolder: %s of %s", n.Kind, bytesText(n.Size)))
	case len(n.Failed) == 0:
		lines = append(lines, "it is not in the hotfolder any more")
	}
	if n.Asset != nil {
		lines = append(lines, fmt.Sprintf("%s is current, sha256 %.12s", nameAndVersion(n.Asset.Name, n.Asset.Number), n.Asset.Hash))
	}
	if n.Unknown != "" {
		lines = append(lines, "not everything could be found out: "+n.Unknown)
	}
	return lines
}
