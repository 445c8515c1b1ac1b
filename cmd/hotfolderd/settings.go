package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hotfolderd/config"
	"hotfolderd/node"
)

// Where settings are looked for when --config does not say.
const (
	hereFile   = "hotfolderd.yaml"
	systemFile = "/etc/hotfolderd/hotfolderd.yaml"
)

// settings reads the settings of this call. All faults are told at once.
func (a *app) settings() (config.Settings, error) {
	s, err := a.readSettings()
	if err == nil {
		err = supported(s)
	}
	return s, err
}

func supported(s config.Settings) error {
	if err := node.Supported(s); err != nil {
		return badSettings(err)
	}
	return nil
}

// readSettings reads the settings and makes their paths absolute. Whether they can be served is not asked: a flag may change
// them yet.
func (a *app) readSettings() (config.Settings, error) {
	file, data, err := a.settingsFile()
	if err != nil {
		return config.Settings{}, badSettings(err)
	}
	s := config.Default()
	if file != "" {
		if s, err = config.ParseSettings(file, data); err != nil {
			return config.Settings{}, err
		}
	}
	from, err := filepath.Abs(filepath.Dir(file)) // of "" that is the working directory
	if err != nil {
		return config.Settings{}, err
	}
	a.ownStore = s.Storage.URL != config.DefaultStorageURL
	absolute(&s, from)
	if s.Node.ID == "" {
		if s.Node.ID, err = hostID(); err != nil {
			return config.Settings{}, err
		}
	}
	return s, nil
}

// settingsFile finds the file; an empty name means that there is none and the defaults hold.
func (a *app) settingsFile() (file string, data []byte, err error) {
	if a.configFile != "" {
		data, err = os.ReadFile(a.configFile)
		return a.configFile, data, err
	}
	for _, file := range []string{hereFile, systemFile} {
		data, err := os.ReadFile(file)
		if !errors.Is(err, fs.ErrNotExist) {
			return file, data, err
		}
	}
	return "", nil, nil
}

// absolute makes every path of the settings start at the folder from.
func absolute(s *config.Settings, from string) {
	for _, p := range []*string{
		&s.Storage.URL, &s.Storage.CredentialsFile, &s.Storage.CAFile, &s.Hotfolders, &s.HTTP.TokenFile, &s.HTTP.UsersFile,
		&s.FTP.UsersFile, &s.FTP.TLS.Cert, &s.FTP.TLS.Key,
		&s.Cluster.TokenFile, &s.Cluster.TLS.CA, &s.Cluster.TLS.Cert, &s.Cluster.TLS.Key,
	} {
		if p != &s.Hotfolders || *p != config.Published {
			*p = absolutePath(*p, from)
		}
	}
}

func absolutePath(p, from string) string {
	if p == "" || filepath.IsAbs(p) || strings.Contains(p, "://") {
		return p
	}
	return filepath.Join(from, p)
}

func hostID() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("node.id is not set, and the host name cannot be read: %w", err)
	}
	return config.DefaultID(host), nil
}

// rules reads the rule set that a node with these settings would run. A fault is one of the settings, whatever its kind. A set
// that was published is read from the store.
func (a *app) rules(ctx context.Context, s config.Settings) (set []config.Rule, err error) {
	if s.Hotfolders == config.Published {
		err = a.with(ctx, false, func(o *opened) error { set, err = o.rules(ctx); return err })
		return set, err
	}
	return rulesInFolder(ctx, s.Hotfolders)
}

// rules is as that of app, for a command that has opened the store already.
func (o *opened) rules(ctx context.Context) ([]config.Rule, error) {
	if o.settings.Hotfolders == config.Published {
		return o.published(ctx)
	}
	return rulesInFolder(ctx, o.settings.Hotfolders)
}

func rulesInFolder(ctx context.Context, dir string) ([]config.Rule, error) {
	if err := rulesFolderThere(dir); err != nil {
		return nil, badSettings(err)
	}
	set, err := node.RuleFolder(dir).Load(ctx)
	if err != nil {
		return nil, badSettings(err)
	}
	return set, nil
}

// rulesFolderThere refuses a folder that was asked for and is not there: the built-in rule in its place would import into
// the wrong names. Only the default folder may be missing.
func rulesFolderThere(dir string) error {
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(dir, "/"+config.DefaultHotfolders):
		return nil
	case err != nil:
		return fmt.Errorf("hotfolders: %w; make the folder, or correct the setting", err)
	case !st.IsDir():
		return fmt.Errorf("hotfolders: %s is a file; name the folder of the rule files", strconv.Quote(dir))
	}
	return nil
}
