package node

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"hotfolderd/config"
	"hotfolderd/ftpgate"
)

// withGate gives the node a gate with one user, who drops into inbox.
func withGate(t *testing.T, o *Options) {
	t.Helper()
	hash, err := ftpgate.HashPassword(strings.NewReader("a pass phrase\n"))
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
	out, err := exec.CommandContext(t.Context(), "curl", "-sS", "--ftp-create-dirs", "-u", "cam:a pass phrase", "-T", file,
		"ftp://"+gate.Addr().String()+"/"+to).CombinedOutput()
	if err != nil {
		t.Fatalf("curl: %v\n%s", err, out)
	}
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
