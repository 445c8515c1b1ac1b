package node

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/config"
)

// serving is a node that answers HTTP.
func serving(t *testing.T) (base string) {
	t.Helper()
	o := options(t, t.TempDir(), rule("inbox"))
	o.Settings.Node.Roles = []string{config.RoleImport, config.RoleWeb}
	o.Settings.HTTP.Listen = "127.0.0.1:0"
	n := start(t, o)
	within(t, 20*time.Second, "active", func() bool { return n.view().State == admin.Active })
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return "http://" + n.Addr()
}

func call(t *testing.T, method, url, body string, want int) (string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		t.Fatalf("%s %s: want %d, got %d %v: %.300s", method, url, want, resp.StatusCode, err, b)
	}
	return string(b), resp.Header
}

// pathOf percent-encodes every byte but the slashes.
func pathOf(name asset.Key) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if c == '/' {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// TestAPI_namesHostileToURLs writes names that a URL, a path or a list could trip over, and finds all of them again.
func TestAPI_namesHostileToURLs(t *testing.T) {
	base := serving(t)
	names := []asset.Key{
		"a?b=c&d", "a#b", "a%2Fb", "a%", "a b+c", "a/..b", "…", "\xff\xfe", "a;b", "a\\b", `a"b'<c>`, "a\nb", "a.jpg/thumbnail", "a.jpg/metadata",
		"versions", "x/versions", "base64:eA==", "~", "\u202egpj", asset.Key(strings.Repeat("n", 255)), "openapi.json",
	}
	for _, n := range names {
		body, _ := call(t, "PUT", base+"/v1/assets/"+pathOf(n), "bytes of "+string(n), 201)
		var put struct{ Name asset.Key }
		if err := json.Unmarshal([]byte(body), &put); err != nil || put.Name != n {
			t.Errorf("%q: got %q %v", n, put.Name, err)
		}
		if got, _ := call(t, "GET", base+"/v1/assets/"+pathOf(n), "", 200); got != "bytes of "+string(n) {
			t.Errorf("%q: got %q", n, got)
		}
	}
	found := map[asset.Key]string{}
	for next := ""; ; {
		body, _ := call(t, "GET", base+"/v1/assets?limit=4&cursor="+url.QueryEscape(next), "", 200)
		var l struct {
			Assets []struct {
				Name asset.Key
				URL  string
			}
			Next string
		}
		if err := json.Unmarshal([]byte(body), &l); err != nil {
			t.Fatal(err)
		}
		for _, a := range l.Assets {
			if found[a.Name] != "" {
				t.Errorf("%q was told twice", a.Name)
			}
			found[a.Name] = a.URL
		}
		if next = l.Next; next == "" {
			break
		}
	}
	for _, n := range names {
		if found[n] == "" {
			t.Errorf("%q is not listed", n)
			continue
		}
		if got, _ := call(t, "GET", base+found[n], "", 200); got != "bytes of "+string(n) {
			t.Errorf("%q by its url %s: got %q", n, found[n], got)
		}
		call(t, "GET", base+"/v1/assets/"+pathOf(n)+"?versions", "", 200)
	}
	if len(found) != len(names) {
		t.Errorf("want %d names, got %d", len(names), len(found))
	}
}

// TestAPI_examplesOfTheDocumentWork runs the curl lines of docs/api.md one after the other.
func TestAPI_examplesOfTheDocumentWork(t *testing.T) {
	page, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	base, dir := serving(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "photo.jpg"), []byte("a photo"), 0o600); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for lines := bufio.NewScanner(bytes.NewReader(page)); lines.Scan(); {
		line, ok := strings.CutPrefix(lines.Text(), "    curl ")
		if !ok {
			continue
		}
		c := exec.CommandContext(t.Context(), "sh", "-c", "curl --silent --show-error --fail "+strings.ReplaceAll(line, "http://127.0.0.1:8480", base))
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil || len(out) == 0 {
			t.Errorf("curl %s: %v: %s", line, err, out)
		}
		ran++
	}
	if ran < 5 {
		t.Errorf("only %d examples were found", ran)
	}
}
