package s3_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"go.uber.org/goleak"

	"hotfolderd/storage/s3/s3test"
)

// servers are shared by all tests that do not stop them, each started when it is asked for first.
var servers = struct {
	dir   string
	start map[string]func() (*s3test.Server, error)
}{start: map[string]func() (*s3test.Server, error){}}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	minio.DefaultRetryUnit = time.Millisecond // the library rests after a failure even when it does not try again
	var err error
	if servers.dir, err = os.MkdirTemp("", "hotfolderd-s3-"); err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(servers.dir)
	var started []*s3test.Server
	var mu sync.Mutex
	for _, name := range []string{"minio", "versitygw"} {
		servers.start[name] = sync.OnceValues(func() (*s3test.Server, error) {
			dir := filepath.Join(servers.dir, name)
			if err := os.Mkdir(dir, 0o777); err != nil {
				return nil, err
			}
			s, err := s3test.Start(name, dir)
			mu.Lock()
			defer mu.Unlock()
			started = append(started, s)
			return s, err
		})
	}
	code := m.Run()
	for _, s := range started {
		if s != nil {
			s.End()
		}
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Println(err)
		return 1
	}
	return code
}

// shared is one of the servers that nobody stops.
func shared(t *testing.T, name string) *s3test.Server {
	t.Helper()
	s, err := servers.start[name]()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// onServers runs a test on each server, side by side.
func onServers(t *testing.T, run func(t *testing.T, s *s3test.Server)) {
	t.Parallel()
	for _, name := range []string{"minio", "versitygw"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, shared(t, name))
		})
	}
}
