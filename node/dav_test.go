package node

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
)

// What Explorer does with a file: look, make an empty one, lock it, write it, set its times, unlock. It becomes one drop, whole.
func TestDAV_explorersFileIsOneDrop(t *testing.T) {
	r := dropping(t)
	data := jpeg(20_000, 1)
	do := func(method, path string, body []byte, want int, headers ...string) []byte {
		t.Helper()
		resp, text := r.send(method, "/dav"+path, bytes.NewReader(body), headers...)
		if resp.StatusCode != want {
			t.Fatalf("%s %s: want %d, got %s %s", method, path, want, resp.Status, text)
		}
		return text
	}
	do("PROPFIND", "/", nil, 207, "Depth", "1")
	do("PROPFIND", "/inbox/a.jpg", nil, 404, "Depth", "0")
	do("PUT", "/inbox/a.jpg", nil, 201)
	if text := do("PROPFIND", "/inbox/", nil, 207, "Depth", "1"); !bytes.Contains(text, []byte("/dav/inbox/a.jpg")) {
		t.Errorf("want the empty file seen, got %s", text)
	}
	lock := []byte(`<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>`)
	do("LOCK", "/inbox/a.jpg", lock, 200, "Timeout", "Second-3600")
	do("PUT", "/inbox/a.jpg", data, 201, "If", "(<opaquelocktoken:any>)")
	do("PROPPATCH", "/inbox/a.jpg", []byte(`<?xml version="1.0"?><D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:"><D:set><D:prop><Z:Win32FileAttributes>00000020</Z:Win32FileAttributes></D:prop></D:set></D:propertyupdate>`), 207)
	do("PROPFIND", "/inbox/a.jpg", nil, 207, "Depth", "0")
	do("UNLOCK", "/inbox/a.jpg", nil, 204, "Lock-Token", "<opaquelocktoken:any>")
	r.expect("a.jpg", data)
	if n := r.number("inbox/a.jpg"); n != 1 {
		t.Errorf("want one version, got %d", n)
	}
}

// What Finder writes beside each file is there for it, and is never a drop.
func TestDAV_findersFilesAreNoDrops(t *testing.T) {
	r := dropping(t)
	for _, name := range []string{"._a.jpg", ".DS_Store", "desktop.ini", "Thumbs.db"} {
		if resp, text := r.send("PUT", "/dav/inbox/"+name, strings.NewReader("of the system")); resp.StatusCode != 201 {
			t.Fatalf("%s: want it taken, got %s %s", name, resp.Status, text)
		}
		if resp, text := r.send("GET", "/dav/inbox/"+name, nil); resp.StatusCode != 200 || string(text) != "of the system" {
			t.Errorf("%s: want it there, got %s %s", name, resp.Status, text)
		}
		if resp, _ := r.send("DELETE", "/dav/inbox/"+name, nil); resp.StatusCode != 204 {
			t.Errorf("%s: want it removed, got %s", name, resp.Status)
		}
	}
	if found := drops(t, r.dir); len(found) != 0 {
		t.Errorf("want no drop, got %q", found)
	}
}

// A client that dies in the middle leaves nothing, by either way, wherever it was cut.
func TestDrops_aCutBodyStoresNothing(t *testing.T) {
	r := dropping(t)
	data := jpeg(60_000, 1)
	for i := range 100 {
		c, err := net.Dial("tcp", r.Addr())
		if err != nil {
			t.Fatal(err)
		}
		path := []string{"/dav/inbox/", "/v1/hotfolders/inbox/"}[i%2] + fmt.Sprintf("%d.jpg", i)
		length := fmt.Sprintf("Content-Length: %d", len(data))
		if i%4 > 1 {
			length = "Transfer-Encoding: chunked"
		}
		fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n", path, length)
		if i%4 > 1 {
			fmt.Fprintf(c, "%x\r\n", len(data))
		}
		_, _ = c.Write(data[:i*599])
		_ = c.Close()
	}
	r.put("/v1/hotfolders/inbox/last.jpg?wait=20s", data, 201)
	within(t, 20*time.Second, "all uploads ended", func() bool { return len(drops(t, r.dir)) == 0 })
	for i := range 100 {
		if _, _, err := r.Area().Current(t.Context(), asset.Key(fmt.Sprintf("inbox/%d.jpg", i))); err == nil {
			t.Errorf("%d.jpg: it was imported", i)
		}
	}
}

func TestDAV_hostileNamesLeadNowhere(t *testing.T) {
	r := dropping(t, func(c *config.Rule) { c.Paused = true })
	for _, path := range []string{"%2e%2e/a", "..%2fa", "a%2f..%2f..%2fb", "%2fetc", "a%00b", ".hotfolderd/a", strings.Repeat("x", 256)} {
		resp, _ := r.send("PUT", "/dav/inbox/"+path, strings.NewReader("hostile"))
		if resp.StatusCode/100 != 4 && resp.StatusCode != 201 {
			t.Errorf("%.40s: want it refused, got %s", path, resp.Status)
		}
	}
	for _, name := range []string{"hotfolders/a", "a", "workarea/a", "etc", "hotfolders/b", "b"} {
		if _, err := os.Lstat(filepath.Join(r.dir, name)); err == nil {
			t.Errorf("%s: it is outside of its hotfolder", name)
		}
	}
}

// A mounted folder asks for a name and a password; the password is the token.
func TestDAV_curlShowsTheTokenAsPassword(t *testing.T) {
	o := options(t, t.TempDir(), rule("inbox"))
	o.Settings.Node.Roles = append(o.Settings.Node.Roles, config.RoleWeb)
	o.Settings.HTTP.Listen = "127.0.0.1:0"
	o.Settings.HTTP.TokenFile = filepath.Join(t.TempDir(), "token")
	write(t, o.Settings.HTTP.TokenFile, []byte("a-token-of-the-test"))
	r := start(t, o)
	within(t, 20*time.Second, "active", func() bool { return r.State() == "active" })
	file := filepath.Join(t.TempDir(), "a.jpg")
	write(t, file, jpeg(20_000, 1))
	curl := func(password string) string {
		out, _ := exec.CommandContext(t.Context(), "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--anyauth", "-u", "anybody:"+password, "-T", file,
			"http://"+r.Addr()+"/dav/inbox/a.jpg").CombinedOutput()
		return string(out)
	}
	if got := curl("wrong"); got != "401" {
		t.Errorf("want 401, got %s", got)
	}
	if got := curl("a-token-of-the-test"); got != "201" {
		t.Errorf("want 201, got %s", got)
	}
	r.expect("a.jpg", jpeg(20_000, 1))
}

// A folder that rclone copies arrives whole: it looks at each file once more, when most are imported already.
func TestDAV_rcloneCopiesAFolder(t *testing.T) {
	r := dropping(t)
	from := t.TempDir()
	for i := range 60 {
		write(t, filepath.Join(from, fmt.Sprintf("%02d.jpg", i)), jpeg(20_000, uint64(i)))
	}
	remote := ":webdav,url='http://" + r.Addr() + "/dav/inbox':many"
	out, err := exec.CommandContext(t.Context(), "rclone", "copy", "--config", "", "--retries", "1", "--low-level-retries", "1", "--webdav-vendor", "other", from, remote).CombinedOutput()
	if err != nil {
		t.Fatalf("rclone: %v\n%s", err, out)
	}
	for i := range 60 {
		r.expect(fmt.Sprintf("many/%02d.jpg", i), jpeg(20_000, uint64(i)))
	}
}

// What is imported has its properties for a moment more, and no bytes.
func TestDAV_anImportedFileIsSeenAndNotRead(t *testing.T) {
	r := dropping(t)
	data := jpeg(20_000, 1)
	if resp, text := r.send("PUT", "/dav/inbox/a.jpg", bytes.NewReader(data)); resp.StatusCode != 201 {
		t.Fatalf("want it taken, got %s %s", resp.Status, text)
	}
	r.expect("a.jpg", data)
	within(t, 20*time.Second, "removed", func() bool { return len(drops(t, r.dir)) == 0 })
	if resp, text := r.send("PROPFIND", "/dav/inbox/a.jpg", nil, "Depth", "1"); resp.StatusCode != 207 || !bytes.Contains(text, []byte("<D:getcontentlength>")) {
		t.Errorf("want its properties, got %s %s", resp.Status, text)
	}
	if resp, _ := r.send("GET", "/dav/inbox/a.jpg", nil); resp.StatusCode != 404 {
		t.Errorf("want no bytes, got %s", resp.Status)
	}
}
