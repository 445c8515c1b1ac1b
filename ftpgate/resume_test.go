package ftpgate_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/ftpgate"
	"hotfolderd/storage"
)

// breakOff sends the beginning of a file, and is gone.
func breakOff(t *testing.T, g *gate, verb, name, content string) {
	t.Helper()
	breakOffBy(t, g, login(t, g), verb, name, content)
}

func breakOffBy(t *testing.T, g *gate, c *client, verb, name, content string) {
	t.Helper()
	d := c.begin("%s %s", verb, name)
	_, err := io.WriteString(d, content)
	check(t, err)
	eventually(t, "the bytes to have come", func() bool {
		for _, s := range g.Sessions() {
			if s.Doing == "upload" && s.Moved == int64(len(content)) {
				return true
			}
		}
		return false
	})
	_, _ = c.raw.Close(), d.Close()
	eventually(t, "the upload to end", func() bool {
		for _, s := range g.Sessions() {
			if s.Doing == "upload" {
				return false
			}
		}
		return true
	})
}

func TestResume_inEveryOrderThatClientsUse(t *testing.T) {
	t.Parallel()
	for name, resume := range map[string]func(c *client) (rest string){
		"REST, then EPSV (curl)": func(c *client) string {
			c.do(350, "REST 5")
			d := c.data()
			c.do(150, "STOR a.jpg")
			_, err := io.WriteString(d, "67890")
			check(c.t, err)
			check(c.t, d.Close())
			return "1234567890"
		},
		"EPSV, then REST": func(c *client) string {
			d := c.data()
			c.do(350, "REST 5")
			c.do(150, "STOR a.jpg")
			_, err := io.WriteString(d, "67890")
			check(c.t, err)
			check(c.t, d.Close())
			return "1234567890"
		},
		"REST to before the end": func(c *client) string {
			d := c.data()
			c.do(350, "REST 3")
			c.do(150, "STOR a.jpg")
			_, err := io.WriteString(d, "abc")
			check(c.t, err)
			check(c.t, d.Close())
			return "123abc"
		},
		"APPE": func(c *client) string {
			d := c.begin("APPE a.jpg")
			_, err := io.WriteString(d, "67890")
			check(c.t, err)
			check(c.t, d.Close())
			return "1234567890"
		},
		"anew": func(c *client) string {
			d := c.begin("STOR a.jpg")
			_, err := io.WriteString(d, "ab")
			check(c.t, err)
			check(c.t, d.Close())
			return "ab"
		},
		"nothing is missing": func(c *client) string {
			d := c.data()
			c.do(350, "REST 5")
			c.do(150, "STOR a.jpg")
			check(c.t, d.Close())
			return "12345"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			breakOff(t, w.run(), "STOR", "a.jpg", "12345")
			g := w.run(func(o *ftpgate.Options) { o.Node = "node-b" }) // another node, on the same store
			c := login(t, g)
			c.do(213, "SIZE a.jpg")
			want := resume(c)
			c.want(226)
			c.do(550, "SIZE none")
			if got := w.content("inbox/a.jpg"); got != want {
				t.Errorf("want %q, got %q", want, got)
			}
			if got := c.do(213, "SIZE a.jpg"); got != fmt.Sprintf("213 %d", len(want)) {
				t.Errorf("want the size of the file, got %q", got)
			}
			if left := w.kept(); len(left) != 0 {
				t.Errorf("want nothing kept any more, got %q", left)
			}
		})
	}
}

// kept are the objects that the gates keep aside.
func (w *world) kept() []asset.Key {
	w.t.Helper()
	var found []asset.Key
	for o, err := range w.store.List(w.t.Context(), w.aside, storage.ListOptions{Recursive: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		check(w.t, err)
		if o.Kind == storage.Regular {
			found = append(found, o.Key)
		}
	}
	return found
}

func TestResume_breaksAgainAndAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run()
	breakOff(t, g, "STOR", "a.jpg", "12")
	breakOff(t, g, "APPE", "a.jpg", "345")
	breakOff(t, g, "APPE", "a.jpg", "6")
	c := login(t, g)
	if got := c.do(213, "SIZE a.jpg"); got != "213 6" {
		t.Errorf("want 6, got %q", got)
	}
	if got := len(w.kept()); got != 2 {
		t.Errorf("want one piece and its note, got %q", w.kept())
	}
	c.do(350, "REST 7")
	c.data()
	c.do(554, "STOR a.jpg")
	d := c.begin("APPE a.jpg")
	_, err := io.WriteString(d, "7")
	check(t, err)
	check(t, d.Close())
	c.want(226)
	c.do(200, "NOOP")
	if got := w.content("inbox/a.jpg"); got != "1234567" {
		t.Errorf("want all, got %q", got)
	}
}

func TestResume_onlyItsOwnerSeesWhatIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run()
	breakOff(t, g, "STOR", "a.jpg", "12345")
	breakOffBy(t, g, loginAs(t, g, "box"), "STOR", "b.jpg", "12")
	for name, want := range map[string]string{"cam": "a.jpg\r\nproducts\r\n", "box": "b.jpg\r\n"} {
		c := loginAs(t, g, name)
		got := strings.SplitAfter(c.download("NLST"), "\r\n")
		if len(got) > 2 && got[0] > got[1] {
			got[0], got[1] = got[1], got[0]
		}
		if strings.Join(got, "") != want {
			t.Errorf("%s: want %q, got %q", name, want, got)
		}
	}
	c := login(t, g)
	c.do(550, "SIZE b.jpg")
	if got := c.download("MLSD"); !strings.Contains(got, "size=5;") {
		t.Errorf("want the size of what is kept, got %q", got)
	}
	c.data()
	c.do(550, "RETR a.jpg")
	c.do(250, "DELE a.jpg")
	c.do(550, "SIZE a.jpg")
}

func TestResume_ofAFileThatIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("inbox/a.jpg", "12345")
	c := login(t, w.run())
	d := c.begin("APPE a.jpg")
	_, err := io.WriteString(d, "67")
	check(t, err)
	check(t, d.Close())
	c.want(226)
	c.do(200, "NOOP")
	if got := w.content("inbox/a.jpg"); got != "1234567" {
		t.Errorf("want it appended, got %q", got)
	}
}

func TestResume_takesOverFromASessionThatHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run()
	hanging := login(t, g)
	d := hanging.begin("STOR a.jpg")
	_, err := io.WriteString(d, "12345")
	check(t, err)
	eventually(t, "the bytes to have come", func() bool { return g.Sessions()[0].Moved == 5 })
	c := login(t, g)
	if got := c.do(213, "SIZE a.jpg"); got != "213 5" {
		t.Errorf("want what came so far, got %q", got)
	}
	c.do(350, "REST 5")
	d2 := c.begin("STOR a.jpg")
	hanging.want(426)
	hanging.want(421)
	_, err = io.WriteString(d2, "67")
	check(t, err)
	check(t, d2.Close())
	c.want(226)
	c.do(200, "NOOP")
	if got := w.content("inbox/a.jpg"); got != "1234567" {
		t.Errorf("want all, got %q", got)
	}
}

func TestResume_byRealClients(t *testing.T) {
	t.Parallel()
	file := randomFile(t, killSize)
	want, err := os.ReadFile(file)
	check(t, err)
	w := newWorld(t)
	g := w.run()
	host, port, _ := strings.Cut(g.Addr().String(), ":")
	for client, again := range map[string]func(name string) *exec.Cmd{
		"curl": func(name string) *exec.Cmd {
			return exec.Command("curl", "-sS", "-C", "-", "-T", file, fmt.Sprintf("ftp://%s:%s/%s", host, port, name), "-u", user+":"+password)
		},
		"lftp": func(name string) *exec.Cmd {
			return exec.Command("lftp", "-c", fmt.Sprintf(
				"set net:max-retries 1; set ftp:ssl-allow no; open -u '%s,%s' -p %s %s; put -c %s -o %s", user, password, port, host, file, name))
		},
	} {
		name := client
		for len(w.kept()) == 0 {
			name += "+" // on a busy machine one may be done before it is killed
			killWithin(t, g, slow(uploaders(g)[client](file, name)), syscall.SIGKILL, 50*time.Millisecond)
		}
		if out, err := again(name).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
		eventually(t, name+" to be heard of", func() bool { return g.hasHeard("inbox/" + name) })
		if got := w.content("inbox/" + name); got != string(want) {
			t.Errorf("%s: want it whole, got %d other bytes", name, len(got))
		}
	}
	for _, e := range g.uploads() {
		if e.Refused == "" && e.Size != killSize {
			t.Errorf("want the size of the whole file told, got %+v", e)
		}
	}
}

func TestResume_isForgottenInTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run()
	breakOff(t, g, "STOR", "a.jpg", "12345")
	g.stop()
	if len(w.kept()) != 2 {
		t.Fatalf("want it kept, got %q", w.kept())
	}
	w.run(func(o *ftpgate.Options) { o.ResumeTTL = time.Nanosecond })
	eventually(t, "nothing to be kept", func() bool { return len(w.kept()) == 0 })
}
