package workarea

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// maxRules is the greatest size of a published rule set as JSON.
const maxRules = 16 << 20

// RuleSet is one published version of all rules. Whether the rules make sense is not this package's to judge.
type RuleSet struct {
	Version   int               `json:"version"` // from 1, without a gap
	Published time.Time         `json:"published"`
	By        string            `json:"by"`    // who published it, for people
	Note      string            `json:"note"`  // why, for people
	Files     map[string]string `json:"files"` // YAML by the name of its file
}

// PublishRules stores a rule set as the next version and returns the number, when it is durable. However many nodes publish
// side by side, each number is given once and none is left out. A set with just the files of the newest one makes no new
// version and returns that one's number. Version is ignored; Published and By are filled in where they are empty. After an
// error the set may be published or not; publishing it again finds out.
func (a *Area) PublishRules(ctx context.Context, rs RuleSet) (n int, err error) {
	if err := checkRules(rs); err != nil {
		return 0, fmt.Errorf("publish rules: %w", err)
	}
	if rs.Published.IsZero() {
		rs.Published = a.now()
	}
	if rs.By == "" {
		rs.By = a.node
	}
	rs.Published = rs.Published.UTC().Round(0)
	if n, err = a.publishRules(ctx, rs); err != nil {
		return 0, fmt.Errorf("publish rules: %w", because(ctx, err))
	}
	return n, nil
}

// publishRules looks for the newest version and takes the number above it, until nobody was quicker.
func (a *Area) publishRules(ctx context.Context, rs RuleSet) (int, error) {
	if err := a.listRules(ctx); err != nil {
		return 0, err
	}
	for range maxLost {
		newest, err := a.newestRules(ctx)
		if err != nil {
			return 0, err
		}
		if newest > 0 {
			old, err := a.readRules(ctx, newest)
			if err != nil || maps.Equal(old.Files, rs.Files) {
				return newest, err
			}
		}
		rs.Version = newest + 1
		err = a.writeRules(ctx, rs)
		if err == nil {
			a.sawRules(rs.Version)
			return rs.Version, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return 0, err
		}
		a.sawRules(rs.Version) // it is there, whatever a look may say
	}
	return 0, fmt.Errorf("others were quicker %d times", maxLost)
}

// Rules is the newest published rule set. fs.ErrNotExist when there is none newer than the version after: that answer costs
// one look at the store, the first time two, so it may be asked often.
func (a *Area) Rules(ctx context.Context, after int) (RuleSet, error) {
	rs, err := a.rulesAfter(ctx, after)
	if err != nil {
		return RuleSet{}, fmt.Errorf("published rules after version %d: %w", after, err)
	}
	return rs, nil
}

func (a *Area) rulesAfter(ctx context.Context, after int) (RuleSet, error) {
	if a.rules.Load() == 0 {
		if err := a.listRules(ctx); err != nil {
			return RuleSet{}, err
		}
	}
	newest, err := a.newestRules(ctx)
	if err != nil {
		return RuleSet{}, err
	}
	if newest <= after {
		return RuleSet{}, fs.ErrNotExist
	}
	return a.readRules(ctx, newest)
}

// RulesAt is one published version. fs.ErrNotExist when there is none of that number.
func (a *Area) RulesAt(ctx context.Context, version int) (RuleSet, error) {
	rs, err := a.readRules(ctx, version)
	if err != nil {
		return RuleSet{}, fmt.Errorf("published rules of version %d: %w", version, err)
	}
	return rs, nil
}

// RuleVersions are the numbers of all published rule sets, in ascending order.
func (a *Area) RuleVersions(ctx context.Context) ([]int, error) {
	var all []int
	for o, err := range a.store.List(ctx, a.prefix.Join("rules"), storage.ListOptions{NamesOnly: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("versions of the rules: %w", err)
		}
		if n := a.rulesNumber(o.Key); n > 0 && isFile(o) {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, nil
}

// rulesNumber is the version of a rule set by its key; 0 when it is none.
func (a *Area) rulesNumber(key asset.Key) int {
	n, err := strconv.Atoi(strings.TrimSuffix(key.Base(), recordExt))
	if err != nil || n < 1 || key != a.rulesKey(n) {
		return 0
	}
	return n
}

func (a *Area) rulesKey(n int) asset.Key { return a.at("rules", asset.Key(strconv.Itoa(n)+recordExt)) }

// sawRules remembers the newest version that was seen.
func (a *Area) sawRules(n int) {
	for {
		old := a.rules.Load()
		if int64(n) <= old || a.rules.CompareAndSwap(old, int64(n)) {
			return
		}
	}
}

// listRules finds the newest version however far it is.
func (a *Area) listRules(ctx context.Context) error {
	all, err := a.RuleVersions(ctx)
	if err == nil && len(all) > 0 {
		a.sawRules(all[len(all)-1])
	}
	return err
}

// newestRules goes up from the newest version that was seen: the numbers have no gap.
func (a *Area) newestRules(ctx context.Context) (int, error) {
	for {
		n := int(a.rules.Load())
		_, err := a.store.Stat(ctx, a.rulesKey(n+1))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return n, nil
		case err != nil:
			return 0, err
		}
		a.sawRules(n + 1)
	}
}

func (a *Area) readRules(ctx context.Context, n int) (RuleSet, error) {
	data, _, err := a.readObject(ctx, a.rulesKey(n), maxRules)
	if err != nil {
		return RuleSet{}, err
	}
	var rs RuleSet
	if err := json.Unmarshal(data, &rs); err != nil {
		return RuleSet{}, fmt.Errorf("%s: %w: %v", a.rulesKey(n).Quoted(), errTorn, err)
	}
	if rs.Version != n {
		return RuleSet{}, fmt.Errorf("%s: %w: it says that it is version %d", a.rulesKey(n).Quoted(), errTorn, rs.Version)
	}
	return rs, nil
}

func (a *Area) writeRules(ctx context.Context, rs RuleSet) error {
	doc, err := json.MarshalIndent(rs, "", "  ")
	if err != nil {
		return err
	}
	if len(doc) >= maxRules {
		return fmt.Errorf("they have %d bytes, %d are allowed", len(doc), maxRules)
	}
	_, err = a.store.Put(ctx, a.rulesKey(rs.Version), bytes.NewReader(append(doc, '\n')), storage.PutOptions{IfAbsent: true})
	return err
}

// checkRules refuses what would not come back as it was.
func checkRules(rs RuleSet) error {
	for name, text := range rs.Files {
		if !utf8.ValidString(name) || !utf8.ValidString(text) {
			return fmt.Errorf("file %q is not UTF-8", name)
		}
	}
	return nil
}
