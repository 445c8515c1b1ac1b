package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/node"
	"hotfolderd/workarea"
)

// opened is the store and its work area as a command uses them, beside a node that may run. It takes no lease: what it does
// is safe by the ledger's and the catalog's create-if-absent.
type opened struct {
	settings config.Settings
	store    *node.OpenedStore
	area     *workarea.Area
	others   []*node.OpenedStore
	tell     *teller // nil: there is no cluster to be told
}

// open opens the store of the settings. Commands that only read never create one: a store that is not there holds nothing.
func (a *app) open(ctx context.Context, create bool) (*opened, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	known := a.knownStore(s)
	store, err := node.OpenStore(ctx, s.Storage, s.Storage.URL, create && known == "")
	if err != nil {
		return nil, noStore(err, s.Storage.URL)
	}
	o := &opened{settings: s, store: store}
	options := workarea.Options{Node: s.Node.ID, Expect: known, Existing: !create}
	if len(s.Cluster.Consul) > 0 {
		o.tell = &teller{settings: s, store: store}
		options.Changes = o.tell
	}
	if o.area, err = workarea.Open(ctx, store, options); err != nil {
		return nil, noStore(errors.Join(err, store.Close()), store.Place)
	}
	if o.tell != nil {
		o.tell.area = o.area
	}
	return o, nil
}

func noStore(err error, dir string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no store at %s (storage.url); name another settings file with --config", strconv.Quote(dir))
	}
	return err
}

// with opens the store, calls do and closes it.
func (a *app) with(ctx context.Context, create bool, do func(*opened) error) error {
	o, err := a.open(ctx, create)
	if err != nil {
		return err
	}
	err = do(o)
	return errors.Join(err, o.close(context.WithoutCancel(ctx)))
}

// closeTime bounds the last words to the nodes.
const closeTime = 10 * time.Second

func (o *opened) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	var errs []error
	if o.tell != nil {
		errs = append(errs, o.tell.end(ctx))
	}
	errs = append(errs, o.store.Close())
	for _, s := range o.others {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// place is where a hotfolder lies.
type place struct {
	rule   config.Rule
	store  *node.OpenedStore
	prefix asset.Key
}

// place finds the store of a rule: the main one, or the rule's own, which must be there.
func (o *opened) place(ctx context.Context, r config.Rule) (place, error) {
	if !strings.Contains(r.Path, "://") {
		return place{r, o.store, asset.Key(r.Path)}, nil
	}
	st, err := node.OpenStore(ctx, o.settings.Storage, r.Path, false)
	if err != nil {
		return place{}, fmt.Errorf("hotfolder %q: %w; is its share mounted?", r.Hotfolder, err)
	}
	o.others = append(o.others, st)
	return place{r, st, asset.Root}, nil
}

// note writes one event into the journal, for a command that did something to a drop.
func (o *opened) note(ctx context.Context, e asset.Event) error {
	e.Time, e.Node = time.Now(), o.settings.Node.ID
	o.area.Journal().Record(e)
	return o.area.Journal().Flush(ctx)
}

// ruleNamed finds a hotfolder by its name.
func ruleNamed(set []config.Rule, hotfolder string) (config.Rule, error) {
	var names []string
	for _, r := range set {
		if r.Hotfolder == hotfolder {
			return r, nil
		}
		names = append(names, r.Hotfolder)
	}
	return config.Rule{}, notFoundf("there is no hotfolder %s; there are: %s", show(hotfolder), strings.Join(names, ", "))
}
