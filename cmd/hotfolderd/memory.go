package main

import (
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"

	"hotfolderd/config"
	"hotfolderd/node"
)

// memoryFolder is where this account remembers its stores on this machine.
func memoryFolder() (string, error) {
	if dirs := os.Getenv("STATE_DIRECTORY"); dirs != "" { // of a service that systemd started; it may name several
		dir, _, _ := strings.Cut(dirs, ":")
		return dir, nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "hotfolderd"), nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "state", "hotfolderd"), err
}

// memory is the memory of a node; empty when none can be made. The store of somebody who set none is not remembered: it may be
// deleted to begin anew.
func (a *app) memory(log *zap.Logger) string {
	if !a.ownStore {
		return ""
	}
	dir, err := memoryFolder()
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		log.Debug("this machine remembers no stores", zap.Error(err))
		return ""
	}
	return dir
}

// knownStore is the identity that the store must have; empty is any. Where nothing can be read nothing is known.
func (a *app) knownStore(s config.Settings) string {
	if !a.ownStore {
		return ""
	}
	dir, err := memoryFolder()
	if err != nil {
		return ""
	}
	id, err := node.KnownStore(dir, s.Storage.URL)
	if err != nil {
		return ""
	}
	return id
}
