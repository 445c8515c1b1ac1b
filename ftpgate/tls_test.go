package ftpgate_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hotfolderd/ftpgate"
)

// certificate writes a new one for 127.0.0.1, and returns its files and what a client needs to trust it.
func certificate(t testing.TB) (ftpgate.TLS, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ftp"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(t, err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	check(t, err)
	files := ftpgate.TLS{Cert: filepath.Join(t.TempDir(), "cert.pem"), Key: filepath.Join(t.TempDir(), "key.pem")}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	check(t, os.WriteFile(files.Cert, certPEM, 0o600))
	check(t, os.WriteFile(files.Key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), 0o600))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return files, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", ClientSessionCache: tls.NewLRUClientSessionCache(8)}
}

// runTLS starts a gate that encrypts, explicitly and implicitly.
func (w *world) runTLS(require bool) (*gate, ftpgate.TLS, *tls.Config) {
	files, config := certificate(w.t)
	g := w.run(func(o *ftpgate.Options) { o.TLS, o.RequireTLS, o.ListenTLS = files, require, "127.0.0.1:0" })
	return g, files, config
}

// loginTLS is a client that is encrypted and logged in, data included.
func loginTLS(t *testing.T, g *gate, config *tls.Config) *client {
	t.Helper()
	c := dial(t, g)
	c.do(234, "AUTH TLS")
	c.secure(config)
	c.do(331, "USER %s", user)
	c.do(230, "PASS %s", password)
	c.do(200, "PBSZ 0")
	c.do(200, "PROT P")
	return c
}

func TestTLS_isRequiredWhereTheSettingSaysSo(t *testing.T) {
	t.Parallel()
	g, _, config := newWorld(t).runTLS(true)
	c := dial(t, g)
	c.do(530, "USER cam")
	c.do(503, "PASS %s", password)
	c.do(211, "FEAT")
	c.do(504, "AUTH KERBEROS")
	c.do(234, "auth tls")
	c.secure(config)
	c.do(503, "AUTH TLS")
	c.do(503, "PROT P")
	c.do(331, "USER cam")
	c.do(230, "PASS %s", password)
	c.data()
	c.do(522, "STOR a.jpg")
	c.data()
	c.do(522, "LIST")
	c.do(200, "PBSZ 0")
	c.do(534, "PROT C")
	c.do(536, "PROT S")
	c.do(200, "PROT P")
}

func TestTLS_uploadAndDownload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g, _, config := w.runTLS(false)
	c := loginTLS(t, g, config)
	d := tls.Client(c.begin("STOR a.jpg"), config)
	_, err := io.WriteString(d, "all of it")
	check(t, err)
	check(t, d.Close())
	c.want(226)
	c.do(200, "NOOP")
	if got := w.content("inbox/a.jpg"); got != "all of it" {
		t.Errorf("want all of it, got %q", got)
	}
	d = tls.Client(c.begin("RETR a.jpg"), config)
	got, err := io.ReadAll(d)
	check(t, err)
	c.want(226)
	if string(got) != "all of it" {
		t.Errorf("want all of it, got %q", got)
	}
	if !d.ConnectionState().DidResume {
		t.Error("want the session of the control connection resumed")
	}
	c.do(200, "PROT C")
	c.upload("plain.jpg", "x")
}

func TestTLS_dataThatEndWithoutSayingSoAreCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g, _, config := w.runTLS(false)
	c := loginTLS(t, g, config)
	raw := c.begin("STOR a.jpg")
	d := tls.Client(raw, config)
	_, err := io.WriteString(d, "half of it")
	check(t, err)
	check(t, raw.Close())
	c.want(426)
	c.do(200, "NOOP")
	if got := w.content("inbox/a.jpg"); got != "absent" {
		t.Errorf("want no drop, got %q", got)
	}
}

func TestTLS_dataThatEndWithoutSayingSoAreTakenWhereTheSettingSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	files, config := certificate(t)
	g := w.run(func(o *ftpgate.Options) { o.TLS, o.AllowCutTLS = files, true })
	c := loginTLS(t, g, config)
	raw := c.begin("STOR a.jpg")
	_, err := io.WriteString(tls.Client(raw, config), "all of it")
	check(t, err)
	check(t, raw.Close())
	c.want(226)
	c.do(200, "NOOP")
	if got := w.content("inbox/a.jpg"); got != "all of it" {
		t.Errorf("want it taken, got %q", got)
	}
}

func TestTLS_whatIsSentBehindAuthIsNotExecuted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g, _, config := w.runTLS(false)
	c := login(t, g)
	c.send("AUTH TLS\r\nMKD injected")
	c.want(234)
	c.secure(config)
	c.do(530, "PWD") // what was said in the clear counts for nothing
	c.do(331, "USER %s", user)
	c.do(230, "PASS %s", password)
	c.do(550, "CWD injected")
}

func TestTLS_implicit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g, _, config := w.runTLS(true)
	conn, err := net.Dial("tcp", g.AddrTLS().String())
	check(t, err)
	closing(t, conn)
	c := &client{t: t, conn: conn, raw: conn.(*net.TCPConn)}
	c.secure(config)
	c.want(220)
	c.do(331, "USER %s", user)
	c.do(230, "PASS %s", password)
	d := tls.Client(c.begin("STOR a.jpg"), config) // protected without PROT
	_, err = io.WriteString(d, "x")
	check(t, err)
	check(t, d.Close())
	c.want(226)
}

func TestTLS_oldVersionsAndSilentClientsAreRefused(t *testing.T) {
	t.Parallel()
	g, _, config := newWorld(t).runTLS(true)
	old := config.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 //nolint:staticcheck // that is the test
	c := dial(t, g)
	c.do(234, "AUTH TLS")
	if err := tls.Client(c.conn, old).Handshake(); err == nil {
		t.Error("want TLS 1.1 refused")
	}
	c = dial(t, g)
	c.do(234, "AUTH TLS")
	_, err := io.WriteString(c.conn, "USER cam\r\n")
	check(t, err)
	check(t, c.conn.Close())
	g.idle()
}

func TestTLS_aNewCertificateIsUsedWithoutARestart(t *testing.T) {
	t.Parallel()
	g, files, _ := newWorld(t).runTLS(true)
	next, config := certificate(t)
	for from, to := range map[string]string{next.Cert: files.Cert, next.Key: files.Key} {
		data, err := os.ReadFile(from)
		check(t, err)
		check(t, os.WriteFile(to, data, 0o600))
	}
	eventually(t, "the new certificate", func() bool {
		conn, err := tls.Dial("tcp", g.AddrTLS().String(), config)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
}

func TestTLS_realClients(t *testing.T) {
	t.Parallel()
	file := randomFile(t, 300_000)
	want, err := os.ReadFile(file)
	check(t, err)
	w := newWorld(t)
	g, files, _ := w.runTLS(true)
	for name, cmd := range secureUploaders(g, files, file) {
		if out, err := cmd(name).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
			continue
		}
		eventually(t, name+" to be heard of", func() bool { return g.hasHeard("inbox/" + name) })
		if got := w.content("inbox/" + name); got != string(want) {
			t.Errorf("%s: want %d bytes as they are, got %d others", name, len(want), len(got))
		}
	}
}

func secureUploaders(g *gate, files ftpgate.TLS, file string) map[string]func(name string) *exec.Cmd {
	host, port, _ := strings.Cut(g.Addr().String(), ":")
	_, portTLS, _ := strings.Cut(g.AddrTLS().String(), ":")
	lftp := func(url, name string) *exec.Cmd {
		return exec.Command("lftp", "-c", fmt.Sprintf(
			"set net:max-retries 1; set ssl:ca-file %s; set ssl:check-hostname no; set ftp:ssl-force yes; set ftp:ssl-protect-data yes; open -u '%s,%s' %s; put %s -o %s",
			files.Cert, user, password, url, file, name))
	}
	return map[string]func(name string) *exec.Cmd{
		"curl": func(name string) *exec.Cmd {
			return exec.Command("curl", "-sS", "--cacert", files.Cert, "--ssl-reqd", "-T", file, "ftp://"+host+":"+port+"/"+name, "-u", user+":"+password)
		},
		"curl-implicit": func(name string) *exec.Cmd {
			return exec.Command("curl", "-sS", "--cacert", files.Cert, "-T", file, "ftps://"+host+":"+portTLS+"/"+name, "-u", user+":"+password)
		},
		"curl-1.2": func(name string) *exec.Cmd {
			return exec.Command("curl", "-sS", "--tls-max", "1.2", "--cacert", files.Cert, "--ssl-reqd", "-T", file, "ftp://"+host+":"+port+"/"+name, "-u", user+":"+password)
		},
		"lftp":          func(name string) *exec.Cmd { return lftp("ftp://"+host+":"+port, name) },
		"lftp-implicit": func(name string) *exec.Cmd { return lftp("ftps://"+host+":"+portTLS, name) },
		"python": func(name string) *exec.Cmd {
			return exec.Command("/usr/bin/python3", "-c", pythonTLS, host, port, user, password, file, name)
		},
	}
}

const pythonTLS = `
import ftplib, ssl, sys, time
f = ftplib.FTP_TLS(context=ssl._create_unverified_context())
f.connect(sys.argv[1], int(sys.argv[2]))
f.login(sys.argv[3], sys.argv[4])
f.prot_p()
slow = float(sys.argv[7]) if len(sys.argv) > 7 else 0
f.storbinary("STOR " + sys.argv[6], open(sys.argv[5], "rb"), callback=lambda _: time.sleep(slow) if slow else None)
f.quit()
`

func TestTLS_killedClientsLeaveNoDrop(t *testing.T) {
	t.Parallel()
	file := randomFile(t, killSize)
	w := newWorld(t)
	g, files, _ := w.runTLS(true)
	for i := range max(2, killRounds()/2) {
		for _, client := range []string{"curl", "lftp", "python"} {
			killOne(t, g, slow(secureUploaders(g, files, file)[client](fmt.Sprintf("%s-%d", client, i))), []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM}[i%2])
		}
	}
	for name, size := range w.drops("inbox") {
		if size != killSize {
			t.Errorf("want no drop of a killed client, got %s with %d bytes of %d", name, size, killSize)
		}
	}
}
