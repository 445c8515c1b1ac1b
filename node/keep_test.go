package node

import (
	"bytes"
	"image"
	"image/png"
	"testing"

	"hotfolderd/config"
	"hotfolderd/thumbnails"
)

// TestThumbnailSpec_knowsEveryWordOfARule: what a rule may keep is what the renderer keeps.
func TestThumbnailSpec_knowsEveryWordOfARule(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	spec := ThumbnailSpec(config.Thumbnails{Sizes: []int{8}, Keep: config.KeepWords()})
	if len(spec.Keep) == 0 {
		t.Error("want the words in the spec")
	}
	if _, err := thumbnails.NewImaging().Render(t.Context(), bytes.NewReader(b.Bytes()), int64(b.Len()), spec, thumbnails.Limits{}); err != nil {
		t.Error(err)
	}
}
