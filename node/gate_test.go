package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"hotfolderd/accounts"
	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/ftpgate"
)

// withGate gives the node a gate with one user, who drops into inbox.
func withGate(t *testing.T, o *Options) {
	t.Helper()
	hash, err := accounts.HashPassword(strings.NewReader("a pass phrase\n"))
	if err != nil {
		t.Fatal(err)
	}
	users := filepath.Join(t.TempDir(), "users.yaml")
	write(t, users, fmt.Appendf(nil, "users:\n  - name: cam\n    password_hash: %q\n    hotfolders: { /: inbox }\n", hash))
	o.Settings.Node.Roles = append(o.Settings.Node.Roles, config.RoleFTP)
	o.Settings.FTP.Listen, o.Settings.FTP.UsersFile = "127.0.0.1:0", users
}

func upload(t *testing.T, gate *ftpgate.Gate, file, to string) {
	t.Helper()
	if out, err := tryUpload(t, gate, file, to); err != nil {
		t.Fatalf("curl: %v\n%s", err, out)
	}
}

func tryUpload(t *testing.T, gate *ftpgate.Gate, file, to string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "curl", "-sSv", "--ftp-create-dirs", "-u", "cam:a pass phrase", "-T", file,
		"ftp://"+gate.Addr().String()+"/"+to).CombinedOutput()
	return string(out), err
}

// gated runs a node with a gate and one hotfolder, inbox.
func gated(t *testing.T, change ...func(*config.Rule)) *running {
	t.Helper()
	o := options(t, t.TempDir(), rule("inbox", change...))
	withGate(t, &o)
	r := start(t, o)
	within(t, 20*time.Second, "active", func() bool { return r.State() == "active" })
	return r
}

// last is the newest event of a key.
func (r *running) last(key asset.Key) asset.Event {
	for _, e := range r.feed.Recent(1000) {
		if e.Key == key {
			return e
		}
	}
	return asset.Event{}
}

// What came whole by FTP needs no settling: it is imported long before it would be quiet.
func TestGate_whatItTookIsKnown(t *testing.T) {
	o := options(t, t.TempDir(), rule("inbox", func(r *config.Rule) { r.Complete.Settle = config.Duration(time.Hour) }))
	withGate(t, &o)
	r := start(t, o)
	within(t, 10*time.Second, "active", func() bool { return r.State() == "active" })
	file := filepath.Join(t.TempDir(), "a.txt")
	write(t, file, []byte("no format proves this"))
	upload(t, r.gate, file, "sub/a.txt")
	r.expect("sub/a.txt", []byte("no format proves this"))
}

// A node that was never run lets the gate's address go.
func TestGate_isClosedWithANodeThatNeverRan(t *testing.T) {
	o := options(t, t.TempDir(), rule("inbox"))
	withGate(t, &o)
	n, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	addr := n.gate.Addr().String()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	o.Settings.FTP.Listen, o.Registry = addr, options(t, "").Registry
	r := start(t, o)
	within(t, 10*time.Second, "active", func() bool { return r.State() == "active" })
}

// Every key of the gate's settings reaches the gate.
func TestGate_heedsEverySetting(t *testing.T) {
	before, err := gateOptions(config.Default().FTP)
	if err != nil {
		t.Fatal(err)
	}
	for i := range reflect.TypeFor[config.FTP]().NumField() {
		f := config.Default().FTP
		v, name := reflect.ValueOf(&f).Elem().Field(i), reflect.TypeFor[config.FTP]().Field(i).Name
		if name == "UsersFile" {
			continue // it is read before
		}
		switch {
		case name == "Proxies":
			f.Proxies = []string{"10.0.0.5"}
		case name == "TLS":
			f.TLS.Cert = "cert.pem"
		case name == "PassivePorts":
			f.PassivePorts = "1-2"
		case v.Kind() == reflect.String:
			v.SetString("other:1")
		case v.Kind() == reflect.Bool:
			v.SetBool(true)
		default:
			v.SetInt(v.Int() + 1)
		}
		after, err := gateOptions(f)
		if err != nil || reflect.DeepEqual(before, after) {
			t.Errorf("want ftp setting %s to change something, got %+v, %v", name, after, err)
		}
	}
}

// What came by FTP says so, whoever sees it first: the watch of the folder, or the gate's own word.
func TestGate_whatItTookHasItsDoor(t *testing.T) {
	r := gated(t)
	file := filepath.Join(t.TempDir(), "a.jpg")
	for i := range 20 {
		key := asset.Key(fmt.Sprintf("%d.jpg", i))
		write(t, file, jpeg(2000, uint64(i)))
		upload(t, r.gate, file, string(key))
		within(t, 20*time.Second, "an event", func() bool { return r.last(key).Result == asset.Imported })
		if e := r.last(key); e.Door != asset.DoorFTP || e.Settled != "known: it came whole by ftp" {
			t.Errorf("%s: want it known by ftp, got %s, %s", key, e.Door, e.Settled)
		}
	}
}

// A client that ends its data early and lives on looks like one that is done. The format of the file knows better.
func TestGate_anIncompleteFileIsWaitedFor(t *testing.T) {
	for _, what := range []string{"import", "reject"} {
		t.Run(what, func(t *testing.T) {
			r := gated(t, func(c *config.Rule) {
				c.Complete.Settle, c.Complete.Patience = config.Duration(time.Millisecond), config.Duration(1200*time.Millisecond)
				c.Complete.Incomplete = what
			})
			whole := jpeg(20_000, 1)
			file := filepath.Join(t.TempDir(), "a.jpg")
			write(t, file, whole[:15_000])
			began := time.Now()
			upload(t, r.gate, file, "a.jpg")
			within(t, 20*time.Second, "an end", func() bool {
				return slices.Contains([]asset.Result{asset.Imported, asset.Failed}, r.last("a.jpg").Result)
			})
			e := r.last("a.jpg")
			if time.Since(began) < time.Second {
				t.Errorf("want patience, got %s after %s", e.Result, time.Since(began))
			}
			if want := map[string]asset.Result{"import": asset.Imported, "reject": asset.Failed}[what]; e.Result != want || !strings.Contains(e.Settled+e.Reason, "incomplete") {
				t.Errorf("want %s as incomplete, got %+v", want, e)
			}
		})
	}
}

// A client that sends the rest in time has its whole file imported, once.
func TestGate_anIncompleteFileIsMadeWhole(t *testing.T) {
	r := gated(t, func(c *config.Rule) { c.Complete.Patience = config.Duration(time.Hour) })
	whole := jpeg(20_000, 1)
	file := filepath.Join(t.TempDir(), "a.jpg")
	write(t, file, whole[:15_000])
	upload(t, r.gate, file, "a.jpg")
	write(t, file, whole)
	upload(t, r.gate, file, "a.jpg")
	r.expect("a.jpg", whole)
	if _, n, err := r.Area().Current(t.Context(), "inbox/a.jpg"); n != 1 || err != nil {
		t.Errorf("want one version, got %d, %v", n, err)
	}
}

// What a rule asks for is looked at before the client is told that its file is stored, and the answer says what is wrong.
func TestGate_checksBeforeItSaysStored(t *testing.T) {
	r := gated(t, func(c *config.Rule) {
		c.Check = []string{config.CheckName, config.CheckSize, config.CheckType, config.CheckWhole, config.CheckImage}
		c.Match.Exclude, c.Match.MaxSize = []string{"*.tmp"}, 50_000
	})
	whole := jpeg(20_000, 1)
	broken := slices.Concat(whole[:2], []byte("\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"), []byte{0xff, 0xd9})
	for _, x := range []struct {
		name string
		data []byte
		want string
	}{
		{"a.tmp", whole, "553 refused: this folder takes no file of that name"},
		{"b.jpg", jpeg(60_000, 2), "553 refused: it has 59998 bytes, at most 50000 are taken"},
		{"c.jpg", nil, "553 refused: it is empty"},
		{"d.jpg", []byte("text"), "553 refused: its name says image/jpeg, its content is text/plain"},
		{"e.jpg", whole[:15_000], "553 refused: it is incomplete"},
		{"f.jpg", broken, "553 refused: "},
	} {
		file := filepath.Join(t.TempDir(), "file")
		write(t, file, x.data)
		out, err := tryUpload(t, r.gate, file, x.name)
		if err == nil || !strings.Contains(out, x.want) {
			t.Errorf("%s: want %q, got %v\n%s", x.name, x.want, err, out)
		}
		if _, err := os.Lstat(r.inbox(x.name)); err == nil {
			t.Errorf("%s: it is a drop all the same", x.name)
		}
	}
	file := filepath.Join(t.TempDir(), "good.jpg")
	write(t, file, whole)
	upload(t, r.gate, file, "good.jpg")
	r.expect("good.jpg", whole)
}

// Every session and transfer is in the journal.
func TestGate_isJournaled(t *testing.T) {
	r := gated(t)
	file := filepath.Join(t.TempDir(), "a.jpg")
	write(t, file, jpeg(2000, 1))
	upload(t, r.gate, file, "a.jpg")
	within(t, 20*time.Second, "an upload and its session in the journal", func() bool {
		text := ""
		for _, path := range journals(t, r.dir) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text += string(b)
		}
		return strings.Contains(text, "ftp login by") && strings.Contains(text, "ftp upload by") && strings.Contains(text, "ftp logout by")
	})
}

func journals(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "workarea", "journal"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			all = append(all, p)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}
