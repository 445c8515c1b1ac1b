package cluster_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// publishing makes three nodes that take up published rules, and starts them.
func publishing(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 0)
	w.rules = "published"
	for _, id := range []string{"a", "b", "c"} {
		w.add(id, "")
	}
	w.begin()
	return w
}

// folder makes rule files: by name their text.
func (w *world) folder(files map[string]string) (dir string) {
	w.t.Helper()
	dir, err := os.MkdirTemp(w.dir, "rules-")
	if err != nil {
		w.t.Fatal(err)
	}
	for name, text := range files {
		write(w.t, filepath.Join(dir, name), text)
	}
	return dir
}

// published is what rules publish prints.
type published struct {
	Version   int    `json:"version"`
	Rules     string `json:"rules"`
	Unchanged bool   `json:"unchanged"`
}

func (p *process) publish(folder string) (published, error) {
	out, err := p.hotfolderd("rules", "publish", folder, "--json")
	var got published
	if err == nil {
		warning, _, _ := strings.Cut(out, "{")
		err = json.Unmarshal([]byte(out[len(warning):]), &got)
	}
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return got, err
}

// shows reports whether every node sees that set on every node.
func (w *world) shows(set published) bool {
	for _, p := range w.nodes {
		v := p.view()
		if len(v.Members) != len(w.nodes) || len(v.Drift) > 0 {
			return false
		}
		for _, m := range v.Members {
			if m.RulesVersion != set.Version || m.Rules != set.Rules {
				return false
			}
		}
	}
	return true
}

// awaitRules returns how long it took until all nodes show the set.
func (w *world) awaitRules(set published, patience time.Duration) time.Duration {
	w.t.Helper()
	begin := time.Now()
	within(w.t, patience, fmt.Sprintf("all nodes show version %d", set.Version), func() bool { return w.shows(set) }, w)
	return time.Since(begin).Round(time.Millisecond)
}

func TestRules_arePublishedOnceForAll(t *testing.T) {
	t.Parallel()
	w := publishing(t)
	a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
	first, err := b.publish(w.folder(map[string]string{"inbox.yaml": defaultRule}))
	if err != nil || first.Version != 1 {
		t.Fatalf("publish: %v, %v", first, err)
	}
	t.Logf("version 1 is everywhere after %v", w.awaitRules(first, 10*time.Second))
	d := w.drops()
	d.some(20)
	d.awaitGone(awaitDrops)
	d.audit(t)

	good := map[string]string{"inbox.yaml": defaultRule, "photos.yaml": "hotfolder: photos\nafter: archive\n"}
	second, err := c.publish(w.folder(good))
	if err != nil || second.Version != 2 || second.Rules == first.Rules {
		t.Fatalf("publish: %v, %v", second, err)
	}
	t.Logf("version 2 is everywhere after %v", w.awaitRules(second, 10*time.Second))
	if again, err := a.publish(w.folder(good)); err != nil || again.Version != 2 || !again.Unchanged {
		t.Errorf("the same files again: %v, %v", again, err)
	}

	for name, bad := range map[string]string{"unknown key": "hotfolder: photos\naftr: archive\n", "twice": "hotfolder: inbox\n"} {
		out, err := a.hotfolderd("rules", "publish", w.folder(map[string]string{"inbox.yaml": defaultRule, "photos.yaml": bad}))
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != exitSettings {
			t.Errorf("%s: want exit code %d, got %v\n%s", name, exitSettings, err, out)
		}
		says(t, out, "photos.yaml:")
	}
	forbidden := w.twin(a, "cluster:", "cluster:\n  publish_rules: false")
	out, err := forbidden.hotfolderd("rules", "publish", w.folder(map[string]string{"inbox.yaml": defaultRule}))
	if err == nil {
		t.Error("a node that may not publish has published")
	}
	says(t, out, "publish_rules")
	if versions := w.versions(); !slices.Equal(versions, []int{1, 2}) || !w.shows(second) {
		t.Errorf("what was refused has changed something: versions %v", versions)
	}
}

// versions are those in the store, as a command lists them.
func (w *world) versions() (all []int) {
	w.t.Helper()
	out, err := w.nodes[0].hotfolderd("rules", "list", "--json")
	var got struct {
		Versions []struct {
			Version int `json:"version"`
		} `json:"versions"`
	}
	if err == nil {
		warning, _, _ := strings.Cut(out, "{")
		err = json.Unmarshal([]byte(out[len(warning):]), &got)
	}
	if err != nil {
		w.t.Fatalf("rules list: %v\n%s", err, out)
	}
	for _, v := range got.Versions {
		all = append(all, v.Version)
	}
	return all
}

func TestRules_publishersAtOnceLeaveNoGap(t *testing.T) {
	t.Parallel()
	w := publishing(t)
	const each = 8
	var mu sync.Mutex
	var versions []int
	var newest published
	var wg sync.WaitGroup
	for _, p := range w.nodes {
		wg.Go(func() {
			for n := range each {
				rule := strings.Replace(defaultRule, "200ms", fmt.Sprintf("%d%dms", n+1, 100+int(p.id[0])), 1)
				got, err := p.publish(w.folder(map[string]string{"inbox.yaml": rule}))
				if err != nil {
					t.Errorf("%s: %v", p.id, err)
					return
				}
				mu.Lock()
				versions = append(versions, got.Version)
				if got.Version > newest.Version {
					newest = got
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(versions)
	var want []int
	for n := range each * len(w.nodes) {
		want = append(want, n+1)
	}
	if !slices.Equal(versions, want) || !slices.Equal(w.versions(), want) {
		t.Errorf("want versions without a gap, got %v, in the store %v", versions, w.versions())
	}
	t.Logf("the newest is everywhere after %v", w.awaitRules(newest, 10*time.Second))
}

// Who publishes and cannot say so by Consul is heard when the nodes look for themselves.
func TestRules_aLostMessageOnlyCostsTime(t *testing.T) {
	t.Parallel()
	w := publishing(t)
	told, err := w.nodes[0].publish(w.folder(map[string]string{"inbox.yaml": defaultRule}))
	if err != nil {
		t.Fatal(err)
	}
	w.awaitRules(told, 10*time.Second)
	mute := w.twin(w.nodes[0], "consul: ["+w.consul[0]+"]", "consul: [127.0.0.1:1]")
	set, err := mute.publish(w.folder(map[string]string{"inbox.yaml": defaultRule + "after: archive\n"}))
	if err != nil || set.Version != told.Version+1 {
		t.Fatalf("%v, %v", set, err)
	}
	t.Logf("without a message it is everywhere after %v", w.awaitRules(set, 40*time.Second))
}
