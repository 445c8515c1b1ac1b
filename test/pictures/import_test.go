package pictures_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// processor is the seconds of processor time that a process has taken.
func processor(pid int) float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100 // what Linux tells everybody
}

// steps is the sum of the seconds of each step of the walk, from the node's metrics.
func (n *node) steps() map[string]float64 {
	n.tb.Helper()
	_, _, text := n.get("/metrics")
	sums := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "hotfolder_step_duration_seconds_sum{"); ok {
			_, step, _ := strings.Cut(rest, `step="`)
			step, value, _ := strings.Cut(step, `"} `)
			seconds, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			check(n.tb, err)
			sums[step] += seconds
		}
	}
	return sums
}

// BenchmarkImports imports photographs with two thumbnails each, durable, and tells how many come through for each second of processor
// time, and which step takes the time.
func BenchmarkImports(b *testing.B) {
	dir := b.TempDir()
	for _, in := range inputs(b, dir) {
		count := map[string]int{"web-500": 500, "jpeg-24mp": 60, "jpeg-24mp-progressive": 60}[in.name]
		if count == 0 {
			continue
		}
		b.Run(in.name, func(b *testing.B) {
			for b.Loop() {
				imports(b, in, count)
			}
		})
	}
}

func imports(b *testing.B, in input, count int) {
	n := startNode(b, "", "thumbnails: { sizes: [256, 1024] }\n")
	began, before := time.Now(), processor(n.pid)
	for i := range count {
		data, err := os.ReadFile(in.files[i%len(in.files)])
		check(b, err)
		n.drop(fmt.Sprintf("%04d%s", i, filepath.Ext(in.files[0])), withSegment(data, 0xfe, number(i))) // no two are the same
	}
	within(b, 10*time.Minute, "all imported", func() bool { return n.left() == 0 })
	wall, cpu := time.Since(began).Seconds(), processor(n.pid)-before
	for _, pid := range n.workers() {
		cpu += processor(pid)
	}
	var all float64
	sums := n.steps()
	for step, s := range sums {
		if step != "settle" {
			all += s
		}
	}
	b.ReportMetric(float64(count)/wall, "photos/s")
	b.ReportMetric(float64(count)/cpu, "photos/cpu-s")
	for step, s := range sums {
		if step != "settle" {
			b.ReportMetric(100*s/all, step+"-%")
		}
	}
}
