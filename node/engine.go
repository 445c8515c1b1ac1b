package node

import (
	"hotfolderd/config"
	"hotfolderd/thumbnails"
)

// ThumbnailEngine is what a node with these options renders by. Of them Settings, Renderer, Programs and Log count. The room that gets it
// closes it.
func ThumbnailEngine(o Options) (thumbnails.Engine, error) {
	engine := thumbnails.NewImaging()
	if len(o.Renderer) > 0 {
		pool, err := thumbnails.NewPool(thumbnails.PoolOptions{Command: o.Renderer, Workers: o.Settings.Import.ThumbnailWorkers, Log: o.Log})
		if err != nil {
			return nil, err
		}
		engine = pool
	}
	if allowed := o.Settings.Thumbnails.Programs; len(allowed) > 0 && len(o.Programs) > 0 {
		engine = thumbnails.WithPrograms(engine, thumbnails.ProgramOptions{Allowed: allowed, Command: o.Programs})
	}
	return engine, nil
}

// ThumbnailLimits are what one picture may take.
func ThumbnailLimits(s config.Import) thumbnails.Limits {
	return thumbnails.Limits{MaxPixels: s.MaxPixels, Timeout: s.ThumbnailTimeout.D(), Memory: int64(s.ThumbnailMemory)}
}
