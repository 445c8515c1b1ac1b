package ftpgate_test

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"hotfolderd/ftpgate"
)

// step is a command and what must come of it.
type step struct {
	say  string
	code int
	text string // that the reply holds
}

func (c *client) steps(steps []step) {
	c.t.Helper()
	for _, s := range steps {
		if got := c.do(s.code, "%s", s.say); !strings.Contains(got, s.text) {
			c.t.Errorf("%s: want %q in it, got %q", s.say, s.text, got)
		}
	}
}

func TestCommands_beforeLogin(t *testing.T) {
	t.Parallel()
	c := dial(t, newWorld(t).run())
	c.steps([]step{
		{"NOOP", 200, ""},
		{"noop", 200, ""},
		{"SYST", 215, "UNIX Type: L8"},
		{"FEAT", 211, "\r\n REST STREAM\r\n"},
		{"HELP", 214, "STOR"},
		{"OPTS UTF8 ON", 200, ""},
		{"OPTS", 501, ""},
		{"OPTS HASH X", 501, ""},
		{"CLNT x", 200, ""},
		{"AUTH TLS", 502, ""},
		{"PBSZ 0", 503, ""},
		{"PROT P", 503, ""},
		{"PWD", 530, ""},
		{"STOR x", 530, ""},
		{"PASV", 530, ""},
		{"PORT 1", 530, ""},
		{"STAT", 530, ""},
		{"SITE CHMOD", 502, "SITE"},
		{"XYZZY", 502, "XYZZY"},
		{"", 500, ""},
		{"1 2 3", 500, ""},
		{"NO\x00OP", 500, "NUL"},
		{"STOR " + strings.Repeat("x", 9000), 500, "too long"},
		{"PASS x", 503, ""},
		{"USER", 501, ""},
		{"USER " + user, 331, ""},
		{"USER " + user, 331, ""},
		{"PASS " + password, 230, ""},
		{"USER other", 530, ""},
		{"PASS x", 230, ""},
		{"QUIT", 221, ""},
	})
	if _, _, err := c.read(); err == nil {
		t.Error("want the connection to be closed after QUIT")
	}
}

func TestCommands_ofASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("inbox/old.jpg", "12345")
	check(t, os.Chtimes(w.path("inbox/old.jpg"), time.Time{}, time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)))
	w.put("inbox/full/x", "")
	c := login(t, w.run())
	c.steps([]step{
		{"PWD", 257, `"/"`},
		{"XPWD", 257, `"/"`},
		{"CDUP", 250, `"/"`},
		{"CWD none", 550, ""},
		{"CWD old.jpg", 550, "no folder"},
		{"CWD", 501, ""},
		{`MKD a"b`, 257, `"/a""b"`},
		{`CWD a"b`, 250, ""},
		{"PWD", 257, `"/a""b"`},
		{"XCUP", 250, `"/"`},
		{"MKD old.jpg", 550, "exists"},
		{"MKD full", 550, "exists"},
		{"MKD no/such", 553, "make it first"},
		{"RMD full", 550, "not empty"},
		{"RMD old.jpg", 550, "no folder"},
		{"RMD none", 550, ""},
		{"RMD .", 550, ""},
		{"RMD /", 550, ""},
		{"RMD /products", 550, ""},
		{`RMD a"b`, 250, ""},
		{"DELE full", 550, "folder"},
		{"DELE none", 550, "not there"},

		{"TYPE I", 200, ""},
		{"TYPE A", 200, ""},
		{"TYPE A N", 200, ""},
		{"TYPE L 8", 200, ""},
		{"TYPE E", 504, ""},
		{"TYPE L 7", 504, ""},
		{"MODE S", 200, ""},
		{"MODE Z", 504, ""},
		{"STRU F", 200, ""},
		{"STRU R", 504, ""},
		{"STAT", 211, "user: cam"},
		{"STAT old.jpg", 504, ""},
		{"ABOR", 226, ""},

		{"SIZE old.jpg", 213, "213 5"},
		{"SIZE full", 550, "folder"},
		{"SIZE none", 550, ""},
		{"MDTM old.jpg", 213, "20200203040506"},
		{"MDTM none", 550, ""},
		{"MLST old.jpg", 250, "\r\n type=file;size=5;modify=20200203040506;perm=awdfr; /old.jpg\r\n"},
		{"MLST", 250, "type=dir;"},
		{"MLST /products", 250, "type=dir;"},
		{"OPTS MLST size;TYPE;none;", 200, "MLST OPTS size;type;"},
		{"FEAT", 211, "MLST type*;size*;modify;perm;"},
		{"MLST old.jpg", 250, "\r\n size=5;type=file; /old.jpg\r\n"},
		{"OPTS MLST", 200, "MLST OPTS"},
		{"MLST old.jpg", 250, "\r\n  /old.jpg\r\n"},

		{"RNTO x", 503, ""},
		{"RNFR none", 550, ""},
		{"RNFR old.jpg", 350, ""},
		{"PWD", 257, ""},
		{"RNTO x", 503, ""},
		{"RNFR old.jpg", 350, ""},
		{"RNTO no/such", 553, ""},
		{"RNFR old.jpg", 350, ""},
		{"RNTO full", 553, "folder"},
		{"RNFR old.jpg", 350, ""},
		{"RNTO /products/new.jpg", 250, ""},
		{"SIZE /products/new.jpg", 213, "5"},
		{"SIZE old.jpg", 550, ""},
		{"RNFR full", 350, ""},
		{"RNTO full/itself", 553, ""},
		{"RNFR full", 350, ""},
		{"RNTO fuller", 250, ""},
		{"SIZE fuller/x", 213, "0"},
		{"RNFR /products", 550, ""},
		{"DELE /products/new.jpg", 250, ""},
		{"DELE fuller/x", 250, ""},

		{"REST x", 501, ""},
		{"REST -5", 501, ""},
		{"REST 5", 350, "5"},
		{"ALLO x", 501, ""},
		{"ALLO 5", 200, ""},
		{"STOR a.jpg", 425, "PASV"},
		{"RETR a.jpg", 425, ""},
		{"LIST", 425, ""},
		{"STOR", 501, ""},
		{"PORT 1", 501, ""},
		{"PORT 1,2,3,4,5,256", 501, ""},
		{"PORT 127,0,0,2,200,1", 504, ""},
		{"PORT 127,0,0,1,0,22", 504, ""},
		{"EPRT |", 501, ""},
		{"EPRT |1|127.0.0.2|50000|", 504, ""},
		{"EPRT |2|127.0.0.1|50000|", 501, ""},
		{"EPRT |1|127.0.0.1|0|", 504, ""},
		{"EPRT |1|127.0.0.1|50000|", 200, ""},
		{"EPSV 2", 522, "(1)"},
		{"EPSV 1", 229, ""},
		{"PASV", 227, "(127,0,0,1,"},
		{"EPSV ALL", 200, ""},
		{"PASV", 503, ""},
		{"PORT 127,0,0,1,200,1", 503, ""},
		{"EPRT |1|127.0.0.1|50000|", 503, ""},
		{"EPSV", 229, ""},
		{"QUIT", 221, ""},
	})
}

func TestCommands_transfersThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("inbox/folder/x", "12345")
	c := login(t, w.run())
	for say, code := range map[string]int{
		"STOR folder": 553, "STOR /": 550, "STOR /products": 550, "STOR none/x": 553, "STOR a\x01b": 553, "STOR a\rb": 553,
		"STOR " + strings.Repeat("n", 256): 553, "RETR none": 550, "RETR folder": 550, "LIST none": 550, "MLSD none": 550,
		"MLSD folder/x": 501, "APPE folder": 553,
	} {
		c.data()
		c.do(code, "%s", say)
	}
	c.data()
	c.do(350, "REST 6")
	c.do(554, "RETR folder/x")
	c.data()
	c.do(350, "REST 6")
	c.do(554, "STOR folder/x")
	if got := c.download("RETR folder/x"); got != "12345" {
		t.Errorf("want an old REST to be forgotten, and the file, got %q", got)
	}
}

func TestCommands_listings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("inbox/a.jpg", "12345")
	w.put("inbox/b.png", "1")
	w.put("inbox/c[1].jpg", "1")
	w.put("inbox/con\x01trol", "1")
	w.put("inbox/sub/d.jpg", "1")
	for _, f := range []string{"a.jpg", "b.png", "c[1].jpg", "sub"} {
		check(t, os.Chtimes(w.path("inbox/"+f), time.Time{}, time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)))
	}
	check(t, os.Symlink("/etc/passwd", w.path("inbox/link")))
	c := login(t, w.run())
	for say, want := range map[string][]string{
		"NLST":           {"a.jpg", "b.png", "c[1].jpg", "products", "sub"},
		"NLST *.jpg":     {"a.jpg", "c[1].jpg"},
		"NLST c[1].jpg":  {"c[1].jpg"},
		"NLST sub":       {"d.jpg"},
		"NLST sub/*.png": nil,
		"NLST -la sub":   {"d.jpg"},
		"LIST -a a.jpg":  {"-rw------- 1 ftp ftp            5 Feb  3  2020 a.jpg"},
		"LIST sub/..": {
			"-rw------- 1 ftp ftp            5 Feb  3  2020 a.jpg", "-rw------- 1 ftp ftp            1 Feb  3  2020 b.png",
			"-rw------- 1 ftp ftp            1 Feb  3  2020 c[1].jpg", "drwx------ 1 ftp ftp            0 Feb  3  2020 sub",
		},
		"MLSD": {
			"type=file;size=5;modify=20200203040506;perm=awdfr; a.jpg", "type=file;size=1;modify=20200203040506;perm=awdfr; b.png",
			"type=file;size=1;modify=20200203040506;perm=awdfr; c[1].jpg", "type=dir;modify=20200203040506;perm=ecdpflm; sub",
		},
	} {
		var got []string
		for line := range strings.Lines(c.download("%s", say)) {
			line, ok := strings.CutSuffix(line, "\r\n")
			if !ok {
				t.Errorf("%s: want lines that end as FTP has it, got %q", say, line)
			}
			if strings.HasSuffix(line, "products") && strings.Contains(line, " ") {
				continue // its time is now
			}
			got = append(got, line)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(want, got) {
			t.Errorf("%s: want\n%s\ngot\n%s", say, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
}

func TestCommands_aFolderThatOnlyLeadsToHotfolders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("products/p.jpg", "1")
	c := loginAs(t, w.run(), "shop")
	if got := c.download("NLST"); got != "shop\r\n" {
		t.Errorf("want shop, got %q", got)
	}
	c.steps([]step{
		{"SIZE x", 550, ""},
		{"MKD x", 550, ""},
		{"CWD shop", 250, ""},
		{"PWD", 257, "/shop"},
		{"CWD ../inbox", 550, ""},
		{"CWD products", 250, ""},
		{"SIZE p.jpg", 213, "1"},
		{"RETR p.jpg", 550, "not allowed"},
		{"DELE p.jpg", 550, "not allowed"},
		{"MKD x", 257, ""},
	})
	c.data()
	c.do(550, "STOR /x")
	c.upload("/shop/products/q.jpg", "q")
	c.do(200, "NOOP") // it has heard
	if got := w.content("products/q.jpg"); got != "q" {
		t.Errorf("want q, got %q", got)
	}
}

func TestCommands_aWriteOnlyBox(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("inbox/of others.jpg", "secret")
	c := loginAs(t, w.run(), "box")
	c.upload("mine.jpg", "12")
	c.steps([]step{
		{"SIZE mine.jpg", 213, "2"},
		{"SIZE of others.jpg", 550, ""},
		{"MDTM of others.jpg", 550, ""},
		{"MLST of others.jpg", 550, ""},
		{"RNFR mine.jpg", 550, ""},
		{"DELE mine.jpg", 550, ""},
		{"MKD x", 550, ""},
		{"RETR mine.jpg", 550, ""},
	})
	for _, say := range []string{"LIST", "NLST", "MLSD", "NLST *"} {
		if got := c.download("%s", say); got != "" {
			t.Errorf("%s: want nothing, got %q", say, got)
		}
	}
	c.data()
	c.do(550, "LIST of others.jpg")
	c.data()
	c.do(350, "REST 3")
	c.do(554, "STOR of others.jpg")
}

func TestCommands_active(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := login(t, w.run())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	closing(t, l)
	port := l.Addr().(*net.TCPAddr).Port
	for _, say := range []string{fmt.Sprintf("PORT 127,0,0,1,%d,%d", port>>8, port&255), fmt.Sprintf("EPRT |1|127.0.0.1|%d|", port)} {
		c.do(200, "%s", say)
		c.send("STOR a.jpg")
		d, err := l.Accept()
		check(t, err)
		c.want(150)
		_, err = fmt.Fprint(d, say)
		check(t, err)
		check(t, d.Close())
		c.want(226)
		c.do(200, "NOOP")
		if got := w.content("inbox/a.jpg"); got != say {
			t.Errorf("want %q, got %q", say, got)
		}
	}
	check(t, l.Close())
	c.do(200, "PORT 127,0,0,1,%d,%d", port>>8, port&255)
	c.do(425, "STOR b.jpg")
}

func TestCommands_whenNothingMayBeWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("inbox/a.jpg", "1")
	c := login(t, w.run(func(o *ftpgate.Options) {
		o.Writable = func() (bool, string) { return false, "this node is read-only" }
	}))
	c.data()
	c.do(450, "STOR b.jpg")
	c.steps([]step{{"DELE a.jpg", 450, "read-only"}, {"RNFR a.jpg", 450, ""}, {"MKD x", 450, ""}, {"RMD x", 450, ""}, {"SIZE a.jpg", 213, ""}})
}
