package ftpgate_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// client speaks FTP as plainly as can be, so that a test can do what no decent client does.
type client struct {
	t    *testing.T
	conn net.Conn
	raw  *net.TCPConn
	r    *bufio.Reader
}

func dial(t *testing.T, g *gate) *client {
	t.Helper()
	return dialAt(t, g.Addr().String())
}

func dialAt(t *testing.T, address string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	check(t, err)
	c := &client{t: t, conn: conn, raw: conn.(*net.TCPConn), r: bufio.NewReader(conn)}
	closing(t, conn)
	c.want(220)
	return c
}

// login is a client that is logged in.
func login(t *testing.T, g *gate) *client {
	t.Helper()
	return loginAs(t, g, user)
}

func loginAs(t *testing.T, g *gate, name string) *client {
	t.Helper()
	c := dial(t, g)
	c.login(name)
	return c
}

func (c *client) login(name string) {
	c.t.Helper()
	c.do(331, "USER %s", name)
	c.do(230, "PASS %s", password)
}

func (c *client) send(format string, args ...any) {
	c.t.Helper()
	_, err := io.WriteString(c.conn, fmt.Sprintf(format, args...)+"\r\n")
	check(c.t, err)
}

// read is the next reply, whole.
func (c *client) read() (code int, text string, err error) {
	check(c.t, c.conn.SetReadDeadline(time.Now().Add(patience)))
	var b strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return 0, b.String(), err
		}
		b.WriteString(line)
		n, _ := strconv.Atoi(line[:min(3, len(line))])
		if code == 0 {
			code = n
		}
		if len(line) > 3 && n == code && line[3] == ' ' {
			return code, strings.TrimRight(b.String(), "\r\n"), nil
		}
	}
}

// want is the next reply, which must have the code.
func (c *client) want(code int) string {
	c.t.Helper()
	got, text, err := c.read()
	if err != nil || got != code {
		c.t.Fatalf("want %d, got %q, %v", code, text, err)
	}
	return text
}

// do sends a command and wants the code.
func (c *client) do(code int, format string, args ...any) string {
	c.t.Helper()
	c.send(format, args...)
	got, text, err := c.read()
	if err != nil || got != code {
		c.t.Fatalf("%s: want %d, got %q, %v", fmt.Sprintf(format, args...), code, text, err)
	}
	return text
}

// data opens a data connection by EPSV.
func (c *client) data() *net.TCPConn {
	c.t.Helper()
	parts := strings.Split(c.do(229, "EPSV"), "|")
	host, _, _ := net.SplitHostPort(c.raw.RemoteAddr().String())
	conn, err := net.Dial("tcp", net.JoinHostPort(host, parts[3]))
	check(c.t, err)
	closing(c.t, conn)
	return conn.(*net.TCPConn)
}

// begin starts a transfer, up to 150.
func (c *client) begin(format string, args ...any) *net.TCPConn {
	c.t.Helper()
	d := c.data()
	c.do(150, format, args...)
	return d
}

// upload sends a file as it should be.
func (c *client) upload(name, content string) {
	c.t.Helper()
	d := c.begin("STOR %s", name)
	_, err := io.WriteString(d, content)
	check(c.t, err)
	check(c.t, d.Close())
	c.want(226)
}

// download is what a transfer sends.
func (c *client) download(format string, args ...any) string {
	c.t.Helper()
	d := c.begin(format, args...)
	check(c.t, d.SetReadDeadline(time.Now().Add(patience)))
	got, err := io.ReadAll(d)
	check(c.t, err)
	c.want(226)
	return string(got)
}

// secure goes on encrypted.
func (c *client) secure(config *tls.Config) {
	c.t.Helper()
	conn := tls.Client(c.conn, config)
	check(c.t, conn.Handshake())
	c.conn, c.r = conn, bufio.NewReader(conn)
}
