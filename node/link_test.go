package node

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"hotfolderd/config"
	"hotfolderd/storage/s3/s3test"
)

// Large assets are fetched from the bucket itself, where the setting says so; their address is in no log.
func TestLink_largeAssetsComeFromTheBucket(t *testing.T) {
	server := s3test.MinIO(t)
	o := bucketOptions(t, server.URL(server.VersionedBucket(t), "pre"))
	o.Settings.Node.Roles = append(o.Settings.Node.Roles, config.RoleWeb)
	o.Settings.HTTP.Listen = "127.0.0.1:0"
	o.Settings.Storage.RedirectSize = 100_000
	var text sharedText
	o.Log = zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), &text, zap.DebugLevel))
	n := start(t, o)
	people, err := OpenStore(t.Context(), o.Settings.Storage, o.Settings.Storage.URL, false)
	if err != nil {
		t.Fatal(err)
	}
	defer people.Close()
	small, large, script := jpeg(20_000, 1), jpeg(200_000, 2), append([]byte("<!DOCTYPE html><script>alert(1)</script>"), bytes.Repeat([]byte(" "), 200_000)...)
	put(t, people, "hotfolders/inbox/small.jpg", small)
	put(t, people, "hotfolders/inbox/large.jpg", large)
	put(t, people, "hotfolders/inbox/script.html", script)
	within(t, time.Minute, "all imported", func() bool { return len(records(t, people)) == 3 })
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(method, url string, header ...string) (*http.Response, []byte) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, data
	}
	base := "http://" + n.Addr() + "/v1/assets/inbox/"
	within(t, time.Minute, "all named", func() bool {
		resp, _ := ask(http.MethodHead, base+"script.html")
		return resp.StatusCode == http.StatusOK
	})
	if resp, data := ask(http.MethodGet, base+"small.jpg"); resp.StatusCode != http.StatusOK || !bytes.Equal(data, small) {
		t.Errorf("want the small one from the node, got %s", resp.Status)
	}
	for name, want := range map[string]struct {
		data        []byte
		disposition string
	}{"large.jpg": {large, "inline"}, "script.html": {script, "attachment"}} {
		resp, _ := ask(http.MethodGet, base+name)
		at := resp.Header.Get("Location")
		if resp.StatusCode != http.StatusTemporaryRedirect || !strings.HasPrefix(at, server.Endpoint()) || !strings.Contains(at, "X-Amz-Expires=300") {
			t.Errorf("%s: want it sent to the bucket for five minutes, got %s %q", name, resp.Status, at)
			continue
		}
		_, signature, _ := strings.Cut(at, "X-Amz-Signature=")
		if told := text.String(); !strings.Contains(told, "imported") || strings.Contains(told, signature) {
			t.Error("the address was told, or nothing was")
		}
		resp, data := ask(http.MethodGet, at)
		if resp.StatusCode != http.StatusOK || !bytes.Equal(data, want.data) || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), want.disposition) {
			t.Errorf("%s: want its bytes, %s, got %s, %d bytes, %q", name, want.disposition, resp.Status, len(data), resp.Header.Get("Content-Disposition"))
		}
		if resp, data := ask(http.MethodGet, at, "Range", "bytes=10-19"); resp.StatusCode != http.StatusPartialContent || !bytes.Equal(data, want.data[10:20]) {
			t.Errorf("%s: want a part of it, got %s", name, resp.Status)
		}
	}
	resp, _ := ask(http.MethodHead, base+"large.jpg")
	if resp.StatusCode != http.StatusOK || resp.ContentLength != int64(len(large)) {
		t.Errorf("want HEAD answered by the node, got %s", resp.Status)
	}
	if resp, _ := ask(http.MethodGet, base+"large.jpg", "If-None-Match", resp.Header.Get("ETag")); resp.StatusCode != http.StatusNotModified {
		t.Errorf("want a condition looked at by the node, got %s", resp.Status)
	}
}
