package admin

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

func TestRun_servesUntilContextEnds(t *testing.T) {
	s, cancel, ended := running(t, newFake(), Options{})
	tr := &http.Transport{}
	resp, err := (&http.Client{Transport: tr}).Get("http://" + s.Addr() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != 200 || string(body) != "ready: active\n" {
		t.Errorf("want ready, got %d %q", resp.StatusCode, body)
	}
	ends(t, cancel, ended)
	tr.CloseIdleConnections()
	if c, err := net.DialTimeout("tcp", s.Addr(), time.Second); err == nil {
		_ = c.Close()
		t.Error("the port is still taken")
	}
}

func TestClose_givesTheAddressBackOfAServerThatNeverRan(t *testing.T) {
	s, err := New(newFake().backend(), Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("want nothing to close before Listen, got %v", err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	ln, err := net.Listen("tcp", s.Addr())
	if err != nil {
		t.Fatalf("the port is still taken: %v", err)
	}
	_ = ln.Close()
}

func TestClose_isNoFaultAfterRun(t *testing.T) {
	s, cancel, ended := running(t, newFake(), Options{})
	ends(t, cancel, ended)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestRun_answerInProgressIsFinished(t *testing.T) {
	f := newFake()
	f.hang = make(chan struct{})
	s, cancel, ended := running(t, f, Options{})
	tr := &http.Transport{}
	got := make(chan int, 1)
	go func() {
		resp, err := (&http.Client{Transport: tr}).Get("http://" + s.Addr() + "/v1/failed")
		if err != nil {
			got <- 0
			return
		}
		_ = resp.Body.Close()
		got <- resp.StatusCode
	}()
	waitFor(t, func() bool { return len(s.gate) == 1 })
	cancel()
	close(f.hang)
	if status := <-got; status != 200 {
		t.Errorf("want the answer finished, got %d", status)
	}
	ends(t, cancel, ended)
	tr.CloseIdleConnections()
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

func TestListen_takenPortIsAnError(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s := newServer(t, newFake(), Options{Listen: ln.Addr().String()})
	if err := s.Listen(); err == nil || !strings.Contains(err.Error(), "http.listen") {
		t.Errorf("want an error that names the setting, got %v", err)
	}
	if s.Addr() != "" {
		t.Errorf("want no address, got %q", s.Addr())
	}
}

func TestLog_holdsNoSecretAndNoQuery(t *testing.T) {
	core, seen := observer.New(zap.DebugLevel)
	s := newServer(t, newFake(), Options{Token: testToken, Log: zap.New(core)})
	request(t, s, "GET", "/v1/why?path=private", header("Authorization", "Bearer "+testToken))
	postForm(t, s, "/login", map[string][]string{"token": {testToken}})
	postForm(t, s, "/login", map[string][]string{"token": {"nearly-" + testToken}})
	if seen.Len() < 3 {
		t.Fatalf("want each request logged, got %d", seen.Len())
	}
	for _, e := range seen.All() {
		for _, f := range e.Context {
			if strings.Contains(f.String, testToken) || strings.Contains(f.String, "private") {
				t.Errorf("the log shows %s=%s", f.Key, f.String)
			}
		}
	}
}

// shortReader promises more bytes than it has.
type shortReader struct{ storage.Reader }

func (shortReader) Object() storage.Object { return storage.Object{Size: 100} }

func TestAsset_cutBytesBreakTheConnection(t *testing.T) {
	f := newFake()
	f.put("a.jpg", "image/jpeg", "0123456789")
	b := f.backend()
	b.OpenAsset = func(ctx context.Context, h asset.Hash) (storage.Reader, error) {
		rd, err := f.openAsset(ctx, h)
		return shortReader{rd}, err
	}
	s, err := New(b, Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	tr := &http.Transport{}
	resp, err := (&http.Client{Transport: tr}).Get("http://" + s.Addr() + "/v1/assets/a.jpg")
	if err == nil {
		var body []byte
		body, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err == nil {
			t.Errorf("want a broken answer, got %d bytes as if they were whole", len(body))
		}
	}
	tr.CloseIdleConnections()
	ends(t, cancel, ended)
}
