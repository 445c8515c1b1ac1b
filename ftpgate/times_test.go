package ftpgate_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/ftpgate"
)

const (
	saidTime = "20020717210715"
	toldTime = "Modify=20020717210715;"
)

// modified is the time of a file in a hotfolder, as clients write it.
func (w *world) modified(name string) string {
	w.t.Helper()
	info, err := os.Stat(w.path(name))
	check(w.t, err)
	return info.ModTime().UTC().Format("20060102150405")
}

// What is said right behind an upload is the time of the drop from its first moment: the walk hears of one version.
func TestTimes_anUploadGetsItsTimeBeforeItsName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	heard := make(chan asset.Version, 9)
	g := w.run(func(o *ftpgate.Options) {
		o.Heard, o.Settle = func(_ string, _ asset.Key, v asset.Version) { heard <- v }, time.Hour
	})
	c := login(t, g)
	if got := c.do(211, "FEAT"); !strings.Contains(got, "\r\n MFMT\r\n") {
		t.Errorf("want the command in FEAT, got %q", got)
	}
	c.upload("a b.jpg", "12345")
	c.steps([]step{
		{"MFMT " + saidTime + " a b.jpg", 213, toldTime + " a b.jpg"},
		{"MDTM a b.jpg", 213, saidTime},
	})
	if got := w.modified("inbox/a b.jpg"); got != saidTime {
		t.Errorf("want the file to have the time, got %s", got)
	}
	o, err := w.store.Stat(t.Context(), "hotfolders/inbox/a b.jpg")
	check(t, err)
	if v := <-heard; v != o.Version || len(heard) > 0 {
		t.Errorf("want one drop as it is now, %s, got %s and %d more", o.Version, v, len(heard))
	}
}

// A client with several connections may say it on another one, while the first is silent.
func TestTimes_anotherSessionSaysThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run(func(o *ftpgate.Options) { o.Settle = time.Hour })
	c, other := login(t, g), login(t, g)
	c.upload("a.jpg", "12345")
	other.do(213, "MFMT %s /a.jpg", saidTime)
	other.do(213, "MDTM a.jpg")
	c.do(200, "NOOP")
	if got := w.modified("inbox/a.jpg"); got != saidTime {
		t.Errorf("want the file to have the time, got %s", got)
	}
}

// Once a drop can be seen it must not become another; so its uploader alone is told the time.
func TestTimes_aDropThatIsThereStaysAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := w.run()
	c := login(t, g)
	c.upload("a.jpg", "12345")
	c.do(200, "NOOP")
	was := w.modified("inbox/a.jpg")
	c.steps([]step{
		{"MFMT " + saidTime + ".25 /a.jpg", 213, toldTime},
		{"MDTM a.jpg", 213, saidTime},
		{"MLST a.jpg", 250, "modify=" + saidTime},
		{"RNFR a.jpg", 350, ""},
		{"RNTO b.jpg", 250, ""},
		{"MDTM b.jpg", 213, saidTime},
	})
	if got := c.download("MLSD"); !strings.Contains(got, "modify="+saidTime) {
		t.Errorf("want it listed with the time, got %q", got)
	}
	if got := w.modified("inbox/b.jpg"); got != was {
		t.Errorf("want the file as it was, %s, got %s", was, got)
	}
	check(t, os.Remove(w.path("inbox/b.jpg"))) // as the walk does
	c.steps([]step{{"MDTM b.jpg", 213, saidTime}, {"MFMT 20030101000000 b.jpg", 213, ""}, {"MDTM b.jpg", 213, "20030101000000"}})
	c.upload("b.jpg", "6")
	if got := c.do(213, "MDTM b.jpg"); strings.Contains(got, "2003") {
		t.Errorf("want a new upload to have a time of its own, got %q", got)
	}
}

func TestTimes_onlyOfWhatOneHasUploaded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("secret", "x")
	w.put("inbox/theirs.jpg", "12345")
	was := w.modified("inbox/theirs.jpg")
	g := w.run()
	breakOff(t, g, "STOR", "part.jpg", "12345")
	c := login(t, g)
	c.steps([]step{
		{"MKD sub", 257, ""},
		{"MFMT", 501, ""},
		{"MFMT " + saidTime, 501, "a path"},
		{"MFMT 2002 a.jpg", 501, "YYYYMMDDHHMMSS"},
		{"MFMT 20021317210715 a.jpg", 501, ""},
		{"MFMT " + saidTime + " theirs.jpg", 550, "another drop"},
		{"MFMT " + saidTime + " part.jpg", 550, "not complete"},
		{"MFMT " + saidTime + " none.jpg", 550, "not there"},
		{"MFMT " + saidTime + " sub", 550, "folder"},
		{"MFMT " + saidTime + " /", 550, ""},
		{"MFMT " + saidTime + " ../secret", 550, ""},
		{"MFMT " + saidTime + " .hotfolderd-x", 553, "reserved"},
	})
	box := loginAs(t, g, "box") // sees nothing of others
	box.do(550, "MFMT %s theirs.jpg", saidTime)
	box.upload("own.jpg", "1")
	box.do(213, "MFMT %s own.jpg", saidTime)
	if got := c.do(550, "MFMT %s own.jpg", saidTime); !strings.Contains(got, "another drop") {
		t.Errorf("want somebody else's upload refused, got %q", got)
	}
	if now := w.modified("inbox/theirs.jpg"); now != was {
		t.Errorf("want nothing changed, got %s", now)
	}
}

// A bucket keeps no times; clients are told before they try.
func TestTimes_areNotForBuckets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g, _ := w.runFlat()
	if got := dial(t, g).do(211, "FEAT"); strings.Contains(got, "MFMT") {
		t.Errorf("want no such command in FEAT, got %q", got)
	}
	c := login(t, g)
	c.upload("a.jpg", "12345")
	c.steps([]step{{"MFMT " + saidTime + " a.jpg", 550, "bucket"}, {"SIZE a.jpg", 213, "5"}})
}

// Clients that copy a file with its time say so behind the upload.
func TestTimes_ofFilesThatRealClientsCopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := w.run(func(o *ftpgate.Options) { o.Settle = time.Minute }).Addr().String()
	dir := t.TempDir()
	for client, args := range map[string][]string{
		"lftp": {"-c", "set net:max-retries 1; set ftp:ssl-allow no; open -u cam,'open sesame' ftp://" + at + "; put " + dir + "/lftp"},
		"curl": {"-sS", "-T", dir + "/curl", "-Q", "-MFMT " + saidTime + " curl", "-u", "cam:open sesame", "ftp://" + at + "/"},
	} {
		file := filepath.Join(dir, client)
		check(t, os.WriteFile(file, []byte("12345"), 0o600))
		old, err := time.Parse("20060102150405", saidTime)
		check(t, err)
		check(t, os.Chtimes(file, old, old))
		if out, err := exec.CommandContext(t.Context(), client, args...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", client, err, out)
		}
		eventually(t, "the file of "+client, func() bool { return w.content("inbox/"+client) == "12345" })
		if got := w.modified("inbox/" + client); got != saidTime {
			t.Errorf("%s: want the time of the file that was copied, got %s", client, got)
		}
	}
}
