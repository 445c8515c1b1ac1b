package ftpgate_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"hotfolderd/ftpgate"
)

// FuzzTalk sends whatever bytes to a gate, logged in or not. Every answer must be one of FTP, the session must end when the client does,
// and nothing outside of the user's hotfolders may change or be told. What the goroutines of a gate pass through differs from run to
// run, so that nearly every input looks new: without -fuzzminimizetime 1x they are all made smaller, for a minute each.
func FuzzTalk(f *testing.F) {
	for _, s := range []string{
		"NOOP\r\nQUIT\r\n", "PASV\r\nSTOR x\r\nABOR\r\n", "STOR x\r\n", "EPSV\r\nEPSV ALL\r\nPASV\r\n", "PORT 1\r\nEPRT |\r\nPORT 127,0,0,1,0,22\r\n",
		"RNFR ../../secret\r\nRNTO x\r\n", "MKD a/../../b\r\nRMD a\r\nRMD /\r\n", "REST -1\r\nREST 99999999999999999999\r\nAPPE x\r\n", "ALLO 0\r\nALLO -5 R 9\r\n",
		"SIZE ../secret\r\nMDTM \xff\r\nMLST " + strings.Repeat("a", 5000) + "\r\n", "\xff\xf4\xff\xf2ABOR\r\n", "USER a\r\nPASS b\r\nUSER\r\n",
		"OPTS MLST a;b;c\r\nOPTS UTF8 ON\r\nFEAT\r\nHELP\r\nSTAT /\r\n", "TYPE A N\r\nMODE Z\r\nSTRU P\r\nPBSZ -1\r\nPROT X\r\nAUTH x\r\n", "\x00\r\n\n\n\r", "MFMT x y\r\nSITE CHMOD\r\n",
		"LIST -la ../..\r\nNLST *\r\nCWD ~root\r\nCDUP\r\nXPWD\r\n",
	} {
		f.Add(true, []byte(s))
		f.Add(false, []byte(s))
	}
	w := newWorld(f)
	check(f, os.WriteFile(filepath.Join(w.dir, "hotfolders", "secret"), []byte("forbidden"), 0o600))
	addr := w.run(func(o *ftpgate.Options) {
		o.Bans, o.Log, o.Settle = never{}, zap.NewNop(), time.Millisecond
		ftpgate.Hasten(o)
	}).Addr().String()
	f.Fuzz(func(t *testing.T, inside bool, said []byte) {
		conn, err := net.Dial("tcp", addr)
		check(t, err)
		var talking sync.WaitGroup
		defer talking.Wait() // the next input takes the place of what is said in memory
		defer conn.Close()
		check(t, conn.SetDeadline(time.Now().Add(patience)))
		if inside {
			_, err = io.WriteString(conn, "USER "+user+"\r\nPASS "+password+"\r\n")
			check(t, err)
		}
		talking.Go(func() {
			_, _ = conn.Write(said)
			_ = conn.(*net.TCPConn).CloseWrite()
		})
		heard, err := io.ReadAll(conn)
		if late, ok := err.(net.Error); ok && late.Timeout() {
			t.Fatalf("want the session to end, it hangs after %q", heard)
		}
		for line := range bytes.Lines(heard) {
			if !isAnswer(line) {
				t.Errorf("want an answer, got %q", line)
			}
		}
		if bytes.Contains(heard, []byte("forbidden")) {
			t.Errorf("want nothing told of what is outside, got %q", heard)
		}
		if got, err := os.ReadFile(filepath.Join(w.dir, "hotfolders", "secret")); err != nil || string(got) != "forbidden" {
			t.Fatalf("want what is outside as it was, got %q, %v", got, err)
		}
	})
}

// never bans anybody.
type never struct{}

func (never) Banned(string) time.Duration { return 0 }
func (never) Failed(string) int           { return 0 }

// isAnswer: three digits or a space begin each line, CR LF ends it, and nothing in it ends one.
func isAnswer(line []byte) bool {
	text, ended := bytes.CutSuffix(line, []byte("\r\n"))
	if !ended || bytes.ContainsAny(text, "\r\x00") || len(text) < 4 {
		return false
	}
	return text[0] == ' ' || text[0] >= '1' && text[0] <= '6' && (text[3] == ' ' || text[3] == '-')
}
