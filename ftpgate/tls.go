package ftpgate

import (
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
	"time"

	"hotfolderd/accounts"
)

const certificateEvery = 2 * time.Second // between two looks at the certificate's files

// secureConfig is the configuration of all encrypted connections; nil without a certificate. It is one for control and data, so that
// a client resumes the control connection's encryption on the data connection.
func secureConfig(files TLS) (*tls.Config, error) {
	if files.Cert == "" {
		return nil, nil
	}
	c := &certificate{files: files}
	if err := c.read(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil },
	}, nil
}

// certificate is read again when its files change; while they do not fit together, the last good one stands.
type certificate struct {
	files TLS

	mu     sync.Mutex
	looked time.Time
	stamps [2]accounts.Stamp
	pair   *tls.Certificate
}

func (c *certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) >= certificateEvery {
		_ = c.read()
	}
	return c.pair
}

// read reads the files if they are not those that were read; mu is held, or nobody else has c.
func (c *certificate) read() error {
	c.looked = time.Now()
	var now [2]accounts.Stamp
	for i, file := range []string{c.files.Cert, c.files.Key} {
		var err error
		if now[i], err = accounts.StampOf(file); err != nil {
			return fmt.Errorf("certificate of the FTP gate: %w", err)
		}
	}
	if now == c.stamps {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return fmt.Errorf("certificate of the FTP gate: %w", err)
	}
	c.pair, c.stamps = &pair, now
	return nil
}

// cmdAuth begins encryption. The pump waits for its answer, and drops what came behind AUTH in the clear.
func (s *session) cmdAuth(param string) {
	up := false
	switch kind := strings.ToUpper(param); {
	case s.g.secure == nil:
		s.reply(502, "there is no encryption here")
	case s.c.encrypted():
		s.reply(503, "the connection is encrypted already")
	case kind != "TLS" && kind != "TLS-C" && kind != "SSL":
		s.reply(504, "only AUTH TLS is known here")
	default:
		up = true
		s.sized, s.private = kind == "SSL", kind == "SSL" // which means both, to the clients that still say it
		s.reply(234, "now the handshake")
		s.forgetLogin()
	}
	select {
	case s.c.upgrade <- up:
	case <-s.c.gone:
	}
}

// forgetLogin begins anew: what was said in the clear counts for nothing.
func (s *session) forgetLogin() {
	s.setAccount(nil)
	s.name, s.cwd = "", "/"
	s.dropData()
}

func (s *session) cmdPbsz(string) {
	if !s.c.encrypted() {
		s.reply(503, "say AUTH TLS first")
		return
	}
	s.sized = true
	s.reply(200, "PBSZ=0")
}

func (s *session) cmdProt(param string) {
	switch level := strings.ToUpper(param); {
	case !s.c.encrypted() || !s.sized:
		s.reply(503, "say AUTH TLS and PBSZ first")
	case level == "P":
		s.private = true
		s.reply(200, "data will be encrypted")
	case level == "C" && s.g.o.RequireTLS:
		s.reply(534, "data must be encrypted here")
	case level == "C":
		s.private = false
		s.reply(200, "data will be in the clear")
	default:
		s.reply(536, "only PROT P and PROT C are known here")
	}
}
