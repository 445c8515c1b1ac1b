package jpegscale

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// BenchmarkDecode24MP decodes a photograph of 6000 x 4000 at all scales, and beside it with image/jpeg and djpeg. All
// report the time of the processor, which is what is to be compared: djpeg is a process of its own.
func BenchmarkDecode24MP(b *testing.B) {
	ppm := scene(6000, 4000)
	for _, file := range []kind{
		{"baseline422", []string{"-quality", "92", "-sample", "2x1"}},
		{"baseline420", []string{"-quality", "92"}},
		{"progressive420", []string{"-quality", "92", "-progressive"}},
		{"progressive422", []string{"-quality", "92", "-progressive", "-sample", "2x1"}},
	} {
		data := run(b, ppm, "cjpeg", file.args...)
		for _, eighths := range Eighths() {
			b.Run(fmt.Sprintf("%s/%d of 8", file.name, eighths), func(b *testing.B) {
				measured(b, data, func() time.Duration {
					decodeOK(b, data, eighths)
					return 0
				})
			})
		}
		b.Run(file.name+"/library", func(b *testing.B) {
			measured(b, data, func() time.Duration {
				if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
					b.Fatal(err)
				}
				return 0
			})
		})
		b.Run(file.name+"/djpeg8", func(b *testing.B) {
			measured(b, data, func() time.Duration { return djpegTime(b, data) })
		})
	}
}

// BenchmarkDecode1MP is a picture of the web, whose tables cost their share.
func BenchmarkDecode1MP(b *testing.B) {
	data := run(b, scene(1200, 833), "cjpeg", "-quality", "80")
	for _, eighths := range []int{2, 4} {
		b.Run(fmt.Sprint(eighths), func(b *testing.B) {
			measured(b, data, func() time.Duration {
				decodeOK(b, data, eighths)
				return 0
			})
		})
	}
}

// measured reports the processor's time of this process, and of what f says that its child took.
func measured(b *testing.B, data []byte, f func() time.Duration) {
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	before := processor(b)
	var child time.Duration
	for b.Loop() {
		child += f()
	}
	spent := processor(b) - before
	if child > 0 {
		spent = child
	}
	b.ReportMetric(float64(spent.Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func djpegTime(b *testing.B, data []byte) time.Duration {
	cmd := exec.Command("djpeg", "-dct", "int", "-scale", "1/8")
	cmd.Stdin = bytes.NewReader(data)
	if err := cmd.Run(); err != nil {
		b.Fatal(err)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
