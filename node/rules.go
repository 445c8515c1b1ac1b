package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/cluster"
	"hotfolderd/config"
	"hotfolderd/hotfolder"
)

// RuleSource loads a rule set whole. mark is a cheap fingerprint of where it comes from: as long as it stays the same the set
// is not loaded again.
type RuleSource interface {
	Mark(ctx context.Context) (mark string, err error)
	Load(ctx context.Context) ([]config.Rule, error)
}

// reloadEvery is how often the rules are looked at for a change.
const reloadEvery = time.Second

// RuleFolder is a folder of rule files, one hotfolder each: *.yaml and *.yml, not hidden. A folder that does not exist is the
// one hotfolder inbox.
type RuleFolder string

// Mark implements RuleSource by the names, sizes and times of the files.
func (d RuleFolder) Mark(context.Context) (string, error) {
	files, err := d.files()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, f := range files {
		st, err := os.Stat(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%q %d %d\n", f, st.Size(), st.ModTime().UnixNano())
	}
	return b.String(), nil
}

func (d RuleFolder) files() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && config.IsRuleFile(e.Name()) {
			files = append(files, filepath.Join(string(d), e.Name()))
		}
	}
	return files, nil
}

// Load implements RuleSource. Its error tells every fault of every file.
func (d RuleFolder) Load(context.Context) ([]config.Rule, error) {
	files, err := d.files()
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		texts[f] = string(data)
	}
	return config.ReadRules(texts)
}

// loadRules puts the rule set in force.
func (n *Node) loadRules(ctx context.Context) error {
	rules, err := n.o.Rules.Load(ctx)
	if err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	if err := n.apart(ctx, rules); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	specs := make([]hotfolder.Spec, 0, len(rules))
	byName := map[string]hotfolder.Spec{}
	for _, r := range rules {
		s, err := n.spec(ctx, r)
		if err != nil {
			return fmt.Errorf("rules: hotfolder %q: %w", r.Hotfolder, err)
		}
		specs = append(specs, s)
		byName[r.Hotfolder] = s
	}
	n.mu.Lock()
	changed := !reflect.DeepEqual(n.specs, byName)
	n.rules, n.rulesHash, n.rulesError, n.specs = rules, config.RulesHash(rules), "", byName
	if p, ok := n.o.Rules.(*published); ok {
		n.rulesVersion = p.version()
	}
	n.mu.Unlock()
	n.tellRules()
	n.tellAbsent()
	if changed {
		n.room.Set(specs)
	}
	return nil
}

// spec finds the store of a rule and makes its folder.
func (n *Node) spec(ctx context.Context, r config.Rule) (hotfolder.Spec, error) {
	where, prefix := n.placeOf(r)
	if err := n.outsideOwn(ctx, where, prefix); err != nil {
		return hotfolder.Spec{}, err
	}
	st, err := n.stores.openOrAwait(ctx, where, prefix != asset.Root)
	if err != nil {
		return hotfolder.Spec{}, err
	}
	n.expectShare(where, st)
	if err := st.holdsDrops(); err != nil {
		return hotfolder.Spec{}, err
	}
	if err := st.makeFolder(ctx, prefix); err != nil {
		return hotfolder.Spec{}, err
	}
	return hotfolder.Spec{Rule: r, Store: st, Prefix: prefix, Path: st.path(prefix)}, nil
}

// watchRules looks for changed rules until ctx ends. A bad set is refused and said once; the old one stays.
func (n *Node) watchRules(ctx context.Context) {
	last, _ := n.o.Rules.Mark(ctx)
	every(ctx, reloadEvery, func() {
		if mark, err := n.o.Rules.Mark(ctx); err == nil && mark != last {
			last = mark
			n.reload(ctx)
		}
	})
}

func (n *Node) reload(ctx context.Context) {
	if err := n.loadRules(ctx); err != nil {
		n.mu.Lock()
		n.rulesError = err.Error()
		n.mu.Unlock()
		n.log.Error("rules refused, the old ones stay in force", zap.Error(err))
		return
	}
	n.log.Info("rules loaded", zap.Int("hotfolders", len(n.Folders())))
}

// tellRules lets the members see which rules are in force here.
func (n *Node) tellRules() {
	if n.together == nil || n.together.members == nil {
		return
	}
	n.mu.Lock()
	hash, version := n.rulesHash, n.rulesVersion
	n.mu.Unlock()
	n.together.members.Update(func(m *cluster.Member) { m.Rules, m.RulesVersion = hash, version })
}
