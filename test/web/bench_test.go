package web_test

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	names = 32 // thumbnails that are asked for in turn
	conns = 16 // of the generator, each with one request under way
)

// server is one of those that are measured: what it serves at paths, and its process.
type server struct {
	name  string
	addr  string
	paths []string
	pid   int
}

// BenchmarkThumbnails asks hotfolderd, a bare server of net/http and nginx for the same thumbnails, with the same generator. What counts is requests/cpu-s: those
// for each second of processor time that the server took.
func BenchmarkThumbnails(b *testing.B) {
	dir := b.TempDir()
	ours := hotfolderd(b, filepath.Join(dir, "ours"))
	theirs := nginx(b, filepath.Join(dir, "nginx"), ours)
	least := bare(b, filepath.Join(dir, "bare"), ours)
	for _, s := range []server{ours, least, theirs} {
		b.Run(s.name+"/whole", func(b *testing.B) { s.measure(b, "") })
		b.Run(s.name+"/unchanged", func(b *testing.B) { s.measure(b, s.tag(b)) })
	}
}

// measure sends b.N requests; with a tag they are conditional, and all for the thumbnail that has it.
func (s server) measure(b *testing.B, tag string) {
	var requests [][]byte
	for _, p := range s.paths {
		if tag != "" {
			p = s.paths[0] + "\r\nIf-None-Match: " + tag
		}
		path, more, _ := strings.Cut(p, "\r\n")
		if more != "" {
			more += "\r\n"
		}
		requests = append(requests, fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", path, s.addr, more))
	}
	before := cpu(b, s.pid)
	var all sync.WaitGroup
	b.ResetTimer()
	for n := range conns {
		all.Go(func() {
			if err := ask(s.addr, requests, n, b.N/conns+1, tag != ""); err != nil {
				b.Errorf("%s: %v", s.name, err)
			}
		})
	}
	all.Wait()
	b.StopTimer()
	done := float64(conns * (b.N/conns + 1))
	b.ReportMetric(done/(cpu(b, s.pid)-before), "requests/cpu-s")
	b.ReportMetric(done/b.Elapsed().Seconds(), "requests/s")
}

// ask sends the requests in turn over one connection.
func ask(addr string, requests [][]byte, first, count int, unchanged bool) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	r := bufio.NewReaderSize(c, 64<<10)
	for i := range count {
		if _, err := c.Write(requests[(first+i)%len(requests)]); err != nil {
			return err
		}
		if err := answered(r, unchanged); err != nil {
			return err
		}
	}
	return nil
}

// answered reads one answer.
func answered(r *bufio.Reader, unchanged bool) error {
	want, length := "200", 0
	if unchanged {
		want = "304"
	}
	for n := 0; ; n++ {
		line, err := r.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case n == 0 && (len(line) < 12 || string(line[9:12]) != want):
			return fmt.Errorf("want %s, got %q", want, line)
		case len(line) <= 2:
			if length == 0 && !unchanged {
				return fmt.Errorf("an answer without bytes")
			}
			_, err := r.Discard(length)
			return err
		case len(line) > 15 && bytes.EqualFold(line[:15], []byte("content-length:")):
			length, _ = strconv.Atoi(string(bytes.TrimSpace(line[15:])))
		}
	}
}

// tag is the ETag of the first thumbnail.
func (s server) tag(b *testing.B) string {
	res, err := http.Get("http://" + s.addr + s.paths[0])
	check(b, err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("ETag") == "" {
		b.Fatalf("%s: want a thumbnail with an ETag, got %s %v", s.name, res.Status, res.Header)
	}
	return res.Header.Get("ETag")
}

// cpu is the seconds of processor time that a process has taken.
func cpu(b *testing.B, pid int) float64 {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	check(b, err)
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	user, err := strconv.ParseFloat(fields[11], 64)
	check(b, err)
	system, err := strconv.ParseFloat(fields[12], 64)
	check(b, err)
	const perSecond = 100 // what Linux tells everybody
	return (user + system) / perSecond
}

// hotfolderd is the program with its thumbnails made.
func hotfolderd(b *testing.B, dir string) server {
	program := filepath.Join(dir, "hotfolderd")
	out, err := exec.Command("go", "build", "-o", program, "../../cmd/hotfolderd").CombinedOutput()
	if err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	s := server{name: "hotfolderd", addr: free(b)}
	settings := filepath.Join(dir, "hotfolderd.yaml")
	rules := filepath.Join(dir, "rules")
	check(b, os.MkdirAll(rules, 0o777))
	check(b, os.WriteFile(filepath.Join(rules, "inbox.yaml"), []byte("hotfolder: inbox\n"), 0o666))
	check(b, os.WriteFile(settings, fmt.Appendf(nil, "node: { roles: [thumbnails, web] }\nstorage: { url: %q }\nhotfolders: %q\nhttp: { listen: %q }\n",
		filepath.Join(dir, "store"), rules, s.addr), 0o666))
	s.pid = run(b, dir, s.addr, program, "run", "--config", settings)
	for n := range names {
		name := fmt.Sprintf("/v1/assets/photos/%03d.jpg", n)
		req, err := http.NewRequest(http.MethodPut, "http://"+s.addr+name, bytes.NewReader(photo(b, n)))
		check(b, err)
		res, err := http.DefaultClient.Do(req)
		check(b, err)
		check(b, res.Body.Close())
		s.paths = append(s.paths, name+"/thumbnail?size=256")
		fetch(b, s, n)
	}
	return s
}

// nginx serves the thumbnails of another server from files.
func nginx(b *testing.B, dir string, from server) server {
	program, err := filepath.Abs("../../bin/balancers/usr/sbin/nginx")
	check(b, err)
	if _, err := os.Stat(program); err != nil {
		b.Fatalf("%v: run make bench-web", err)
	}
	s := server{name: "nginx", addr: free(b)}
	for n := range names {
		s.paths = append(s.paths, fmt.Sprintf("/photos/%03d.jpg", n))
		file := filepath.Join(dir, "root", s.paths[n])
		check(b, os.MkdirAll(filepath.Dir(file), 0o777))
		check(b, os.WriteFile(file, fetch(b, from, n), 0o666))
	}
	conf := filepath.Join(dir, "conf")
	check(b, os.WriteFile(conf, fmt.Appendf(nil, `daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error;
user root;
events { worker_connections 1024; }
http {
	access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000; etag on;
	types { image/jpeg jpg; }
	open_file_cache max=10000 inactive=60s; open_file_cache_valid 60s;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server { listen %[2]s; root %[1]s/root; }
}
`, dir, s.addr), 0o666))
	s.pid = run(b, dir, s.addr, program, "-e", filepath.Join(dir, "error"), "-p", dir, "-c", conf)
	return s
}

// run starts a program that ends with the benchmark, and waits until it listens.
func run(b *testing.B, dir, addr string, argv ...string) (pid int) {
	cmd := exec.Command(argv[0], argv[1:]...)
	log, err := os.Create(filepath.Join(dir, "log"))
	check(b, err)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	check(b, cmd.Start())
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
	})
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			check(b, c.Close())
			return cmd.Process.Pid
		}
		if time.Now().After(end) {
			text, _ := os.ReadFile(log.Name())
			b.Fatalf("%s does not listen:\n%s", argv[0], text)
		}
	}
}

// fetch is the body of one answer.
func fetch(b *testing.B, s server, n int) []byte {
	b.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		res, err := http.Get("http://" + s.addr + s.paths[n])
		check(b, err)
		data, err := io.ReadAll(res.Body)
		check(b, err)
		check(b, res.Body.Close())
		if res.StatusCode == http.StatusOK {
			return data
		}
		if time.Now().After(end) {
			b.Fatalf("%s: %s\n%s", s.paths[n], res.Status, data)
		}
	}
}

// photo is the n-th JPEG.
func photo(b *testing.B, n int) []byte {
	m := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			m.Set(x, y, color.RGBA{uint8(x + n), uint8(y * n), uint8(x * y >> 6), 255})
		}
	}
	var buf bytes.Buffer
	check(b, jpeg.Encode(&buf, m, nil))
	return buf.Bytes()
}

// free is an address of loopback that nobody listens to.
func free(b *testing.B) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(b, err)
	defer ln.Close()
	return ln.Addr().String()
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
