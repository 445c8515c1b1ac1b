package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// askRemote runs one command against nodes that are named, from a machine without settings.
func askRemote(t *testing.T, node http.Handler, args ...string) (code int, out, err string) {
	t.Helper()
	srv := httptest.NewServer(node)
	defer srv.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	a := &app{in: strings.NewReader("from standard input"), out: &stdout, err: &stderr}
	code = a.execute(t.Context(), append(args, "--server", strings.TrimPrefix(srv.URL, "http://"), "--token-file", token))
	return code, stdout.String(), stderr.String()
}
