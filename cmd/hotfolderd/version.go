package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set when a release is built: -ldflags "-X main.version=0.1.0". Nothing changes it afterwards.
var version string

// build says what this program was made of.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"` // files differed from the revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisVersion() build {
	b := build{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	if b.Version == "" || b.Version == "(devel)" {
		b.Version = "devel"
	}
	return b
}

func (a *app) versionCommand() *cobra.Command {
	return a.reading(&cobra.Command{
		Use: "version", Short: "Say which program this is", Args: take(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			b := thisVersion()
			if a.json {
				return a.printJSON(b)
			}
			a.printf("hotfolderd %s (%s, %s)\n", b.Version, b.Go, b.Platform)
			return nil
		},
	})
}
