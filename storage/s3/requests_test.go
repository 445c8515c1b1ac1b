package s3_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/s3"
	"hotfolderd/storage/s3/s3test"
	"hotfolderd/storage/storagetest"
)

// What each operation costs. A store whose bucket keeps versions asks for the versions instead of the object before it removes.
func TestRequests_ofEachOperation(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		for _, versioned := range []bool{false, true} {
			st, p := counted(t, s, versioned)
			ctx := t.Context()
			obj, err := put(ctx, st, "there", "x", storage.PutOptions{})
			must(t, err)
			brief := storage.PutOptions{IfAbsent: true, Brief: true}
			for _, c := range []struct {
				name string
				want int
				do   func() error
			}{
				{"stat", 1, func() error { _, err := st.Stat(ctx, "there"); return err }},
				{"stat of nothing", 1, func() error { _, err := st.Stat(ctx, "absent"); return ignore(err) }},
				{"open, read, close", 1, func() error { return readAll(t, st, "there") }},
				{"list", 1, func() error { lines(t, st, asset.Root, storage.ListOptions{}); return nil }},
				{"put", 2, func() error { _, err := put(ctx, st, "put", "x", storage.PutOptions{}); return err }},
				{"create", 2, func() error { _, err := put(ctx, st, "created", "x", ifAbsent); return err }},
				{"create, in brief", 1, func() error { _, err := put(ctx, st, "brief", "x", brief); return err }},
				{"create, lost", 2, func() error { _, err := put(ctx, st, "there", "x", brief); return ignore(err) }},
				{"copy", 1, func() error { _, err := st.Copy(ctx, obj, "copy", storage.PutOptions{}); return err }},
				{"copy, create, in brief", 2, func() error { _, err := st.Copy(ctx, obj, "copied", brief); return err }},
				{"remove", 2, func() error { return st.Remove(ctx, "put", "") }},
				{"sync, space, writers", 0, func() error { return st.Sync(ctx, "there") }},
				{"a large create", 7, func() error { _, err := put(ctx, st, "large", strings.Repeat("x", 6*mib), brief); return err }},
			} {
				p.Reset()
				if err := c.do(); err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
				if n := p.Count(""); n != c.want {
					t.Errorf("versions %v, %s: want %d requests, got %d", versioned, c.name, c.want, n)
				}
			}
		}
	})
}

func counted(t *testing.T, s *s3test.Server, versioned bool) (*s3.Store, *s3test.Proxy) {
	t.Helper()
	bucket := s.Bucket
	if versioned {
		bucket = s.VersionedBucket
	}
	return inParts(t, s, bucket(t))
}

// ignore makes an answer that was to be expected none.
func ignore(err error) error {
	if err == nil {
		return errRefused
	}
	return nil
}

func readAll(t *testing.T, st storage.Store, key asset.Key) error {
	t.Helper()
	if storagetest.Content(t, st, key) == "" {
		return errRefused
	}
	return nil
}

func TestMetrics_countRequestsOfAllStores(t *testing.T) {
	t.Parallel()
	s := shared(t, "versitygw")
	registry := prometheus.NewRegistry()
	var sum float64
	for range 2 {
		c := config(t, s, s.Bucket(t), "")
		c.Metrics = registry
		st := opened(t, c)
		must(t, readErr(st.Stat(t.Context(), "absent")))
	}
	families, err := registry.Gather()
	must(t, err)
	for _, m := range families[0].GetMetric() {
		if m.GetLabel()[0].GetValue() == "head" {
			sum = m.GetCounter().GetValue()
		}
	}
	if n, err := testutil.GatherAndCount(registry, "hotfolder_s3_requests_total"); err != nil || n < 4 || sum < 2 {
		t.Errorf("%d kinds of requests, %v HEAD, %v", n, sum, err)
	}
}

func readErr(_ storage.Object, err error) error { return ignore(err) }
