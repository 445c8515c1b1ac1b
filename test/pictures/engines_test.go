package pictures_test

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/disintegration/imaging"

	"hotfolderd/thumbnails"
)

// childEnv has this program render the files that are its arguments, with the engine and to the size that it names, and end.
const childEnv = "HOTFOLDERD_PICTURES_ENGINE"

// engine makes thumbnails of files with one process, or, where it can only do one, with one for each.
type engine struct {
	name string
	argv func(size int, out string, files []string) [][]string
	only string // the kind of input that it knows; empty: all
}

// engines are those that are compared. What is not installed is said and left out: sharp needs npm.
func engines(b *testing.B) []engine {
	self, err := os.Executable()
	check(b, err)
	own := func(how string) func(int, string, []string) [][]string {
		return func(size int, _ string, files []string) [][]string {
			return [][]string{append([]string{"env", childEnv + "=" + how + " " + strconv.Itoa(size), self}, files...)}
		}
	}
	all := []engine{
		{name: "ours", argv: own("ours")},
		{name: "libvips", argv: func(size int, out string, files []string) [][]string {
			return [][]string{append([]string{"vipsthumbnail", "--size", strconv.Itoa(size), "-o", out + "/%s.jpg[Q=82]"}, files...)}
		}},
		{name: "imaging", argv: own("imaging")},
		{name: "ImageMagick", argv: each(func(size, file string) []string {
			return []string{"convert", "-define", "jpeg:size=" + twice(size), file + "[0]", "-resize", size + "x" + size, "-quality", "82", "jpeg:/dev/null"}
		})},
		{name: "GraphicsMagick", argv: each(func(size, file string) []string {
			return []string{"gm", "convert", "-size", twice(size), file + "[0]", "-resize", size + "x" + size, "-quality", "82", "jpeg:/dev/null"}
		})},
		{name: "djpeg 1/8 alone", only: ".jpg", argv: each(func(_, file string) []string {
			return []string{"djpeg", "-scale", "1/8", "-outfile", "/dev/null", file}
		})},
	}
	sharp, _ := filepath.Abs("../../bin/sharp")
	if _, err := os.Stat(filepath.Join(sharp, "node_modules", "sharp")); err != nil {
		b.Log("sharp is not installed (make tools installs it where npm can)")
		return all
	}
	const script = `const s=require("sharp");s.concurrency(1);(async()=>{for(const f of process.argv.slice(2))await s(f).rotate().resize(+process.argv[1],+process.argv[1],{fit:"inside"}).jpeg({quality:82}).toBuffer()})()`
	return append(all, engine{name: "sharp", argv: func(size int, _ string, files []string) [][]string {
		return [][]string{append([]string{"env", "NODE_PATH=" + sharp + "/node_modules", "node", "-e", script, strconv.Itoa(size)}, files...)}
	}})
}

func twice(size string) string {
	n, _ := strconv.Atoi(size)
	return fmt.Sprintf("%dx%d", 2*n, 2*n)
}

// enough is for how many of many pictures a process each is started.
const enough = 50

func each(f func(size, file string) []string) func(int, string, []string) [][]string {
	return func(size int, _ string, files []string) (all [][]string) {
		for _, file := range files[:min(len(files), enough)] {
			all = append(all, f(strconv.Itoa(size), file))
		}
		return all
	}
}

// cost is of one picture: processor, wall, and the most memory of a process.
type cost struct{ cpu, wall, mib float64 }

func (e engine) run(b *testing.B, size int, out string, files []string) cost {
	b.Helper()
	var c cost
	began, processes := time.Now(), e.argv(size, out, files)
	for _, argv := range processes {
		cmd := exec.Command(argv[0], argv[1:]...)
		var text bytes.Buffer
		cmd.Stdout, cmd.Stderr = &text, &text
		check(b, cmd.Start())
		peak := make(chan float64, 1)
		go func() { peak <- peakOf(cmd.Process.Pid) }()
		if err := cmd.Wait(); err != nil {
			b.Fatalf("%s: %v: %.500s", e.name, err, &text)
		}
		used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		c.cpu += float64(used.Utime.Nano()+used.Stime.Nano()) / 1e6
		c.mib = max(c.mib, <-peak)
	}
	n := float64(len(files))
	if len(processes) > 1 {
		n = float64(len(processes))
	}
	return cost{c.cpu / n, float64(time.Since(began).Microseconds()) / 1000 / n, c.mib}
}

// peakOf looks at the most memory that a process had, in MiB, until it ends. What wait tells has the memory of its parent in it.
func peakOf(pid int) (mib float64) {
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		_, rest, ok := strings.Cut(string(status), "VmHWM:")
		if err != nil || !ok {
			return mib
		}
		kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
		mib = max(mib, kib/1024)
		time.Sleep(time.Millisecond)
	}
}

// BenchmarkEngines makes thumbnails of the same files with each engine in turn, several rounds, and tells the medians. ours/libvips is
// the ratio of processor time. Each has one process for all files where it can: starting counts little then.
func BenchmarkEngines(b *testing.B) {
	const rounds = 3
	dir, out := b.TempDir(), b.TempDir()
	for _, in := range inputs(b, dir) {
		for _, size := range in.sizes {
			b.Run(fmt.Sprintf("%s/%d", in.name, size), func(b *testing.B) {
				all := engines(b)
				costs := make([][]cost, len(all))
				for b.Loop() {
					for range rounds {
						for i, e := range all {
							if e.only == "" || e.only == filepath.Ext(in.files[0]) {
								costs[i] = append(costs[i], e.run(b, size, out, in.files))
							}
						}
					}
				}
				tell(b, all, costs)
			})
		}
	}
}

func tell(b *testing.B, all []engine, costs [][]cost) {
	b.Helper()
	median := func(i int, f func(cost) float64) float64 {
		var v []float64
		for _, c := range costs[i] {
			v = append(v, f(c))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	cpu := func(c cost) float64 { return c.cpu }
	var text strings.Builder
	fmt.Fprintf(&text, "%-16s %10s %10s %8s %10s\n", "engine", "cpu ms", "wall ms", "MiB", "x libvips")
	for i, e := range all {
		if len(costs[i]) > 0 {
			fmt.Fprintf(&text, "%-16s %10.1f %10.1f %8.0f %10.2f\n", e.name, median(i, cpu), median(i, func(c cost) float64 { return c.wall }),
				median(i, func(c cost) float64 { return c.mib }), median(i, cpu)/median(1, cpu))
		}
	}
	b.Logf("medians of %d rounds\n%s", len(costs[0]), &text)
	b.ReportMetric(median(0, cpu), "ours-cpu-ms")
	b.ReportMetric(median(1, cpu), "libvips-cpu-ms")
	b.ReportMetric(median(0, cpu)/median(1, cpu), "ours/libvips")
}

// renderFiles is this program as an engine of its own; how is its name and the size.
func renderFiles(how string, files []string) error {
	name, text, _ := strings.Cut(how, " ")
	size, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	for _, file := range files {
		switch name {
		case "ours":
			_, err = renderFile(file, thumbnails.Spec{Sizes: []int{size}})
		default:
			m, e := imaging.Open(file, imaging.AutoOrientation(true))
			if err = e; err == nil {
				err = jpeg.Encode(io.Discard, imaging.Fit(m, size, size, imaging.Lanczos), &jpeg.Options{Quality: thumbnails.DefaultQuality})
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

func renderFile(file string, spec thumbnails.Spec) (thumbnails.Result, error) {
	f, err := os.Open(file)
	if err != nil {
		return thumbnails.Result{}, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return thumbnails.Result{}, err
	}
	return thumbnails.NewImaging().Render(context.Background(), f, info.Size(), spec, thumbnails.Limits{})
}
