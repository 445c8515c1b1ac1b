package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hotfolderd/asset"
	"hotfolderd/config"
)

// meant is a file that a path may mean.
type meant struct {
	place place
	key   asset.Key
}

// candidates are the files that a path may mean, the likeliest first: a path on disk, one below the store (a place in failed/
// too), or hotfolder and name. When it is none of these it may be a name that any hotfolder knows. Nothing needs to be there.
// The error tells which hotfolders could not be looked at; it must not hide what is known of the others.
func (o *opened) candidates(ctx context.Context, set []config.Rule, path string) ([]meant, error) {
	var paths, names []meant
	var errs []error
	name, bad := asset.ParseKey(strings.TrimPrefix(path, "./"))
	for _, r := range set {
		p, err := o.place(ctx, r)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		paths = append(paths, o.keysIn(p, path)...)
		if bad == nil {
			names = append(names, meant{p, name})
		}
	}
	if len(paths) == 0 {
		paths = names
	}
	return paths, errors.Join(errs...)
}

// keysIn are the keys in one hotfolder that a path may mean.
func (o *opened) keysIn(p place, path string) (all []meant) {
	for _, prefix := range o.prefixes(p) {
		for _, spelled := range spellings(path) {
			key, ok := below(spelled, prefix)
			if ok && !slices.ContainsFunc(all, func(m meant) bool { return m.key == key }) {
				all = append(all, meant{p, key})
			}
		}
	}
	return all
}

// prefixes are the ways to write where a hotfolder is, and where its failed drops are.
func (o *opened) prefixes(p place) []string {
	failed := "workarea/failed/" + p.rule.Hotfolder
	return []string{
		filepath.Join(p.store.Place, string(p.prefix)), filepath.Join(o.store.Place, failed), p.rule.Path, failed, p.rule.Hotfolder,
	}
}

// spellings of a path: as given, absolute, and absolute without the links in its folders.
func spellings(path string) []string {
	all := []string{strings.TrimPrefix(path, "./")}
	abs, err := filepath.Abs(path)
	if err != nil {
		return all
	}
	all = append(all, abs)
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		all = append(all, filepath.Join(dir, filepath.Base(abs)))
	} else if here, err := os.Getwd(); err == nil && !filepath.IsAbs(path) {
		all = append(all, filepath.Join(here, path))
	}
	return all
}

func below(path, prefix string) (asset.Key, bool) {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(prefix, "/")+"/")
	if !ok {
		return "", false
	}
	key, err := asset.ParseKey(rest)
	return key, err == nil
}
