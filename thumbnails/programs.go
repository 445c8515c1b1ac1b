package thumbnails

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// program is one of others: it reads a file from its standard input and writes a PNG to its standard output. Its arguments come from
// here alone.
type program struct {
	name  string
	label string // of what it reads, as people say it
	mimes []string
	match func(head []byte) bool
	argv  func(size string) []string
}

// programs are those that may be allowed.
func programs() []program {
	return []program{
		{
			"pdftoppm", "PDF",
			[]string{"application/pdf"},
			starts("%PDF-"),
			func(size string) []string { return []string{"-png", "-singlefile", "-scale-to", size, "-"} },
		},
		{
			"rsvg-convert", "SVG",
			[]string{"image/svg+xml"},
			isSVG,
			func(size string) []string {
				return []string{"--format", "png", "--keep-aspect-ratio", "--width", size, "--height", size}
			},
		},
		{
			"ffmpeg", "video",
			[]string{"video/mp4", "video/quicktime", "video/x-matroska", "video/webm", "video/x-msvideo", "video/x-m4v", "video/3gpp"},
			isVideo,
			func(size string) []string {
				return []string{
					"-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe", "-threads", "1", "-i", "/dev/stdin", "-an", "-sn", "-frames:v", "1",
					"-vf", "thumbnail=n=10,scale=" + size + ":" + size + ":force_original_aspect_ratio=decrease", "-f", "image2pipe", "-c:v", "png", "pipe:1",
				}
			},
		},
	}
}

// Programs are the names of all programs that may be allowed.
func Programs() (names []string) {
	for _, p := range programs() {
		names = append(names, p.name)
	}
	return names
}

// programPath is where programs are looked for, whatever the node's own path is.
const programPath = "/usr/local/bin:/usr/bin:/bin"

// installed is the file of a program, or empty.
func installed(name string) string {
	for _, dir := range filepath.SplitList(programPath) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	return ""
}

func isSVG(head []byte) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	return bytes.HasPrefix(text, []byte("<svg")) || bytes.HasPrefix(text, []byte("<?xml")) || bytes.HasPrefix(text, []byte("<!DOCTYPE svg"))
}

func isVideo(head []byte) bool {
	if len(head) >= 12 && string(head[4:8]) == "ftyp" {
		return !isHEIC(head) && !isAVIF(head)
	}
	return starts("\x1aE\xdf\xa3")(head) || len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "AVI "
}

// ProgramOptions of [WithPrograms].
type ProgramOptions struct {
	// Allowed are names of [Programs]. One that is not installed is as if it were not allowed.
	Allowed []string
	// Command starts a process that runs [Become]: this program's own path and a subcommand.
	Command []string
}

// withPrograms renders by programs of others what the engine below does not know.
type withPrograms struct {
	Engine
	o    ProgramOptions
	have []program
}

// WithPrograms adds programs of others to an engine, as far as they are allowed and installed: what they read becomes a PNG, and that is
// rendered by e like any other picture. Each runs for one picture, in an empty folder of its own, with the limits of time, memory, open
// files and processor that are asked for; it reaches no network and no other process, changes no file, and reads programs, libraries and
// fonts only.
func WithPrograms(e Engine, o ProgramOptions) Engine {
	w := &withPrograms{Engine: e, o: o}
	for _, p := range programs() {
		if installed(p.name) != "" && slices.Contains(o.Allowed, p.name) {
			w.have = append(w.have, p)
		}
	}
	return w
}

// Name tells which programs there are.
func (w *withPrograms) Name() string {
	name := w.Engine.Name()
	for _, p := range w.have {
		name += "+" + p.name
	}
	return name
}

// renders reports whether a program is there for the type.
func (w *withPrograms) renders(mime string) bool {
	return slices.ContainsFunc(w.have, func(p program) bool { return slices.Contains(p.mimes, mime) })
}

// Render asks a program first only when the bytes are of its kind.
func (w *withPrograms) Render(ctx context.Context, src io.ReaderAt, size int64, spec Spec, lim Limits) (Result, error) {
	head := make([]byte, 256)
	n, err := src.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return Result{}, &readError{err}
	}
	for _, p := range w.have {
		if p.match(head[:min(int64(n), size)]) {
			return w.by(ctx, p, src, size, spec, lim)
		}
	}
	return w.Engine.Render(ctx, src, size, spec, lim)
}

func (w *withPrograms) by(ctx context.Context, p program, src io.ReaderAt, size int64, spec Spec, lim Limits) (Result, error) {
	spec, err := spec.checked()
	if err != nil {
		return Result{}, err
	}
	lim = lim.orDefaults()
	if size > lim.MaxBytes {
		return Result{}, tooManyBytes(size, lim)
	}
	largest := checkSize
	if len(spec.Sizes) > 0 {
		largest = spec.Sizes[0]
	}
	picture, err := runProgram(ctx, w.o.Command, p, strconv.Itoa(largest), io.NewSectionReader(src, 0, size), lim)
	if err != nil {
		return Result{}, err
	}
	return w.Engine.Render(ctx, bytes.NewReader(picture), int64(len(picture)), spec, lim)
}

// complaint is the first line of what a program said, for people.
func complaint(said []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(strings.ToValidUTF8(string(said), "?")), "\n")
	return fmt.Sprintf("%q", clip(line))
}
