package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestReadme_theTranscriptsHappen does what the README shows, in a folder of its own and on free ports, and wants to see
// what the README says will be seen. What differs from run to run (times, ids) is masked on both sides.
func TestReadme_theTranscriptsHappen(t *testing.T) {
	alone, together := readmeTranscripts(t)
	t.Run("make run", func(t *testing.T) {
		r := newReadme(t)
		r.play(alone, r.makeRun)
		r.wantImages("thumbnail.jpg", "photo.jpg")
	})
	t.Run("make cluster", func(t *testing.T) {
		r := newReadme(t)
		r.play(together, r.makeCluster)
		r.wantImages("thumbnail-b.jpg", "photo-a.png")
	})
}

// readmeTranscripts are those of one node, and those of several: make cluster and the one after it.
func readmeTranscripts(t *testing.T) (alone, together []string) {
	t.Helper()
	for _, text := range blocks(readDoc(t, "README.md"), "console") {
		if strings.HasPrefix(text, "$ make cluster\n") || len(together) == 1 {
			together = append(together, text)
		} else {
			alone = append(alone, text)
		}
	}
	if len(alone) < 3 || len(together) != 2 || !strings.HasPrefix(alone[0], "$ make run\n") {
		t.Fatalf("want at least 3 transcripts of one node, the first with make run, and 2 of a cluster, got %q, %q", alone, together)
	}
	return alone, together
}

// play starts what the first transcript starts, does what the others say, and looks at the log of the first again: its end
// comes with the others.
func (r *readme) play(transcripts []string, start func(shown []string) (stop func())) {
	r.t.Helper()
	begin, _ := commands(transcripts[0])
	if len(begin) != 1 {
		r.t.Fatalf("want one command in the first transcript, got %v", begin)
	}
	stop := start(begin[0].shown[:len(begin[0].shown)-1])
	for _, text := range transcripts[1:] {
		cmds, stray := commands(text)
		if stray != "" {
			r.t.Errorf("%q belongs to no command", stray)
		}
		for _, c := range cmds {
			r.see(c.line, c.shown, func() string { return r.output(c.line) })
		}
	}
	r.see("the log of "+begin[0].line, begin[0].shown, r.log)
	stop()
}

func (r *readme) wantImages(files ...string) {
	r.t.Helper()
	for _, file := range files {
		magic := map[string]string{".jpg": "\xff\xd8\xff", ".png": "\x89PNG"}[filepath.Ext(file)]
		if data, err := os.ReadFile(filepath.Join(r.dir, file)); err != nil || !strings.HasPrefix(string(data), magic) {
			r.t.Errorf("want an image in %s, got %.20q, %v", file, data, err)
		}
	}
}

// command is a line after "$ " and what is shown below it.
type command struct {
	line  string
	shown []string
}

func commands(transcript string) (all []command, stray string) {
	for line := range strings.Lines(transcript) {
		line = strings.TrimSuffix(line, "\n")
		if cmd, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, command{line: cmd})
		} else if len(all) == 0 {
			return nil, line
		} else if line != "" {
			last := &all[len(all)-1]
			last.shown = append(last.shown, line)
		}
	}
	return all, ""
}

// readme is a folder that looks like this tree after make: bin/hotfolderd, configs, testdata.
type readme struct {
	t     *testing.T
	dir   string
	node  string
	shown map[string]string // addresses and pids of the README, by what they really are
}

func newReadme(t *testing.T) *readme {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	top, err := filepath.Abs(tree)
	if err != nil {
		t.Fatal(err)
	}
	node, err := hostID()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o777); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{
		"bin/hotfolderd": self, "configs": filepath.Join(top, "configs"), "testdata": filepath.Join(top, "testdata"),
	} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	// What a terminal would choose by itself.
	if err := os.WriteFile(filepath.Join(dir, "hotfolderd.yaml"), []byte("log: { format: console }\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	return &readme{t: t, dir: dir, node: node, shown: map[string]string{}}
}

// makeRun starts what make run starts; the function that it returns ends it and wants an orderly end.
func (r *readme) makeRun(shown []string) (stop func()) {
	stop = r.start("bin/hotfolderd", "run", "--listen", "127.0.0.1:0")
	r.see("make run", shown, func() string {
		if m := pageAddress.FindStringSubmatch(r.read()); m != nil {
			r.shown[m[1]] = "127.0.0.1:8480"
		}
		return r.log()
	})
	return stop
}

// start runs a program that writes the log.
func (r *readme) start(name string, args ...string) (stop func()) {
	out, err := os.Create(filepath.Join(r.dir, "log"))
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.dir, out, out
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	r.t.Cleanup(func() { _ = cmd.Process.Kill(); out.Close() })
	return func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			r.t.Fatal(err)
		}
		select {
		case err := <-ended:
			if err != nil {
				r.t.Errorf("want an orderly end, got %v\n%s", err, r.read())
			}
		case <-time.After(20 * time.Second):
			r.t.Error("it does not end")
		}
	}
}

func (r *readme) read() string {
	data, err := os.ReadFile(filepath.Join(r.dir, "log"))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(data)
}

func (r *readme) log() string { return r.read() }

// output runs one command as a shell would, with what is really there. curl is played here, so that no test needs it.
func (r *readme) output(line string) string {
	for really, shown := range r.shown {
		line = replaceWord(line, shown, really)
	}
	if m := regexp.MustCompile(`^curl -so (\S+) '(\S+)'$`).FindStringSubmatch(line); m != nil {
		return r.fetch(m[2], m[1])
	}
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = r.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s\n%v", out, err)
	}
	return string(out)
}

func (r *readme) fetch(url, file string) string {
	res, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	data, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return fmt.Sprintf("%s, %v", res.Status, err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, file), data, 0o666); err != nil {
		return err.Error()
	}
	return ""
}

// see repeats until every line that is shown was seen, in order; with nothing shown, until nothing is said.
func (r *readme) see(what string, shown []string, look func() string) {
	r.t.Helper()
	var missing, got string
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		got = look()
		if missing = r.missing(shown, got); missing == "" {
			return
		}
	}
	r.t.Fatalf("%s: want to see %q, got\n%s", what, missing, got)
}

// missing is the first line that was not seen in its order; empty when all were.
func (r *readme) missing(shown []string, got string) string {
	seen := strings.Split(r.mask(got), "\n")
	if len(shown) == 0 {
		if strings.TrimSpace(got) != "" {
			return "(nothing)"
		}
		return ""
	}
	for _, line := range shown {
		if line == "..." {
			continue
		}
		want := mask(line)
		for len(seen) > 0 && seen[0] != want {
			seen = seen[1:]
		}
		if len(seen) == 0 {
			return line
		}
	}
	return ""
}

// mask makes what was really said comparable: this folder, its addresses, pids and node become the README's.
func (r *readme) mask(s string) string {
	s = strings.ReplaceAll(s, r.dir, "/home/me/hotfolderd")
	for really, shown := range r.shown {
		s = replaceWord(s, really, shown)
	}
	return mask(replaceWord(s, r.node, "laptop"))
}

func replaceWord(s, word, by string) string {
	return regexp.MustCompile(`\b`+regexp.QuoteMeta(word)+`\b`).ReplaceAllLiteralString(s, by)
}

var masks = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d `), "DAY "},
	{regexp.MustCompile(`\d\d:\d\d:\d\d(\.\d+)?`), "TIME"},
	{regexp.MustCompile(`\b[0-9a-f]{32}\b`), "ID"},
	{regexp.MustCompile(`\b\d+(\.\d+)?(µs|ms|s)\b`), "SPAN"},
	{regexp.MustCompile(`^hotfolderd \S+ ·`), "hotfolderd VERSION ·"},
	{regexp.MustCompile(`(?m)^ {30,}`), "    "}, // below a node's name, whose length differs
}

func mask(s string) string {
	for _, m := range masks {
		s = m.pattern.ReplaceAllString(s, m.by)
	}
	return s
}
