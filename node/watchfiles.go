package node

import (
	"context"
	"slices"
	"sync"
	"time"

	"hotfolderd/asset"
	"hotfolderd/workarea/files"
)

// Between two scans of the watched files: where the kernel tells of changes, on a share, and in a bucket.
const (
	watchLocal  = time.Minute
	watchShare  = 10 * time.Second
	watchBucket = time.Minute
	dutyEvery   = time.Second
)

// watchFiles looks for files that others change on the share, where the settings say so, until ctx ends. Of several nodes the one on
// duty does it.
func (n *Node) watchFiles(ctx context.Context) {
	folders := watched(n.o.Settings.Workarea.Watch)
	if len(folders) == 0 {
		return
	}
	var work sync.WaitGroup
	defer work.Wait()
	end := func() {}
	defer func() { end() }()
	running := false
	every(ctx, dutyEvery, func() {
		duty := n.onDuty() && n.mayWrite() == nil
		if duty == running {
			return
		}
		running = duty
		if !duty {
			end()
			return
		}
		var wctx context.Context
		wctx, end = context.WithCancel(ctx)
		w := n.watch(folders)
		work.Go(func() { w.Run(wctx) })
	})
}

func (n *Node) watch(folders []asset.Key) *files.Watch {
	return &files.Watch{
		Tree: n.files, Folders: folders, Tell: n.news.Tell, Every: n.watchEvery(), Log: n.log,
		TellAll: func(ctx context.Context) error {
			_, err := n.news.ClearAll(ctx)
			return err
		},
	}
}

func (n *Node) watchEvery() time.Duration {
	switch p := n.properties; {
	case p.Flat:
		return watchBucket
	case p.Remote:
		return watchShare
	}
	return watchLocal
}

// watched are the folders of the settings; those within another are left out.
func watched(names []string) (folders []asset.Key) {
	for _, name := range names {
		if name == "*" {
			return []asset.Key{asset.Root}
		}
		folders = append(folders, asset.Key(name)) // checked with the settings
	}
	slices.Sort(folders) // a folder comes before what is in it
	var outer []asset.Key
	for _, f := range folders {
		inside := func(o asset.Key) bool { _, below := f.Below(o); return below || f == o }
		if !slices.ContainsFunc(outer, inside) {
			outer = append(outer, f)
		}
	}
	return outer
}
