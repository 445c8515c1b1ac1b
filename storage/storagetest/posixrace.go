package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// churn swaps until ctx ends; the function returned ends it and waits for it.
func churn(ctx context.Context, swap func() error) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			if err := swap(); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	return func() error { cancel(); return <-done }
}

// posixSwappedFile swaps a file with a link to a secret, atomically and all the time, while it is opened and read.
func posixSwappedFile(t *testing.T, s *posixSuite) {
	out := outside(t)
	s.write(t, "in/file", "inside")
	must(t, "symlink", os.Symlink(filepath.Join(out, "secret"), s.path("in/evil")))
	stop := churn(t.Context(), func() error {
		return unix.Renameat2(unix.AT_FDCWD, s.path("in/file"), unix.AT_FDCWD, s.path("in/evil"), unix.RENAME_EXCHANGE)
	})
	opened := 0
	for range 5_000 {
		got, _, err := read(t.Context(), s, "in/file", "")
		if err == nil {
			opened++
		}
		if got == secret || err == nil && got != "inside" || err != nil && !errors.Is(err, storage.ErrNotRegular) && expected(err) != nil {
			must(t, "stop", stop())
			t.Fatalf("open under attack: got %q, %v", got, err)
		}
		if _, err := s.Copy(t.Context(), s.statAny(t, "in/file"), "stolen", storage.PutOptions{Deferred: true}); err == nil {
			s.wantContent(t, "stolen", "inside")
		}
	}
	must(t, "swap", stop())
	if opened == 0 {
		t.Fatal("never opened: this attack proves nothing")
	}
}

// statAny is what stands at key now, if anything.
func (s *posixSuite) statAny(t *testing.T, key asset.Key) storage.Object {
	obj, err := s.Stat(t.Context(), key)
	if err != nil {
		return storage.Object{Key: key}
	}
	return obj
}

// posixSwappedDir swaps a folder with a link to the outside while it is listed and its files are opened.
func posixSwappedDir(t *testing.T, s *posixSuite) {
	out := outside(t)
	s.write(t, "in/dir/mine", "inside")
	s.write(t, "in/dir/secret", "inside")
	must(t, "symlink", os.Symlink(out, s.path("in/evil")))
	must(t, "write", os.WriteFile(filepath.Join(out, "only-outside"), []byte(secret), 0o666))
	stop := churn(t.Context(), func() error {
		return unix.Renameat2(unix.AT_FDCWD, s.path("in/dir"), unix.AT_FDCWD, s.path("in/evil"), unix.RENAME_EXCHANGE)
	})
	entered := 0
	for range 2_000 {
		if err := s.lookAround(t, &entered); err != nil {
			must(t, "stop", stop())
			t.Fatal(err)
		}
	}
	must(t, "swap", stop())
	if entered == 0 {
		t.Fatal("never entered: this attack proves nothing")
	}
}

// lookAround lists and opens below a folder that may be a link by now.
func (s *posixSuite) lookAround(t *testing.T, entered *int) error {
	for obj, err := range s.List(t.Context(), "in", storage.ListOptions{Recursive: true}) {
		if err == nil && obj.Key.Base() == "only-outside" {
			return fmt.Errorf("the listing went outside: %s", obj.Key.Quoted())
		}
		if err == nil && obj.Key.Base() == "mine" {
			*entered++
		}
	}
	if got, _, err := read(t.Context(), s, "in/dir/secret", ""); err == nil && got != "inside" {
		return fmt.Errorf("open went outside: %q", got)
	}
	if obj, err := s.Stat(t.Context(), "in/dir/only-outside"); err == nil {
		return fmt.Errorf("stat went outside: %+v", obj)
	}
	return nil
}

// posixUnreadable: root reads everything, so as root there is nothing to see but that the listing goes on.
func posixUnreadable(t *testing.T, s *posixSuite) {
	for _, key := range []asset.Key{"in/a/x", "in/b/closed/x", "in/c/x"} {
		s.write(t, key, "x")
	}
	must(t, "chmod", os.Chmod(s.path("in/b/closed"), 0))
	t.Cleanup(func() { os.Chmod(s.path("in/b/closed"), 0o777) })
	got := map[asset.Key]bool{}
	var failed []asset.Key
	for obj, err := range s.List(t.Context(), "in", storage.ListOptions{Recursive: true}) {
		if err != nil {
			failed = append(failed, obj.Key)
			continue
		}
		got[obj.Key] = true
	}
	if !got["in/a/x"] || !got["in/c/x"] {
		t.Fatalf("the listing did not go on: %v, errors for %q", got, failed)
	}
	if os.Getuid() != 0 && (len(failed) != 1 || failed[0] != "in/b/closed") {
		t.Fatalf("want an error for %q, got errors for %q", "in/b/closed", failed)
	}
}

func posixAppend(t *testing.T, s *posixSuite) {
	s.write(t, "in/f", "first")
	r, err := s.Open(t.Context(), "in/f", "")
	must(t, "open", err)
	defer r.Close()
	must(t, "check", r.Check(t.Context()))
	s.appendTo(t, "in/f", " and more")
	wantErr(t, "check after an append", storage.ErrChanged, r.Check(t.Context()))
	_, err = s.Open(t.Context(), "in/f", r.Object().Version)
	wantErr(t, "open the version before the append", storage.ErrChanged, err)
	must(t, "rename", os.Rename(s.path("in/f"), s.path("in/g")))
	wantErr(t, "check after a rename", fs.ErrNotExist, r.Check(t.Context()))
	s.write(t, "in/f", "first")
	wantErr(t, "check of an equal file with the same name", storage.ErrChanged, r.Check(t.Context()))
}

func posixRemoveAppended(t *testing.T, s *posixSuite) {
	s.write(t, "in/f", "first")
	old := s.stat(t, "in/f")
	s.appendTo(t, "in/f", " and more")
	wantErr(t, "remove what was appended to", storage.ErrChanged, s.Remove(t.Context(), "in/f", old.Version))
	s.wantContent(t, "in/f", "first and more")
	must(t, "remove", s.Remove(t.Context(), "in/f", s.stat(t, "in/f").Version))
	if _, err := os.Lstat(s.path("in/f")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("removed, and still there: %v", err)
	}
}

// posixRemoveRace removes a version while somebody opens the file, appends and closes it. When the removal succeeds, what
// it removed must not have had more than it was asked for; the appender's descriptor tells.
func posixRemoveRace(t *testing.T, s *posixSuite) {
	const rounds = 300
	removed := 0
	for i := range rounds {
		key := asset.Key(fmt.Sprintf("in/%d", i))
		s.write(t, key, "first")
		v := s.stat(t, key).Version
		errs := atOnce(2, func(racer int) error {
			if racer == 0 {
				return s.Remove(t.Context(), key, v)
			}
			for start := time.Now(); time.Since(start) < time.Duration(i%60)*5*time.Microsecond; { // meet it at each of its steps
			}
			return appendIfThere(s.path(key))
		})
		switch _, _, err := read(t.Context(), s, key, ""); {
		case errors.Is(errs[0], storage.ErrChanged) || errors.Is(errs[0], fs.ErrNotExist):
			must(t, "refused, and gone", err)
		case errs[0] != nil:
			t.Fatalf("remove: %v", errs[0])
		case errs[1] == nil && s.Properties().SeesWriters:
			t.Fatalf("round %d: removed, and with it what was appended before", i)
		default:
			removed++
			wantErr(t, "removed, and there", fs.ErrNotExist, err)
		}
	}
	t.Logf("%d of %d removals came first", removed, rounds)
	if removed == 0 {
		t.Error("no removal ever came first: this race proves nothing")
	}
}

// errLate: the appender met no file, so that nothing of it can be lost.
var errLate = errors.New("came too late")

// appendIfThere appends, and says after closing whether it was in time: the file still had a name.
func appendIfThere(path string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return errLate
	}
	_, err = f.WriteString(" and more")
	var st unix.Stat_t
	if statErr := unix.Fstat(int(f.Fd()), &st); statErr == nil && st.Nlink == 0 {
		err = errLate // removed while we held it open: a store that sees writers does not
	}
	return errors.Join(err, f.Close())
}

// posixCopyApart: a copy that is not Shared survives a writer who changes the source in place.
func posixCopyApart(t *testing.T, s *posixSuite) {
	s.write(t, "in/f", "first")
	_, err := s.Copy(t.Context(), s.stat(t, "in/f"), "copied", storage.PutOptions{})
	must(t, "copy", err)
	s.appendTo(t, "in/f", " and more")
	s.wantContent(t, "copied", "first")
	if got := s.stat(t, "copied"); got.Kind != storage.Regular {
		t.Fatalf("a copy is %v", got.Kind)
	}
}

func posixMoveAppended(t *testing.T, s *posixSuite) {
	s.write(t, "in/f", "first")
	old := s.stat(t, "in/f")
	s.appendTo(t, "in/f", " and more")
	_, err := s.Move(t.Context(), old, "failed/f", storage.PutOptions{IfAbsent: true})
	wantErr(t, "move what was appended to", storage.ErrChanged, err)
	s.wantContent(t, "in/f", "first and more")
	s.wantAbsent(t, "failed/f")
}

// posixForeignFiles: people's files are listed and read by whatever name they gave them.
func posixForeignFiles(t *testing.T, s *posixSuite) {
	var want []asset.Key
	for _, name := range builtinNames {
		key := asset.Key("storagetest/odd").Join(asset.Key(name))
		s.write(t, key, name)
		want = append(want, key)
	}
	s.wantNames(t, want)
	deep := asset.Key("storagetest" + strings.Repeat("/"+strings.Repeat("d", 60), 60)) // close to PATH_MAX
	s.put(t, deep.Join("file"), "deep")
	s.wantContent(t, deep.Join("file"), "deep")
}
