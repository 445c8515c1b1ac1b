package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/config"
)

// oddNames are file names that no checkout could hold everywhere.
func oddNames(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile("../../testdata/odd-names.txt")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		if name, err := strconv.Unquote(strings.TrimSpace(line)); err == nil {
			names = append(names, name)
		}
	}
	if len(names) < 20 {
		t.Fatalf("want odd names, got %d", len(names))
	}
	return names
}

func TestShow_noNameDrivesATerminal(t *testing.T) {
	for _, name := range oddNames(t) {
		if got := show(name); !asset.Printable(got) {
			t.Errorf("%q is shown as %q", name, got)
		}
		if got := admin.Visible(name); !asset.Printable(got) {
			t.Errorf("%q is made visible as %q", name, got)
		}
	}
}

func TestShellWord_isOneWordToAShell(t *testing.T) {
	for _, name := range append(oddNames(t), "a b", "$(rm x)", "it's", `back\slash`, "") {
		if !asset.Printable(name) {
			if got := shellWord(name); !asset.Printable(got) || !strings.HasPrefix(got, "$'") {
				t.Errorf("%q is the word %q", name, got)
			}
			continue
		}
		got, err := exec.Command("sh", "-c", "printf %s "+shellWord(name)).Output()
		if err != nil || string(got) != name {
			t.Errorf("a shell reads %s as %q, %v; want %q", shellWord(name), got, err, name)
		}
	}
}

func TestShow_everydayNamesStayAsTheyAre(t *testing.T) {
	for _, name := range []string{"inbox/photo.jpg", "Grüße aus Köln (2).jpg", "日本語.png", "a-b_c.tif"} {
		if got := show(name); name != got {
			t.Errorf("want %q as it is, got %s", name, got)
		}
	}
	for _, name := range []string{"", " a", "a ", `say "hi"`, `back\slash`, "a\nb", "\x1b[2J", "\u202egpj.exe", "\xff"} {
		if want, got := strconv.Quote(name), show(name); want != got {
			t.Errorf("want %s, got %s", want, got)
		}
	}
}

func FuzzShow(f *testing.F) {
	for _, name := range oddNames(f) {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := show(name)
		if !asset.Printable(got) {
			t.Fatalf("%q is shown as %q", name, got)
		}
		if back, err := strconv.Unquote(got); got != name && (err != nil || back != name) {
			t.Fatalf("%q is shown as %s, which reads back as %q, %v", name, got, back, err)
		}
		if !asset.Printable(admin.Visible(name)) {
			t.Fatalf("%q is made visible as %q", name, admin.Visible(name))
		}
	})
}

func TestLog_oneReadableLineForPeople(t *testing.T) {
	var out bytes.Buffer
	log := zap.New(zapcore.NewCore(newLines(), zapcore.AddSync(&out), zap.InfoLevel)).With(zap.String("hotfolder", "inbox"))
	log.Info("imported", zap.String("key", asset.Key("photo.jpg").Shown()), zap.Duration("took", 31*time.Millisecond))
	log.Warn("failed", zap.String("key", asset.Key("a\nb \x1b[2J").Shown()), zap.Error(errors.New("no space")))
	log.Debug("not written")
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("want 2 lines, got %q", lines)
	}
	for i, want := range []string{
		"  imported  hotfolder=inbox  key=photo.jpg  took=31ms",
		` WARN  failed  hotfolder=inbox  key="a\nb \x1b[2J"  error="no space"`,
	} {
		if got := lines[i][len("15:04:05"):]; want != got {
			t.Errorf("want %s\ngot  %s", want, got)
		}
	}
}

func TestLog_fieldsOfOneLoggerStayWithIt(t *testing.T) {
	var out bytes.Buffer
	base := zap.New(zapcore.NewCore(newLines(), zapcore.AddSync(&out), zap.InfoLevel))
	base.With(zap.String("hotfolder", "inbox"))
	base.Info("active")
	if strings.Contains(out.String(), "inbox") {
		t.Errorf("another logger's field is in %q", out.String())
	}
}

func TestLog_jsonForMachines(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	log, err := newLog(config.Log{Level: "info", Format: "auto"}, f)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("imported", zap.Duration("took", time.Second))
	got, err := os.ReadFile(f.Name())
	if err != nil || !bytes.Contains(got, []byte(`"msg":"imported","took":"1s"`)) {
		t.Errorf("want a line of JSON in a file, got %s, %v", got, err)
	}
}

func TestWriteWhole_anErrorLeavesWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "out")
	if err := os.WriteFile(file, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := writeWhole(file, func(w io.Writer) error {
		_, _ = w.Write([]byte("half"))
		return errors.New("cut off")
	})
	got, _ := os.ReadFile(file)
	left, _ := os.ReadDir(dir)
	if err == nil || string(got) != "before" || len(left) != 1 {
		t.Errorf("want the error, the old bytes and nothing else; got %v, %q, %v", err, got, left)
	}
}
