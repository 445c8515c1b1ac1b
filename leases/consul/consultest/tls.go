package consultest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hotfolderd/leases/consul"
)

const tlsSettings = `
ports { https = %s, http = -1 }
tls { https { ca_file = %q, cert_file = %q, key_file = %q, verify_incoming = true } }
`

// StartTLS is [Start] with https only, and clients must show a certificate of its authority. [Config] has what they need.
func StartTLS(t testing.TB, hcl ...string) *Server {
	t.Helper()
	s := newServer(t)
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	ca := newAuthority(t)
	server := ca.issue(t, "server", host)
	s.scheme, s.tls = "https", ca.issue(t, "client", host)
	for _, line := range append(hcl, fmt.Sprintf(tlsSettings, port, server.CA, server.Cert, server.Key)) {
		s.args = append(s.args, "-hcl", line)
	}
	return s.run(t)
}

// authority signs certificates that live for an hour.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	template := certificate("consultest")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	a.cert, a.key = a.write(t, "ca", template)
	return a
}

func certificate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
	}
}

// issue writes a certificate for ip, good for both sides, and names its files.
func (a *authority) issue(t testing.TB, name, ip string) consul.TLS {
	t.Helper()
	template := certificate(name)
	template.IPAddresses = []net.IP{net.ParseIP(ip)}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	a.write(t, name, template)
	file := func(kind string) string { return filepath.Join(a.dir, name+kind) }
	return consul.TLS{CA: filepath.Join(a.dir, "ca.pem"), Cert: file(".pem"), Key: file(".key")}
}

// write makes a key, signs its certificate and puts both into the folder.
func (a *authority) write(t testing.TB, name string, template *x509.Certificate) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a.put(t, name+".pem", "CERTIFICATE", der)
	a.put(t, name+".key", "PRIVATE KEY", private)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func (a *authority) put(t testing.TB, name, kind string, der []byte) {
	t.Helper()
	b := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(filepath.Join(a.dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}
