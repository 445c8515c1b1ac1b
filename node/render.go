package node

import (
	"context"
	"image/color"
	"strconv"
	"strings"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
	"hotfolderd/thumbnails"
)

// renderer lets the walk make thumbnails by its rule. Without a room (the node has not the role) there are none.
type renderer struct{ room *thumbnails.Room }

// Render implements hotfolder.Renderer.
func (r renderer) Render(ctx context.Context, c asset.Content, bytes storage.Staged, t config.Thumbnails) (*asset.Thumbnails, error) {
	if r.room == nil || len(t.Sizes) == 0 {
		return nil, nil
	}
	c.Type, _, _ = strings.Cut(c.Type, ";") // a charset decides nothing here, and makes a sentence longer
	made, err := r.room.Generate(ctx, c, bytes, ThumbnailSpec(t))
	if err != nil {
		return nil, err
	}
	return &made, nil
}

// ThumbnailSpec is what a rule asks for.
func ThumbnailSpec(t config.Thumbnails) thumbnails.Spec {
	return thumbnails.Spec{
		Sizes: t.Sizes, Format: t.Format, Quality: t.Quality, Progressive: t.Progressive, Animated: t.Animated,
		Background: colour(t.Background), Keep: t.Keep,
	}
}

// colour reads "#rrggbb"; package config has checked it.
func colour(s string) color.NRGBA {
	if len(s) != 7 {
		return color.NRGBA{R: 255, G: 255, B: 255, A: 255}
	}
	n, _ := strconv.ParseUint(s[1:], 16, 32)
	return color.NRGBA{R: uint8(n >> 16), G: uint8(n >> 8), B: uint8(n), A: 255}
}
