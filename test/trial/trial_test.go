package main

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestTrial_startsAgainWhatWasKilledAndLeavesNothing(t *testing.T) {
	s := newSite(t)
	end := s.run()
	s.await("stop with")
	for _, p := range []*process{s.trial.nodes[1], s.trial.consul} {
		if err := syscall.Kill(p.pid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		s.await(p.name + " has ended (signal: killed)")
		s.await(p.name + " is started again")
	}
	end()
}

// Nodes on a bucket, over two starts: what the line to try says brings a drop in, by the curl of people.
func TestTrial_onABucket(t *testing.T) {
	s := siteOf(t, "cluster-s3")
	for i := range 2 {
		s.out = lines{}
		end := s.run()
		s.await("stop with")
		b := s.trial.bucket
		drop := exec.Command("curl", "-fsSK", filepath.Join(b.home, "curl"), "-T", "../../testdata/assets/photo.jpg", fmt.Sprintf("%s/%d.jpg", b.inbox(), i))
		if out, err := drop.CombinedOutput(); err != nil {
			t.Fatalf("drop by curl: %v\n%s", err, out)
		}
		s.await(fmt.Sprintf("imported  hotfolder=inbox  key=%d.jpg", i))
		if err := syscall.Kill(b.server.pid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		s.await("MinIO is started again")
		if strings.Contains(s.out.String(), b.secret) {
			t.Error("the secret was shown")
		}
		end()
	}
}

func TestTrial_endsAllWhenOneFailsToStart(t *testing.T) {
	s := newSite(t)
	s.edit("c", "id: c", "id: a")
	tr, err := prepare(s.configs, bin, &s.out)
	if err != nil {
		t.Fatal(err)
	}
	s.trial = tr
	err = tr.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "node a ended before it was ready (exit status 78)") {
		t.Errorf("want to be told which node ended, got %v\n%s", err, &s.out)
	}
	s.wantNothingLeft()
}

func TestTrial_endsWhileItStarts(t *testing.T) {
	s := newSite(t)
	end := s.run()
	s.await("starting")
	end()
}

func TestPrepare_refusesPortsThatAreTaken(t *testing.T) {
	s := newSite(t)
	tr, err := prepare(s.configs, bin, &s.out)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{tr.consul.address, tr.nodes[2].address} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	_, err = prepare(s.configs, bin, &s.out)
	for _, want := range []string{tr.consul.address + " of Consul", tr.nodes[2].address + " of node c", "does it run already?"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestPrepare_refusesWhatCannotBeRunTogether(t *testing.T) {
	for what, c := range map[string]struct{ from, to, want string }{
		"a fault":      {"id: b", "id: b b", "b.yaml:"},
		"two Consuls":  {`consul: ["127`, `consul: ["1.2.3.4:1", "127`, "want one address"},
		"other Consul": {`consul: ["127.0.0.1`, `consul: ["127.0.0.2`, "is not the address of the others"},
	} {
		s := newSite(t)
		s.edit("b", c.from, c.to)
		if _, err := prepare(s.configs, bin, &s.out); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, got %v", what, c.want, err)
		}
	}
	if _, err := prepare(t.TempDir(), bin, nil); err == nil {
		t.Error("want an empty folder refused")
	}
	if _, err := prepare(newSite(t).configs, t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "make build bin/consul bin/minio") {
		t.Errorf("want to be told what to build, got %v", err)
	}
}

func TestColumn_keepsLinesWhole(t *testing.T) {
	var out bytes.Buffer
	c := &column{name: "a", to: &out}
	for _, part := range []string{"one", " line\ntwo\nthr", "", "ee\n"} {
		_, _ = c.Write([]byte(part))
	}
	if want := "a  one line\na  two\na  three\n"; out.String() != want {
		t.Errorf("want %q, got %q", want, out.String())
	}
}
