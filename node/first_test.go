package node

import (
	"os"
	"testing"
)

func TestRun_aPhotoIsImportedOnce(t *testing.T) {
	n := start(t, options(t, t.TempDir(), rule("inbox")))
	photo := jpeg(100_000, 1)
	write(t, n.inbox("a.jpg"), photo)
	n.expect("a.jpg", photo)
	if got := len(records(t, n.stores.all["file://"+n.dir])); got != 1 {
		t.Errorf("want one record, got %d", got)
	}
	if _, err := os.Stat(n.inbox("")); err != nil {
		t.Error(err)
	}
}
