package ftp_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// raw speaks FTP as plainly as can be, and stops wherever it likes. Its methods return errors, since many run at a time.
type raw struct {
	tcp    *net.TCPConn
	conn   net.Conn
	r      *bufio.Reader
	local  string
	secure bool
}

const patience = 2 * time.Minute // for one reply, on a machine that is busy

// dial is a client at a local address, which is any of loopback, after the greeting.
func dial(addr, local string, secure bool) (*raw, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}, Timeout: patience}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &raw{tcp: conn.(*net.TCPConn), conn: conn, r: bufio.NewReader(conn), local: local, secure: secure}
	if _, err = c.want("220"); err == nil && secure {
		err = c.encrypt()
	}
	if err != nil {
		c.tcp.Close()
		return nil, err
	}
	return c, nil
}

func (c *raw) encrypt() error {
	if _, err := c.do("234", "AUTH TLS"); err != nil {
		return err
	}
	conn := tls.Client(c.tcp, trusting)
	c.conn, c.r = conn, bufio.NewReader(conn)
	return conn.Handshake()
}

// trusting asks for no certificate: what is tested is the end of connections.
var trusting = &tls.Config{InsecureSkipVerify: true}

// login is a client that is logged in and may send data.
func login(addr, local, user string, secure bool) (*raw, error) {
	c, err := dial(addr, local, secure)
	if err != nil {
		return nil, err
	}
	steps := [][2]string{{"331", "USER " + user}, {"230", "PASS " + password}, {"200", "TYPE I"}}
	if secure {
		steps = append(steps, [2]string{"200", "PBSZ 0"}, [2]string{"200", "PROT P"})
	}
	for _, s := range steps {
		if _, err := c.do(s[0], s[1]); err != nil {
			c.tcp.Close()
			return nil, err
		}
	}
	return c, nil
}

func (c *raw) say(text string) error {
	_, err := io.WriteString(c.conn, text+"\r\n")
	return err
}

// want is the next reply, of one line or several.
func (c *raw) want(code string) (string, error) {
	if err := c.tcp.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	for {
		text, err := c.r.ReadString('\n')
		if err != nil {
			return text, err
		}
		if len(text) > 3 && text[3] == ' ' {
			if !strings.HasPrefix(text, code) {
				return text, fmt.Errorf("want %s, got %q", code, text)
			}
			return text, nil
		}
	}
}

func (c *raw) do(code, text string) (string, error) {
	if err := c.say(text); err != nil {
		return "", err
	}
	answer, err := c.want(code)
	if err != nil {
		return answer, fmt.Errorf("%.40s: %w", text, err)
	}
	return answer, nil
}

// begin starts a transfer, up to the encrypted data connection.
func (c *raw) begin(say string) (*net.TCPConn, net.Conn, error) {
	answer, err := c.do("229", "EPSV")
	if err != nil {
		return nil, nil, err
	}
	host, _, _ := net.SplitHostPort(c.tcp.RemoteAddr().String())
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(c.local)}, Timeout: patience}
	conn, err := d.Dial("tcp", net.JoinHostPort(host, strings.Split(answer, "|")[3]))
	if err != nil {
		return nil, nil, err
	}
	tcp := conn.(*net.TCPConn)
	if _, err := c.do("150", say); err != nil {
		tcp.Close()
		return nil, nil, err
	}
	if !c.secure {
		return tcp, tcp, nil
	}
	encrypted := tls.Client(tcp, trusting)
	if err := encrypted.Handshake(); err != nil {
		tcp.Close()
		return nil, nil, err
	}
	return tcp, encrypted, nil
}

// upload sends a whole file, up to 226.
func (c *raw) upload(name, content string) error {
	_, data, err := c.begin("STOR " + name)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(data, content); err != nil {
		return err
	}
	if err := data.Close(); err != nil {
		return err
	}
	_, err = c.want("226")
	return err
}
