package ftpgate_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"hotfolderd/accounts"
	"hotfolderd/ftpgate"
)

const goodHash = "$2a$04$R7Tl7XkKXhYxwkFJv1pCSeSuyUGTwbyVYfMPBmEL7AfZ7rvR3AGaW"

func TestParseUsers_readsWhatTheDesignSays(t *testing.T) {
	users, err := ftpgate.ParseUsers("u.yaml", []byte(fmt.Sprintf(`
users:
  - name: cam
    password_hash: %q
    hotfolders: { /: inbox, /products/: products }
    permissions: [upload, list, download, delete, rename, mkdir]
    addresses: [10.0.0.0/8, "::1"]
    require_tls: true
    limits: { sessions: 4, rate: 10MiB, file_size: 2GiB, daily: 500 }
  - name: anonymous
    hotfolders: { /: inbox }
`, goodHash)))
	check(t, err)
	u := users["cam"]
	if u == nil || u.Mounts["/"] != "inbox" || u.Mounts["/products"] != "products" || !u.RequireTLS || len(u.Addresses) != 2 {
		t.Fatalf("want cam as written, got %+v", u)
	}
	if want := (ftpgate.Limits{Sessions: 4, Rate: 10 << 20, FileSize: 2 << 30, Daily: 500}); u.Limits != want {
		t.Errorf("want %+v, got %+v", want, u.Limits)
	}
	if !u.May(ftpgate.MayUpload | ftpgate.MayList | ftpgate.MayDownload | ftpgate.MayDelete | ftpgate.MayRename | ftpgate.MayMkdir) {
		t.Errorf("want all permissions, got %b", u.Permissions)
	}
	if a := users["anonymous"]; a == nil || a.Permissions != ftpgate.DefaultPermissions {
		t.Errorf("want the default permissions, got %+v", a)
	}
}

func TestParseUsers_saysWhatIsWrongAndWhere(t *testing.T) {
	cam := "users:\n  - name: cam\n    password_hash: " + goodHash + "\n    hotfolders: { /: inbox }\n"
	for text, want := range map[string]string{
		"":                    "it is empty",
		"user: []":            "user",
		cam + "    colour: 1": "colour",
		"users:\n  - name: cam\n    hotfolders: { /: inbox }":                                               "u.yaml:2: \"cam\" has no password_hash",
		"users:\n  - name: cam\n    password_hash: plain\n    hotfolders: { /: inbox }":                     "expected an argon2id hash",
		"users:\n  - name: cam\n    password_hash: $2a$31$x\n    hotfolders: { /: inbox }":                  "bcrypt",
		"users:\n  - name: cam\n    password_hash: " + goodHash:                                             "has no hotfolders",
		"users:\n  - name: cam\n    password_hash: " + goodHash + "\n    hotfolders: { here: inbox }":       "expected an absolute path",
		"users:\n  - name: cam\n    password_hash: " + goodHash + "\n    hotfolders: { /a: x, /b/../a: y }": "twice",
		cam + "    permissions: [read]":                                                                     `"read" is none of upload`,
		cam + "    addresses: [10.0.0]":                                                                     "is no address",
		cam + "    limits: { rate: -5 }":                                                                    "negative",
		cam + "    limits: { rate: ten }":                                                                   "ten",
		cam + strings.TrimPrefix(cam, "users:\n"):                                                           `u.yaml:5: "cam" is there twice`,
		"users:\n  - hotfolders: { /: inbox }":                                                              "has no name",
		"users:\n  - name: \"a\\nb\"\n    password_hash: " + goodHash + "\n    hotfolders: { /: inbox }":    "control characters",
		cam + "    permissions: [up]\n  - name: x\n    hotfolders: { /: i }\n    password_hash: y":          "u.yaml:6",
	} {
		_, err := ftpgate.ParseUsers("u.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "u.yaml") {
			t.Errorf("%q: want %q and the file, got %v", text, want, err)
		}
	}
}

func TestHashPassword_isForTheUsersFile(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"pässword", "pässword\n", "pässword\r\nsecond line\n"} {
		h, err := accounts.HashPassword(strings.NewReader(text))
		check(t, err)
		if !strings.HasPrefix(h, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Fatalf("want an argon2id hash, got %q", h)
		}
		w := newWorld(t)
		w.writeUsers(fmt.Sprintf("users: [{ name: cam, password_hash: %q, hotfolders: { /: inbox } }]", h))
		c := dial(t, w.run())
		c.do(331, "USER cam")
		c.do(530, "PASS password")
		c.do(331, "USER cam")
		c.do(230, "PASS pässword")
	}
	for _, text := range []string{"", "\n", strings.Repeat("x", 2000)} {
		if h, err := accounts.HashPassword(strings.NewReader(text)); err == nil {
			t.Errorf("%.10q: want it refused, got %q", text, h)
		}
	}
}

func TestUsers_changesCountAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run()
	c := login(t, g)
	other := login(t, g)
	c.do(257, "MKD a")
	w.writeUsers(fmt.Sprintf("users: [{ name: cam, password_hash: %q, hotfolders: { /: inbox }, permissions: [upload] }]", hash(t)))
	eventually(t, "the right to be gone", func() bool {
		c.send("MKD b")
		code, text, err := c.read()
		check(t, err)
		return code == 550 && strings.Contains(text, "not allowed")
	})
	w.writeUsers("users: [")
	c.do(200, "NOOP")
	w.writeUsers(fmt.Sprintf("users: [{ name: else, password_hash: %q, hotfolders: { /: inbox } }]", hash(t)))
	eventually(t, "the session to end", func() bool {
		other.send("PWD")
		code, _, err := other.read()
		return err != nil || code == 421
	})
}

func TestUsers_limits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.writeUsers(fmt.Sprintf(`
users:
  - { name: cam, password_hash: %q, hotfolders: { /: inbox }, limits: { sessions: 1, file_size: 10, daily: 25 } }
  - { name: far, password_hash: %q, hotfolders: { /: inbox }, addresses: [10.0.0.0/8] }
`, hash(t), hash(t)))
	g := w.run()
	c := login(t, g)
	second := dial(t, g)
	second.do(331, "USER cam")
	second.do(421, "PASS %s", password)
	far := dial(t, g)
	far.do(331, "USER far")
	if got := far.do(530, "PASS %s", password); got != "530 wrong user or password" {
		t.Errorf("want the answer to a wrong password, got %q", got)
	}
	c.do(200, "ALLO 11")
	c.data()
	c.do(552, "STOR a.jpg")
	d := c.begin("STOR a.jpg")
	_, err := d.Write([]byte("12345678901"))
	check(t, err)
	c.want(552)
	c.upload("b.jpg", "1234567890")
	c.upload("c.jpg", "1234567890")
	d = c.begin("STOR d.jpg")
	_, err = d.Write([]byte("123456"))
	check(t, err)
	c.want(552)
	if got := w.drops("inbox"); len(got) != 2 {
		t.Errorf("want two drops, got %v", got)
	}
}

func TestUsers_anonymousOnlyWhereConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := dial(t, w.run())
	c.do(331, "USER anonymous")
	c.do(530, "PASS me@example.org")
	w.writeUsers("users: [{ name: anonymous, hotfolders: { /: inbox }, permissions: [upload] }]")
	for _, name := range []string{"anonymous", "ftp", "FTP"} {
		c := dial(t, w.run())
		c.do(331, "USER %s", name)
		c.do(230, "PASS me@example.org")
		c.upload("from "+name, "x")
	}
}

func TestUsers_oldBcryptHashes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h, err := bcrypt.GenerateFromPassword([]byte("old"), 5)
	check(t, err)
	w.writeUsers(fmt.Sprintf("users: [{ name: cam, password_hash: %q, hotfolders: { /: inbox } }]", h))
	c := dial(t, w.run())
	c.do(331, "USER cam")
	c.do(230, "PASS old")
}

// Sessions of a user who may have only so many count at all gates that live.
func TestUsers_sessionsAtOtherGates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.writeUsers(fmt.Sprintf("users:\n  - { name: cam, password_hash: %q, hotfolders: { /: inbox }, limits: { sessions: 1 } }\n", hash(t)))
	lives := true
	a, b := w.run(), w.run(func(o *ftpgate.Options) { o.Lives = func(node string) bool { return node == "a" && lives } })
	c := login(t, a)
	b.Others("a", a.Tally())
	other := dial(t, b)
	other.do(331, "USER cam")
	other.do(421, "PASS %s", password)
	lives = false
	login(t, b).do(221, "QUIT")
	lives = true
	c.do(221, "QUIT")
	a.idle()
	b.idle()
	b.Others("a", a.Tally())
	login(t, b)
}
