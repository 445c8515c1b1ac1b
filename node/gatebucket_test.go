package node

import (
	"bytes"
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/ftpgate"
	"hotfolderd/storage"
	"hotfolderd/storage/s3/s3test"
)

// On a bucket an upload is staged in parts, appears as one object, and one that broke can be gone on with.
func TestGate_onABucket(t *testing.T) {
	server := s3test.MinIO(t)
	url := server.URL(server.VersionedBucket(t), "")
	o := bucketOptions(t, url)
	withGate(t, &o)
	r := start(t, o)
	within(t, 30*time.Second, "active", func() bool { return r.State() == "active" })
	people, err := OpenStore(t.Context(), o.Settings.Storage, url, false)
	if err != nil {
		t.Fatal(err)
	}
	defer people.Close()
	expect := func(name string, want []byte) {
		t.Helper()
		within(t, time.Minute, name+" imported", func() bool {
			_, err := people.Stat(t.Context(), asset.Key("hotfolders/inbox/"+name))
			return err != nil && bytes.Equal(imported(t, r.Area(), asset.Key("inbox/"+name)), want)
		})
		if e := r.last(asset.Key(name)); e.Door != asset.DoorFTP {
			t.Errorf("%s: want it by ftp, got %q", name, e.Door)
		}
	}
	file := filepath.Join(t.TempDir(), "file")

	small := jpeg(20_000, 1)
	write(t, file, small)
	upload(t, r.gate, file, "sub/small.jpg")
	expect("sub/small.jpg", small)

	large := bytes.Repeat([]byte("a part of a large file. "), 1<<20) // 24 MiB: more than a part
	write(t, file, large)
	broken := exec.CommandContext(t.Context(), "curl", "-sS", "--limit-rate", "20M", "-u", "cam:a pass phrase", "-T", file,
		"ftp://"+r.gate.Addr().String()+"/large.bin")
	if err := broken.Start(); err != nil {
		t.Fatal(err)
	}
	within(t, time.Minute, "half of it there", func() bool {
		return slices.ContainsFunc(r.gate.Sessions(), func(s ftpgate.Session) bool { return s.Moved > 6<<20 })
	})
	_ = broken.Process.Kill()
	_ = broken.Wait()
	within(t, time.Minute, "what came kept", func() bool { return partials(t, people) > 0 })
	out, err := exec.CommandContext(t.Context(), "curl", "-sSv", "-C", "-", "-u", "cam:a pass phrase", "-T", file,
		"ftp://"+r.gate.Addr().String()+"/large.bin").CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("APPE")) && !bytes.Contains(out, []byte("REST")) {
		t.Fatalf("want it gone on with, got %v\n%s", err, out)
	}
	expect("large.bin", large)
	if got := records(t, people); len(got) != 2 {
		t.Errorf("want two records, got %v", got)
	}
	within(t, time.Minute, "nothing kept any more", func() bool { return partials(t, people) == 0 })
}

// partials counts what there is of broken uploads.
func partials(t *testing.T, s storage.Store) (n int) {
	t.Helper()
	for o, err := range s.List(t.Context(), "workarea/ftp/partials", storage.ListOptions{Recursive: true}) {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return n
		}
		if err == nil && o.Kind == storage.Regular {
			n++
		}
	}
	return n
}
