package web_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// bareCommand makes this test's own program the bare server; an address and a file follow.
const bareCommand = "bare-server"

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == bareCommand {
		serveBare(os.Args[2], os.Args[3])
	}
	os.Exit(m.Run())
}

// serveBare answers with one file: the least that a handler of net/http can do, so that all that hotfolderd takes more is its own.
func serveBare(addr, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	panic(http.ListenAndServe(addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"bare"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data) // a client that is gone needs no answer
	})))
}

// bare serves the first thumbnail of another server at all its paths.
func bare(b *testing.B, dir string, from server) server {
	s := server{name: "bare", addr: free(b), paths: from.paths}
	file := filepath.Join(dir, "thumbnail.jpg")
	check(b, os.MkdirAll(dir, 0o777))
	check(b, os.WriteFile(file, fetch(b, from, 0), 0o666))
	program, err := os.Executable()
	check(b, err)
	s.pid = run(b, dir, s.addr, program, bareCommand, s.addr, file)
	return s
}
