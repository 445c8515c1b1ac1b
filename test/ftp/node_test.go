package ftp_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"hotfolderd/storage/s3/s3test"
	"hotfolderd/test/netns"
)

const (
	user     = "cam"
	password = "open sesame"
)

// node is a running one with an FTP gate.
type node struct {
	t     testing.TB
	dir   string
	store string // folder
	addr  string // of FTP
	tls   string // of FTP that is encrypted from its first byte
	http  string
	token string // of its HTTP, if it wants one
	cmd   *exec.Cmd
	log   *logged
}

// logged keeps what a process wrote.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// tail is the end of it.
func (l *logged) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.b.String()
	return s[max(0, len(s)-3000):]
}

// options of a node; the zero value is a node on a folder of its own.
type options struct {
	host  string       // where it listens; empty: an own address of loopback
	url   string       // of the store; empty: a folder
	root  string       // the folder of the store; empty: one that goes with the test
	rule  string       // added to the rules of the hotfolder
	ftp   string       // added to the settings of FTP
	ports string       // for data; empty: many
	more  string       // added to the settings of the store
	env   []string     // added to its environment
	space *netns.Space // where it lives, if that is elsewhere; host is then an address there
}

// onStore has a node store in a folder, or in a new bucket of a server: one that keeps versions where the server then removes for certain.
func onStore(t testing.TB, store string, o options) options {
	t.Helper()
	switch store {
	case "minio":
		server := s3test.MinIO(t)
		o.url = server.URL(server.VersionedBucket(t), "")
	case "versitygw":
		server := s3test.VersityGW(t)
		o.url, o.more = server.URL(server.Bucket(t), ""), ", accept_risk: true"
	default:
		return o
	}
	o.env = append(o.env, "AWS_SHARED_CREDENTIALS_FILE="+s3test.Credentials(t))
	return o
}

// quick settles at once: what is wrong in the hotfolder is taken, and found.
const quick = "match: { empty: import }\ncomplete: { settle: 100ms }\nthumbnails: { sizes: [] }\n"

// begin starts a node and waits until it is ready.
func begin(t testing.TB, o options) *node {
	t.Helper()
	if o.host == "" {
		o.host = ownIP()
	}
	dir := t.TempDir()
	n := &node{t: t, dir: dir, store: o.root, addr: o.host + ":2121", tls: o.host + ":2990", http: ownIP() + ":8480", log: &logged{}}
	if n.store == "" {
		n.store = filepath.Join(dir, "store")
	}
	if o.url == "" {
		o.url = "file://" + n.store
		write(t, filepath.Join(n.store, "hotfolders", "inbox", ".keep"), "")
	}
	if o.ports == "" {
		o.ports = "3000-9999"
	}
	if o.rule == "" {
		o.rule = quick
	}
	listen := fmt.Sprintf("listen: %q", n.http)
	if o.space != nil {
		n.http, n.token = o.host+":8480", strings.Repeat("token", 8)
		write(t, filepath.Join(dir, "token"), n.token)
		listen = fmt.Sprintf("listen: %q, token_file: %q", n.http, filepath.Join(dir, "token"))
	}
	n.writeUsers()
	cert, key := certificate(t, dir)
	write(t, filepath.Join(dir, "rules", "inbox.yaml"), "hotfolder: inbox\n"+o.rule)
	settings := filepath.Join(dir, "hotfolderd.yaml")
	write(t, settings, fmt.Sprintf(`node: { id: a }
storage: { url: %q%s }
hotfolders: %q
http: { %s }
log: { format: json }
ftp:
  listen: %q
  listen_tls: %q
  passive_ports: %q
  users_file: %q
  tls: { cert: %q, key: %q }
%s`, o.url, o.more, filepath.Join(dir, "rules"), listen, n.addr, n.tls, o.ports, filepath.Join(dir, "users.yaml"), cert, key, o.ftp))
	argv := []string{program, "run", "--config", settings}
	if o.space != nil {
		argv = o.space.Inside(argv...)
	}
	n.start(argv, o.env)
	return n
}

func (n *node) start(argv, env []string) {
	n.t.Helper()
	n.cmd = exec.Command(argv[0], argv[1:]...)
	n.cmd.Env = append(append(os.Environ(), "HOME="+n.dir, "XDG_STATE_HOME="+n.dir), env...)
	n.cmd.Dir = n.dir
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	check(n.t, n.cmd.Start())
	n.t.Cleanup(n.stop)
	within(n.t, 40*time.Second, "the node is ready\n"+n.log.tail(), n.ready)
}

func (n *node) ready() bool {
	res, err := n.get("/readyz")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// get asks the node by HTTP.
func (n *node) get(route string) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+n.http+route, nil)
	if err != nil {
		return nil, err
	}
	if n.token != "" {
		req.Header.Set("Authorization", "Bearer "+n.token)
	}
	return http.DefaultClient.Do(req)
}

// stop ends the node, in order if it still lives.
func (n *node) stop() {
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	if err := n.cmd.Wait(); err != nil {
		n.t.Errorf("want an orderly end, got %v\n%s", err, n.log.tail())
	}
}

// writeUsers has one user who may do everything, and one for whom the gate takes its time.
func (n *node) writeUsers() {
	n.t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	check(n.t, err)
	const one = `  - name: %s
    password_hash: %q
    hotfolders: { /: inbox }
    permissions: [upload, list, download, delete, rename, mkdir]
%s`
	write(n.t, filepath.Join(n.dir, "users.yaml"), "users:\n"+fmt.Sprintf(one, user, hash, "")+
		fmt.Sprintf(one, "slow", hash, "    limits: { rate: 8MB }\n"))
}

// memory is what the process holds, in MiB.
func (n *node) memory() int {
	n.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.cmd.Process.Pid))
	check(n.t, err)
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	check(n.t, err)
	return kib >> 10
}

// descriptors is how many the process has open.
func (n *node) descriptors() int {
	n.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", n.cmd.Process.Pid))
	check(n.t, err)
	return len(entries)
}

// about are the lines that hold a text.
func (l *logged) about(text string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for line := range strings.Lines(l.b.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

var given atomic.Int32

// ownIP is an address of loopback that nobody else uses: it belongs to this process.
func ownIP() string {
	pid, n := os.Getpid(), given.Add(1)
	return net.IPv4(127, byte(16+pid>>14&0x3f), byte(pid>>6), byte(n)).String()
}

func certificate(t testing.TB, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hotfolderd"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	check(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	check(t, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return cert, key
}

// within polls until ok says yes.
func within(t testing.TB, d time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", d, what)
		}
	}
}

func write(t testing.TB, path, content string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o777))
	check(t, os.WriteFile(path, []byte(content), 0o600))
}
