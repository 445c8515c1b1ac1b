package ftp_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// named is a new name of a file that tells its size, and with that all its bytes.
func named(kind string, i, size int) string { return fmt.Sprintf("%s-%06d-%d.bin", kind, i, size) }

// contentOf are the bytes of the file of that name; one that ends in .png is a picture.
func contentOf(name string) string {
	if strings.HasSuffix(name, ".png") {
		return picture()
	}
	_, text, _ := strings.Cut(strings.TrimSuffix(name, ".bin"), "-")
	size, err := strconv.Atoi(text[strings.LastIndexByte(text, '-')+1:])
	if err != nil {
		return ""
	}
	return strings.Repeat(name+"\n", size/(len(name)+1)+1)[:size]
}

// picture is one of some size.
var picture = sync.OnceValue(func() string {
	img := image.NewGray(image.Rect(0, 0, 512, 512))
	for i := range img.Pix {
		img.Pix[i] = byte(rand.Uint32())
	}
	var b strings.Builder
	if err := png.Encode(&b, img); err != nil {
		return err.Error()
	}
	return b.String()
})

// imported is how often each name was, by the ledger. What has other bytes than its name says is an error.
func (n *node) imported(t testing.TB) map[string]int {
	t.Helper()
	found := map[string]int{}
	err := filepath.WalkDir(filepath.Join(n.store, "workarea", "ledger"), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		var r struct {
			Key     string
			Content struct {
				SHA256 string
				Size   int
			}
		}
		data, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(data, &r)
		}
		if err != nil || r.Key == "" {
			return err
		}
		found[r.Key]++
		want := contentOf(r.Key)
		if sum := sha256.Sum256([]byte(want)); hex.EncodeToString(sum[:]) != r.Content.SHA256 {
			t.Errorf("%s was imported with %d bytes of %d", r.Key, r.Content.Size, len(want))
		}
		return nil
	})
	check(t, err)
	if failed := filesBelow(filepath.Join(n.store, "workarea", "failed")); len(failed) > 0 {
		t.Errorf("drops that failed: %v", failed)
	}
	return found
}

// settle waits until no session is left and the hotfolder is empty: what can be imported is.
func (n *node) settle(t testing.TB) {
	t.Helper()
	within(t, 5*time.Minute, "no session is left", func() bool { return n.metric(t, "hotfolder_ftp_sessions") == 0 })
	within(t, 5*time.Minute, "the hotfolder is empty", func() bool { return len(n.pending()) == 0 && len(n.waiting()) == 0 })
}

// metric is the value of one without labels.
func (n *node) metric(t testing.TB, name string) float64 {
	t.Helper()
	res, err := n.get("/metrics")
	check(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	check(t, err)
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			check(t, err)
			return v
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

func (n *node) waiting() []string { return filesBelow(filepath.Join(n.store, "hotfolders", "inbox")) }

// pending are uploads whose fate is open.
func (n *node) pending() []string {
	return filesBelow(filepath.Join(n.store, "workarea", "ftp", "pending"))
}

func filesBelow(dir string) (found []string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(d.Name(), ".") {
			found = append(found, path)
		}
		return nil
	})
	return found
}

// sideBySide runs n works, some at a time.
func sideBySide(n, atOnce int, do func(i int)) {
	next := make(chan int)
	var all sync.WaitGroup
	for range min(n, atOnce) {
		all.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}
