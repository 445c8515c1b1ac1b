package jobs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"hotfolderd/workarea/jobs"
)

func TestMetrics_areOfWhatTheSweepSaw(t *testing.T) {
	onStores(t, hour, func(t *testing.T, h *house) {
		reg := prometheus.NewPedanticRegistry()
		sweeper := jobs.New(jobs.Options{Store: h.stores[2], Node: "sweeper", Instance: "sweeper", Limits: hour, Metrics: reg})
		defer sweeper.Close()
		const names = "hotfolder_jobs hotfolder_jobs_bytes hotfolder_jobs_expired_total"
		want := func(jobs, bytes, expired string) {
			t.Helper()
			text := fmt.Sprintf(measured, jobs, bytes, expired)
			if err := testutil.GatherAndCompare(reg, strings.NewReader(text), strings.Fields(names)...); err != nil {
				t.Error(err)
			}
		}
		sweep := func() int {
			t.Helper()
			n, err := sweeper.Sweep(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		h.create(jobs.Wanted{})
		h.create(jobs.Wanted{TTL: 3 * time.Second})
		ended := h.create(jobs.Wanted{})
		sweep()
		want("3", "0", "0")
		if err := h.nodes[0].End(t.Context(), ended.ID); err != nil {
			t.Fatal(err)
		}
		within(t, "one has expired", func() bool { return sweep() == 1 })
		want("1", "0", "1")
		sweeper.Rest()
		want("0", "0", "1")
	})
}

const measured = `
# HELP hotfolder_jobs Batch jobs that live, when this node swept them last; 0 where another node sweeps.
# TYPE hotfolder_jobs gauge
hotfolder_jobs %s
# HELP hotfolder_jobs_bytes Bytes of their files, as their notes have it.
# TYPE hotfolder_jobs_bytes gauge
hotfolder_jobs_bytes %s
# HELP hotfolder_jobs_expired_total Batch jobs that this node ended because nobody used them any more.
# TYPE hotfolder_jobs_expired_total counter
hotfolder_jobs_expired_total %s
`
