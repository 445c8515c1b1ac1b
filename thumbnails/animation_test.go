package thumbnails

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hotfolderd/asset"
)

var (
	nothing = color.NRGBA{}
	canvas  = image.Rect(0, 0, 40, 30)
)

func moving(format string, sizes ...int) Spec {
	return Spec{Sizes: sizes, Format: format, Quality: 100, Animated: true}
}

// stage is what a viewer has to see: rectangles over one another.
func stage(size image.Rectangle, fields ...patch) *image.NRGBA {
	m := image.NewNRGBA(size)
	for _, f := range fields {
		draw.Draw(m, f.at, image.NewUniform(f.colour), image.Point{}, draw.Src)
	}
	return m
}

func field(x, y, w, h int, c color.NRGBA) patch {
	return patch{at: image.Rect(x, y, x+w, y+h), colour: c}
}

func wantScenes(t *testing.T, got played, want []scene) {
	t.Helper()
	if len(got.scenes) != len(want) {
		t.Fatalf("want %d frames, got %d of %v ms", len(want), len(got.scenes), got.times())
	}
	for i, w := range want {
		g := got.scenes[i]
		if g.ms != w.ms {
			t.Errorf("frame %d: want %d ms, got %d", i, w.ms, g.ms)
		}
		for y := range w.img.Rect.Dy() {
			for x := range w.img.Rect.Dx() {
				a, b := w.img.NRGBAAt(x, y), g.img.NRGBAAt(x, y)
				if a != b && (a.A != 0 || b.A != 0) {
					t.Fatalf("frame %d, pixel %d,%d: want %v, got %v", i, x, y, a, b)
				}
			}
		}
	}
}

// TestAnimate_framesAreComposed of both formats to both, with each way of taking a frame away.
func TestAnimate_framesAreComposed(t *testing.T) {
	ground := field(0, 0, 40, 30, red)
	patches := []patch{
		{at: canvas, colour: red, ms: 50},
		{at: image.Rect(10, 10, 20, 20), colour: green, ms: 0, dispose: disposeClear},
		{at: image.Rect(20, 10, 30, 20), colour: blue, ms: 200},
		{at: image.Rect(0, 0, 10, 10), colour: yellow, hole: image.Rect(0, 0, 4, 10), ms: 10},
		{at: image.Rect(30, 20, 40, 30), colour: blue, ms: 20},
	}
	hole := field(10, 10, 10, 10, nothing)
	right := field(20, 10, 10, 10, blue)
	shine := field(4, 0, 6, 10, yellow)
	want := []scene{
		{stage(canvas, ground), 50},
		{stage(canvas, ground, field(10, 10, 10, 10, green)), 100},
		{stage(canvas, ground, hole, right), 200},
		{stage(canvas, ground, hole, right, shine), 100},
		{stage(canvas, ground, hole, right, shine, field(30, 20, 10, 10, blue)), 20},
	}
	for name, data := range map[string][]byte{"gif": asGIF(t, 40, 30, 0, patches), "webp": asMovie(t, 40, 30, 0, patches)} {
		for _, format := range []string{PNG, WebP, Auto} {
			t.Run(name+" to "+format, func(t *testing.T) {
				res := renderOK(t, data, moving(format, 40))
				if !res.Animated || res.Width != 40 || res.Height != 30 || len(res.ThumbHash) == 0 {
					t.Fatalf("want an animation of 40 x 30, got %v of %d x %d", res.Animated, res.Width, res.Height)
				}
				if format == Auto && res.Renditions[0].Format != PNG {
					t.Errorf("want auto to be a PNG, got %s", res.Renditions[0].Format)
				}
				got := play(t, res.Renditions[0])
				wantScenes(t, got, want)
				if got.plays != 0 {
					t.Errorf("want it for ever, got %d times", got.plays)
				}
			})
		}
	}
}

// TestAnimate_gifRestoresWhatWasThere, where there was something and where there was nothing.
func TestAnimate_gifRestoresWhatWasThere(t *testing.T) {
	patches := []patch{
		{at: image.Rect(0, 0, 20, 30), colour: red, ms: 100, dispose: disposeRestore},
		{at: image.Rect(10, 0, 30, 30), colour: green, ms: 100},
		{at: image.Rect(15, 5, 40, 25), colour: blue, ms: 100, dispose: disposeRestore},
		{at: image.Rect(0, 0, 2, 2), colour: yellow, ms: 100},
	}
	for _, format := range []string{PNG, WebP} {
		got := play(t, renderOK(t, asGIF(t, 40, 30, -1, patches), moving(format, 64)).Renditions[0])
		wantScenes(t, got, []scene{
			{stage(canvas, field(0, 0, 20, 30, red)), 100},
			{stage(canvas, field(10, 0, 20, 30, green)), 100},
			{stage(canvas, field(10, 0, 20, 30, green), field(15, 5, 25, 20, blue)), 100},
			{stage(canvas, field(10, 0, 20, 30, green), field(0, 0, 2, 2, yellow)), 100},
		})
		if got.plays != 1 {
			t.Errorf("want it once, got %d times", got.plays)
		}
	}
}

// TestAnimate_opaqueUntilTheEnd: what begins opaque may become transparent by a frame that replaces.
func TestAnimate_opaqueUntilTheEnd(t *testing.T) {
	patches := []patch{
		{at: canvas, colour: red, ms: 100},
		{at: image.Rect(10, 10, 20, 20), colour: green, hole: image.Rect(12, 12, 20, 20), ms: 100, replace: true},
	}
	got := play(t, renderOK(t, asMovie(t, 40, 30, 3, patches), moving(PNG, 40)).Renditions[0])
	wantScenes(t, got, []scene{
		{stage(canvas, field(0, 0, 40, 30, red)), 100},
		{stage(canvas, field(0, 0, 40, 30, red), field(10, 10, 10, 10, green), field(12, 12, 8, 8, nothing)), 100},
	})
	if got.plays != 3 {
		t.Errorf("want it three times, got %d", got.plays)
	}
}

// TestAnimate_halfTransparentFramesAreLaidOver what is there, as libwebp does.
func TestAnimate_halfTransparentFramesAreLaidOver(t *testing.T) {
	data := asMovie(t, 40, 30, 0, []patch{
		{at: image.Rect(0, 0, 20, 30), colour: color.NRGBA{200, 0, 0, 255}, ms: 100},
		{at: canvas, colour: color.NRGBA{0, 100, 200, 128}, ms: 100},
		{at: canvas, colour: color.NRGBA{250, 250, 0, 64}, ms: 100},
	})
	want := playWebP(t, data)
	got := play(t, renderOK(t, data, moving(PNG, 40)).Renditions[0])
	for i := range want.scenes {
		for _, x := range []int{5, 35} {
			near(t, got.scenes[i].img, x, 15, want.scenes[i].img.NRGBAAt(x, 15), 3)
		}
	}
}

// TestAnimate_loops: a GIF says how often it is repeated, the others how often it is shown.
func TestAnimate_loops(t *testing.T) {
	two := []patch{{at: canvas, colour: red, ms: 50}, {at: canvas, colour: blue, ms: 50}}
	for loops, want := range map[int]int{-1: 1, 0: 0, 1: 2, 7: 8, 65535: 65536} {
		data := asGIF(t, 40, 30, loops, two)
		if got := play(t, renderOK(t, data, moving(PNG, 20)).Renditions[0]).plays; got != want {
			t.Errorf("%d: want a PNG shown %d times, got %d", loops, want, got)
		}
		if got := play(t, renderOK(t, data, moving(WebP, 20)).Renditions[0]).plays; got != min(want, 65535) {
			t.Errorf("%d: want a WebP shown %d times, got %d", loops, want, got)
		}
	}
}

// TestAnimate_longTimes: a PNG counts in coarser parts of a second then.
func TestAnimate_longTimes(t *testing.T) {
	data := asGIF(t, 40, 30, 0, []patch{{at: canvas, colour: red, ms: 655350}, {at: canvas, colour: blue, ms: 65530}})
	for _, format := range []string{PNG, WebP} {
		if got := play(t, renderOK(t, data, moving(format, 20)).Renditions[0]).times(); !slices.Equal(got, []int{655300, 65530}) && !slices.Equal(got, []int{655350, 65530}) {
			t.Errorf("%s: got %v", format, got)
		}
	}
}

// TestAnimate_sizes: each is an animation, the largest ones of a small picture the same.
func TestAnimate_sizes(t *testing.T) {
	data := asGIF(t, 400, 200, 0, []patch{
		{at: image.Rect(0, 0, 400, 200), colour: red, ms: 50},
		{at: image.Rect(100, 0, 200, 200), colour: blue, ms: 70},
		{at: image.Rect(300, 0, 400, 200), colour: green, ms: 90},
	})
	for _, format := range []string{PNG, WebP} {
		spec := moving(format, 1024, 512, 256, 100)
		spec.Quality = 80
		res := renderOK(t, data, spec)
		widths := []int{400, 400, 256, 100}
		for i, r := range res.Renditions {
			if r.Size != spec.Sizes[i] || r.Width != widths[i] || r.Height != widths[i]/2 {
				t.Errorf("%d: want %d pixels, got %d x %d of %d", spec.Sizes[i], widths[i], r.Width, r.Height, r.Size)
			}
			got := play(t, r)
			if !slices.Equal(got.times(), []int{50, 70, 90}) {
				t.Errorf("%d: got %v ms", r.Size, got.times())
			}
			last := got.scenes[len(got.scenes)-1].img
			for x, c := range map[int]color.NRGBA{1: red, 3: blue, 5: red, 7: green} {
				near(t, last, x*r.Width/8, r.Height/2, c, 12)
			}
		}
		if !bytes.Equal(res.Renditions[0].Data, res.Renditions[1].Data) {
			t.Errorf("%s: want one file for both of the largest", format)
		}
	}
}

// TestAnimate_isWhatOthersRead has ffmpeg and libwebp's own program read what comes out.
func TestAnimate_isWhatOthersRead(t *testing.T) {
	data := asGIF(t, 90, 60, 0, []patch{
		{at: image.Rect(0, 0, 90, 60), colour: red, ms: 100},
		{at: image.Rect(10, 10, 50, 50), colour: green, ms: 100, dispose: disposeClear},
		{at: image.Rect(41, 31, 80, 60), colour: blue, ms: 100},
	})
	r := renderOK(t, data, moving(PNG, 60)).Renditions[0]
	apng, webpFile := filepath.Join(t.TempDir(), "a.png"), filepath.Join(t.TempDir(), "a.webp")
	if err := errors.Join(os.WriteFile(apng, r.Data, 0o600), os.WriteFile(webpFile, renderOK(t, data, moving(WebP, 60)).Renditions[0].Data, 0o600)); err != nil {
		t.Fatal(err)
	}
	var want []byte
	for _, s := range play(t, r).scenes {
		want = append(want, s.img.Pix...)
	}
	got := piped(t, nil, "ffmpeg", "-v", "error", "-f", "apng", "-i", apng, "-vsync", "0", "-f", "rawvideo", "-pix_fmt", "rgba", "-")
	if !bytes.Equal(want, got) {
		t.Errorf("want the same %d bytes from ffmpeg, got %d", len(want), len(got))
	}
	out, err := exec.Command("webpinfo", webpFile).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "No error detected") || strings.Count(string(out), "ANMF") != 3 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestAnimate_onlyByRuleAndOnlyWhatMoves: else it is to the last byte what it always was.
func TestAnimate_onlyByRuleAndOnlyWhatMoves(t *testing.T) {
	two := []patch{{at: canvas, colour: red, ms: 50}, {at: canvas, colour: blue, ms: 50}}
	for name, c := range map[string]struct {
		data   []byte
		format string
	}{
		"jpeg":            {asGIF(t, 40, 30, 0, two), JPEG},
		"one frame":       {asGIF(t, 40, 30, 0, two[:1]), PNG},
		"one frame, webp": {asMovie(t, 40, 30, 0, two[:1]), PNG},
		"nothing changes": {asGIF(t, 40, 30, 0, []patch{two[0], two[0], two[0]}), WebP},
		"a still":         {asPNG(t, quarters(40, 30)), WebP},
		"a still, webp":   {asWebP(t, ripples(40, 30), 90), Auto},
	} {
		spec := moving(c.format, 40, 20)
		got := renderOK(t, c.data, spec)
		spec.Animated = false
		if want := renderOK(t, c.data, spec); got.Animated || fmt.Sprint(want) != fmt.Sprint(got) {
			t.Errorf("%s: want the first frame, got an animation: %v", name, got.Animated)
		}
	}
}

// TestAnimate_damagedLater is what comes before the damage.
func TestAnimate_damagedLater(t *testing.T) {
	var patches []patch
	for i := range 6 {
		patches = append(patches, patch{at: image.Rect(6*i, 0, 6*i+6, 30), colour: [2]color.NRGBA{red, blue}[i%2], ms: 100})
	}
	for name, data := range map[string][]byte{"gif": asGIF(t, 40, 30, 0, patches), "webp": asMovie(t, 40, 30, 0, patches)} {
		whole := play(t, renderOK(t, data, moving(PNG, 40)).Renditions[0])
		cut := play(t, renderOK(t, data[:len(data)*3/4], moving(PNG, 40)).Renditions[0])
		if n := len(cut.scenes); n < 2 || n > 5 {
			t.Fatalf("%s: want 2 to 5 frames of 6, got %d", name, n)
		}
		wantScenes(t, cut, whole.scenes[:len(cut.scenes)])
	}
	bad := asMovie(t, 40, 30, 0, patches)
	at := bytes.LastIndex(bytes.Clone(bad[:len(bad)-60]), []byte("VP8L"))
	bad[at+8] ^= 0xff // what begins a lossless picture
	if n := len(play(t, renderOK(t, bad, moving(PNG, 40)).Renditions[0]).scenes); n < 2 || n > 5 {
		t.Errorf("a spoiled frame: want those before it, got %d", n)
	}
}

// TestAnimate_hangingOverTheEdge is cut, as in browsers.
func TestAnimate_hangingOverTheEdge(t *testing.T) {
	data := asGIF(t, 60, 50, 0, []patch{{at: image.Rect(0, 0, 40, 30), colour: red, ms: 100}, {at: image.Rect(30, 20, 60, 50), colour: blue, ms: 100, dispose: disposeRestore}, {at: image.Rect(50, 40, 60, 50), colour: blue, ms: 100}})
	data[6], data[8] = 40, 30
	wantScenes(t, play(t, renderOK(t, data, moving(PNG, 40)).Renditions[0]), []scene{
		{stage(canvas, field(0, 0, 40, 30, red)), 100},
		{stage(canvas, field(0, 0, 40, 30, red), field(30, 20, 10, 10, blue)), 100},
		{stage(canvas, field(0, 0, 40, 30, red)), 100},
	})
}

func flicker(n int, at image.Rectangle) (all []patch) {
	for i := range n {
		all = append(all, patch{at: at, colour: color.NRGBA{byte(i), byte(i >> 4), 90, 255}, ms: 30 + 10*(i%2)})
	}
	return all
}

// TestAnimate_manyFramesAreThinnedOut, and take as long as before; of too many there is the first.
func TestAnimate_manyFramesAreThinnedOut(t *testing.T) {
	small := image.Rect(0, 0, 6, 6)
	got := play(t, renderOK(t, asGIF(t, 6, 6, 0, flicker(700, small)), moving(PNG, 6)).Renditions[0])
	if len(got.scenes) != maxShown || got.total() != 700*35 {
		t.Errorf("want %d frames of %d ms, got %d of %d", maxShown, 700*35, len(got.scenes), got.total())
	}
	if longest := slices.Max(got.times()); longest > 3*40 {
		t.Errorf("want them evenly, got %d ms", longest)
	}
	for n, want := range map[int]bool{maxCels: true, maxCels + 1: false, 3 * maxCels: false} {
		if res := renderOK(t, asGIF(t, 6, 6, 0, flicker(n, small)), moving(PNG, 6)); res.Animated != want {
			t.Errorf("%d frames: want animated to be %v", n, want)
		}
	}
}

// TestAnimate_pixelsHaveBounds: of one frame, of all that are decoded, and of all that are shown.
func TestAnimate_pixelsHaveBounds(t *testing.T) {
	at := image.Rect(0, 0, 100, 80)
	lim := Limits{MaxPixels: canvasShare * 8000}
	animated := func(data []byte, lim Limits, sizes ...int) Result {
		t.Helper()
		res, err := NewImaging().Render(t.Context(), bytes.NewReader(data), int64(len(data)), moving(PNG, sizes...), lim)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	for _, c := range []struct {
		frames int
		lim    Limits
		want   bool
	}{{16, lim, true}, {17, lim, false}, {2, Limits{MaxPixels: lim.MaxPixels - 4}, false}} {
		if res := animated(asGIF(t, 100, 80, 0, flicker(c.frames, at)), c.lim, 50); res.Animated != c.want {
			t.Errorf("%d frames of 8000 pixels, %d allowed: want animated to be %v", c.frames, c.lim.MaxPixels, c.want)
		}
	}
	wide := append(flicker(2, at), patch{at: image.Rect(0, 0, 200, 80), colour: red})
	data := asGIF(t, 200, 80, 0, wide)
	data[6] = 100
	if animated(data, lim, 50).Animated {
		t.Error("want no frame decoded that is larger than a canvas may be")
	}
	tiny := flicker(200, image.Rect(0, 0, 2, 2))
	tiny[0].at = image.Rect(0, 0, 1000, 800)
	if got := len(play(t, animated(asGIF(t, 1000, 800, 0, tiny), Limits{}, 1000).Renditions[0]).scenes); got != shownPixels/800_000 {
		t.Errorf("want %d frames of 1000 x 800, got %d", shownPixels/800_000, got)
	}
}

// TestAnimate_noTimeAndNoRoom leave the first frame.
func TestAnimate_noTimeAndNoRoom(t *testing.T) {
	data := asGIF(t, 40, 30, 0, flicker(5, canvas))
	m, err := measure(newSource(t.Context(), bytes.NewReader(data), int64(len(data))), Limits{}.orDefaults())
	if err != nil {
		t.Fatal(err)
	}
	late, cancel := context.WithCancel(t.Context())
	cancel()
	p := newProjector(m, encoder{spec: moving(PNG, 40)}, readMovie(m), Result{})
	if enough, err := p.run(late, 5); enough || err != nil {
		t.Errorf("without time: want no animation and no error, got %v, %v", enough, err)
	}
	p.strips[0].bytes = animationBytes
	if enough, err := p.run(t.Context(), 5); enough || err != nil {
		t.Errorf("without room: want no animation and no error, got %v, %v", enough, err)
	}
}

// TestAnimate_sourceThatFailsLater is no damage: the walk tries again. What is before the second frame is more than is read ahead.
func TestAnimate_sourceThatFailsLater(t *testing.T) {
	data := asMovie(t, 40, 30, 0, []patch{{at: canvas, colour: red, ms: 90}, {at: canvas, colour: blue, ms: 90}})
	last := bytes.LastIndex(data, []byte("ANMF"))
	data = riff(data[12:last], riffChunk("PADS", make([]byte, 200<<10)), data[last:])
	if !renderOK(t, data, moving(PNG, 40)).Animated {
		t.Fatal("want an animation of a source that does not fail")
	}
	src := &failingAfter{Reader: bytes.NewReader(data), from: int64(len(data) - 4)}
	if _, err := NewImaging().Render(t.Context(), src, int64(len(data)), Spec{Sizes: []int{40}}, Limits{}); err != nil {
		t.Fatalf("want the first frame, got %v", err)
	}
	_, err := NewImaging().Render(t.Context(), src, int64(len(data)), moving(PNG, 40), Limits{})
	if !errors.Is(err, errNoDisk) {
		t.Errorf("want what the disk says, got %v", err)
	}
}

var errNoDisk = errors.New("the disk is gone")

type failingAfter struct {
	*bytes.Reader
	from int64
}

func (f *failingAfter) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		return 0, errNoDisk
	}
	return f.Reader.ReadAt(p, off)
}

// TestGenerate_animated: the record, the names and what is found follow the rule, and a rebuild makes the other kind.
func TestGenerate_animated(t *testing.T) {
	rt := newRoom(t)
	data := asGIF(t, 40, 30, 0, flicker(5, canvas))
	c := content(data, "image/gif")
	for _, format := range []string{Auto, WebP} {
		spec := moving(format, 40, 20)
		want := map[string]string{Auto: PNG, WebP: WebP}[format]
		for range 2 {
			if got := rt.generate(data, "image/gif", spec); got.Format != want || got.Error != "" {
				t.Errorf("%s: want %s in the record, got %v", format, want, got)
			}
		}
		for _, size := range spec.Sizes {
			if n := len(play(t, Rendition{Format: want, Data: rt.made(c.Hash, size, format), Width: size, Height: size * 3 / 4}).scenes); n != 5 {
				t.Errorf("%s of %d: want 5 frames, got %d", format, size, n)
			}
		}
		if flaws, err := rt.room.Inspect(t.Context(), c.Hash, spec); err != nil || len(flaws) != 0 {
			t.Errorf("%s: want no flaws, got %v, %v", format, flaws, err)
		}
	}
	if got := rt.engine.calls; got != 2 {
		t.Errorf("want both made once, got %d", got)
	}
	if err := rt.room.Forget(t.Context(), c.Hash); err != nil {
		t.Fatal(err)
	}
	still := Spec{Sizes: []int{40}, Format: Auto}
	if got := rt.generate(data, "image/gif", still); got.Format != JPEG {
		t.Errorf("want a JPEG without the rule, got %v", got)
	}
}

func (rt *roomTest) made(h asset.Hash, size int, format string) []byte {
	rt.Helper()
	rd, err := rt.room.Open(rt.Context(), h, size, format)
	if err != nil {
		rt.Fatal(err)
	}
	defer func() { _ = rd.Close() }()
	return readAll(rt.T, rd)
}

// TestFlaw_ofAnimations: each frame of a WebP is looked at, and the end of both.
func TestFlaw_ofAnimations(t *testing.T) {
	data := asGIF(t, 40, 30, 0, flicker(5, canvas))
	for _, format := range []string{PNG, WebP} {
		good := renderOK(t, data, moving(format, 40)).Renditions[0].Data
		if got := flaw(t.Context(), good, 40, format); got != "" {
			t.Errorf("%s: want none, got %q", format, got)
		}
		spoiled := bytes.Clone(good)
		spoiled[bytes.LastIndex(spoiled, []byte(map[string]string{PNG: "fdAT", WebP: "VP8L"}[format]))+8] ^= 0xff
		last := bytes.LastIndex(good, []byte("ANMF"))
		for name, bad := range map[string][]byte{"cut": good[:len(good)-20], "spoiled": spoiled, "a frame less": good[:max(last, len(good)-40)]} {
			if got := flaw(t.Context(), bad, 40, format); got == "" {
				t.Errorf("%s, %s: want it told, got nothing", format, name)
			}
		}
	}
	long := asMovie(t, 40, 30, 0, flicker(maxShown+1, image.Rect(0, 0, 2, 2)))
	if got := flaw(t.Context(), long, 40, WebP); got == "" {
		t.Error("want more frames than are ever made refused")
	}
}

// TestAnimate_wordsStay: what a rule keeps is in what moves, too.
func TestAnimate_wordsStay(t *testing.T) {
	data := asMovie(t, 40, 30, 0, flicker(5, canvas))
	data = webpWithPacket(data, 40, 30, xmpOf(owners))
	for _, format := range []string{PNG, WebP} {
		spec := moving(format, 40, 20)
		spec.Keep = keepWords()
		for _, r := range renderOK(t, data, spec).Renditions {
			if n := len(play(t, r).scenes); n != 5 {
				t.Errorf("%s: want 5 frames, got %d", format, n)
			}
			if got := xmpIn(t, r); len(got) == 0 {
				t.Errorf("%s: want the words, got none", format)
			}
			if got := flaw(t.Context(), r.Data, r.Size, format); got != "" {
				t.Errorf("%s: want no flaw, got %q", format, got)
			}
		}
	}
}

// TestPool_animations are what they are in this process.
func TestPool_animations(t *testing.T) {
	e := testPool(t, "imaging", 1)
	data := asGIF(t, 40, 30, 0, flicker(9, canvas))
	spec := moving(Auto, 40, 20)
	want := renderOK(t, data, spec)
	got, err := e.Render(t.Context(), bytes.NewReader(data), int64(len(data)), spec, Limits{})
	if err != nil || !got.Animated || fmt.Sprint(want) != fmt.Sprint(got) {
		t.Errorf("want the same from a child, got animated %v, %v", got.Animated, err)
	}
}
