package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hotfolderd/cluster"
	"hotfolderd/config"
	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
	"hotfolderd/node"
	"hotfolderd/workarea"
)

func TestAnnounceRules_writesTheHintThatNodesWatch(t *testing.T) {
	server := consultest.Start(t)
	s := config.Default()
	s.Cluster.Consul, s.Cluster.Namespace = []string{server.Addr}, consultest.Namespace(t)
	for _, n := range []int{41, 42} {
		if err := announceRules(t.Context(), s, n); err != nil {
			t.Fatal(err)
		}
	}
	got, err := server.Dial(t).Get(t.Context(), consul.Root(s.Cluster.Namespace)+"rules")
	if err != nil || got == nil || string(got.Value) != "42" {
		t.Errorf("want 42, got %v, %v", got, err)
	}
	server.Kill()
	if err := announceRules(t.Context(), s, 43); !errors.Is(err, consul.ErrUnreachable) {
		t.Errorf("want the reason why nobody could be told, got %v", err)
	}
}

func TestAnnounceRules_aNodeThatIsAloneTellsNobody(t *testing.T) {
	if err := announceRules(t.Context(), config.Default(), 1); err != nil {
		t.Error(err)
	}
}

// inStore does something in a new store with its settings.
func inStore(t *testing.T, do func(a *app, o *opened, said *bytes.Buffer)) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "hotfolderd.yaml")
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	if err := os.WriteFile(file, []byte("node: { id: node-a }\nstorage: { url: store }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	a := &app{configFile: file, out: &said, err: &said}
	if err := a.with(t.Context(), true, func(o *opened) error { do(a, o, &said); return nil }); err != nil {
		t.Error(err)
	}
}

func TestRules_ofAPublishedSet(t *testing.T) {
	inStore(t, func(_ *app, o *opened, _ *bytes.Buffer) {
		o.settings.Hotfolders = config.Published
		if set, err := o.rules(t.Context()); err != nil || len(set) != 0 {
			t.Errorf("want no hotfolder before the first set, got %+v, %v", set, err)
		}
		publish(t, o, "hotfolder: one")
		publish(t, o, "hotfolder: two")
		set, err := o.rules(t.Context())
		if err != nil || len(set) != 1 || set[0].Hotfolder != "two" {
			t.Errorf("want the newest set, got %+v, %v", set, err)
		}
		publish(t, o, "hotfolder: THREE") // by a program that checks less
		_, err = o.rules(t.Context())
		if want := "published version 3/a.yaml:1:12: hotfolder: "; codeOf(err) != exitSettings || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	})
}

func publish(t *testing.T, o *opened, text string) {
	t.Helper()
	if _, err := o.area.PublishRules(t.Context(), workarea.RuleSet{Files: map[string]string{"a.yaml": text}}); err != nil {
		t.Fatal(err)
	}
}

func TestPublish_isDoneAlsoWhenNobodyCanBeTold(t *testing.T) {
	inStore(t, func(a *app, o *opened, said *bytes.Buffer) {
		o.settings.Cluster.Consul = []string{"127.0.0.1:1"}
		files := map[string]string{"a.yaml": "hotfolder: one"}
		set, err := checkTexts("here", files)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.publishInto(t.Context(), o, workarea.RuleSet{Files: files}, set); err != nil {
			t.Fatal(err)
		}
		wantLines(t, said.String(), "hotfolderd: warning: version 1 is published, but the nodes could not be told", "published version 1: 1 hotfolder, rules ")
		if rs, err := o.area.Rules(t.Context(), 0); err != nil || rs.Version != 1 || rs.By != "node-a" {
			t.Errorf("want version 1, got %+v, %v", rs, err)
		}
	})
}

func TestCheck_warnsOfWhatIsOdd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "odd.yaml")
	if err := os.WriteFile(file, []byte("node: { id: node-a }\ncluster: { consul: ['10.0.0.1:8500'], session_ttl: 2s }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &app{configFile: file}
	s, err := a.readSettings()
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := config.DefaultRule("x")
	elsewhere.RunOn = []string{"node-b"} // may come yet: the node is not alone
	got, err := a.warnings(t.Context(), s, []config.Rule{elsewhere}, true)
	if err != nil || len(got) != 3 || got[0].Line != 2 || got[0].File != file {
		t.Errorf("want three warnings with their places, got %+v, %v", got, err)
	}
	if got, err = a.warnings(t.Context(), s, nil, false); err != nil || len(got) != 0 {
		t.Errorf("want none of settings that were not asked about, got %+v, %v", got, err)
	}
}

func TestRun_anAddressThatOthersCannotUseIsRefused(t *testing.T) {
	s := config.Default()
	s.Cluster.Consul = []string{"10.0.0.1:8500"}
	err := (&app{}).apply(runFlags{listen: "0.0.0.0:8480"}, &s)
	if codeOf(err) != exitSettings || !strings.Contains(err.Error(), "set cluster.advertise") {
		t.Errorf("want it refused, got %v", err)
	}
}

func TestCodeOf_settingsThatCannotWorkAre78(t *testing.T) {
	for err, want := range map[error]int{
		errors.New("x"):           exitFailed,
		context.Canceled:          exitFailed,
		notFoundf("x"):            exitNotFound,
		badSettings(os.ErrClosed): exitSettings,
		fmt.Errorf("join: %w", cluster.ErrDuplicate):               exitSettings,
		fmt.Errorf("join: %w", cluster.ErrStore):                   exitSettings,
		fmt.Errorf("x: %w", node.ErrUnsupported):                   exitSettings,
		fmt.Errorf("rules: %w", config.Errors{{Problem: "wrong"}}): exitSettings,
	} {
		if got := codeOf(err); got != want {
			t.Errorf("%v: want %d, got %d", err, want, got)
		}
	}
}

// A path of a settings file is meant from its folder, whichever key it belongs to.
func TestAbsolute_coversEveryFile(t *testing.T) {
	s := config.Default()
	files := fileSettings(reflect.ValueOf(&s).Elem(), "")
	if len(files) < 8 {
		t.Fatalf("only %v were found: this test looks in the wrong place", files)
	}
	for _, f := range files {
		f.SetString("x.pem")
	}
	absolute(&s, "/etc/hotfolderd")
	for key, f := range files {
		if want := "/etc/hotfolderd/x.pem"; f.String() != want {
			t.Errorf("%s: want %s, got %s", key, want, f)
		}
	}
}

// fileSettings are the settings that name a file, by their key.
func fileSettings(v reflect.Value, section string) map[string]reflect.Value {
	all := map[string]reflect.Value{}
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag.Get("yaml")
		if v.Field(i).Kind() == reflect.Struct {
			maps.Copy(all, fileSettings(v.Field(i), section+tag+"."))
		} else if slices.Contains([]string{"token_file", "users_file", "credentials_file", "ca_file", "ca", "cert", "key"}, tag) {
			all[section+tag] = v.Field(i)
		}
	}
	return all
}
