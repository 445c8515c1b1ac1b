package posix

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

func TestFail_saysWhatToDo(t *testing.T) {
	for err, want := range map[error]string{
		unix.EROFS: "rw", unix.EACCES: "owner and rights", unix.EPERM: "owner and rights", unix.EDQUOT: "quota of the account",
		unix.ENOSPC: "df -i", unix.ENAMETOOLONG: "255 bytes", unix.EILSEQ: "characters",
	} {
		got := fail("put", "a/b", fail("rename", "a", err))
		if !errors.Is(got, err) || !strings.Contains(got.Error(), want) || strings.Count(got.Error(), want) != 1 {
			t.Errorf("%v: want %q said once, got %v", err, want, got)
		}
	}
	if got := fail("put", "a", unix.EIO).Error(); got != `put "a": input/output error` {
		t.Errorf("want no advice where there is none, got %s", got)
	}
	if !errors.Is(fail("put", "a", unix.EACCES), fs.ErrPermission) || !errors.Is(fail("put", "a", unix.EDQUOT), storage.ErrFull) {
		t.Error("want what callers decide by kept")
	}
}

func TestPut_aNameThatIsTooLongIsToldWithItsLimit(t *testing.T) {
	s := openIn(t, filepath.Join(t.TempDir(), "share"))
	_, err := s.Put(t.Context(), asset.Key(strings.Repeat("x", 256)), strings.NewReader("x"), storage.PutOptions{})
	if !errors.Is(err, unix.ENAMETOOLONG) || !strings.Contains(err.Error(), "255 bytes") {
		t.Errorf("want the limit told, got %v", err)
	}
}

func TestFoldsCase_isSeenByOneNameInTwoWays(t *testing.T) {
	s := openIn(t, filepath.Join(t.TempDir(), "share"))
	own := filepath.Join(s.Dir(), string(s.boot.key))
	if err := os.Mkdir(filepath.Join(own, "TMP"), 0o777); errors.Is(err, fs.ErrExist) {
		t.Skip("the temporary folder of this machine is on such a file system")
	}
	if s.FoldsCase() {
		t.Error("want two folders told apart")
	}
	if err := errors.Join(os.Remove(filepath.Join(own, "TMP")), os.Remove(filepath.Join(own, "tmp")), os.WriteFile(filepath.Join(own, "tmp"), nil, 0o666),
		os.Link(filepath.Join(own, "tmp"), filepath.Join(own, "TMP"))); err != nil {
		t.Fatal(err)
	}
	if !s.FoldsCase() {
		t.Error("want one file under both names noticed")
	}
}
