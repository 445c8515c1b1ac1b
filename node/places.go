package node

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage/s3"
)

// placeOf is the store in which a hotfolder lies, and its folder there: all of a store of its own.
func (n *Node) placeOf(r config.Rule) (where string, prefix asset.Key) {
	if strings.Contains(r.Path, "://") {
		return r.Path, asset.Root
	}
	return n.o.Settings.Storage.URL, asset.Key(r.Path)
}

// apart refuses hotfolders that share files in a way which the rules alone do not show: by a URL that leads into the store of the
// settings, or by a link.
func (n *Node) apart(ctx context.Context, rules []config.Rule) error {
	trees := n.trees(ctx, rules)
	for i, r := range rules {
		for j, other := range trees[:i] {
			if share(trees[i], other) {
				return fmt.Errorf("hotfolders %q and %q share files, so that each drop would belong to both: give them separate folders",
					rules[j].Hotfolder, r.Hotfolder)
			}
		}
	}
	return nil
}

// trees are the folders of all hotfolders, looked for side by side: shares that do not answer are waited for once.
func (n *Node) trees(ctx context.Context, rules []config.Rule) []string {
	all := make([]string, len(rules))
	var looks sync.WaitGroup
	for i, r := range rules {
		looks.Go(func() {
			where, prefix := n.placeOf(r)
			all[i] = n.stores.treeAt(ctx, where, prefix)
		})
	}
	looks.Wait()
	return all
}

// treeAt is a folder of a store as it is found on this machine, or the URL of one in a bucket. What is no place has none.
func (s *stores) treeAt(ctx context.Context, where string, prefix asset.Key) string {
	if isBucket(where) {
		return inBucket(where, prefix)
	}
	dir, err := StoreFolder(where)
	if err != nil {
		return ""
	}
	return filepath.Join(s.paths.of(dir).follow(ctx), string(prefix))
}

// share reports whether one of two trees holds the other, or is the same.
func share(a, b string) bool {
	switch {
	case a == "" || b == "" || isBucket(a) != isBucket(b):
		return false
	case isBucket(a):
		return s3.Overlap(a, b)
	}
	return inside(a, b) || inside(b, a)
}

// outsideOwn refuses a hotfolder that lies in, or holds, the trees that the program owns: it would import its own files.
func (n *Node) outsideOwn(ctx context.Context, where string, prefix asset.Key) error {
	tree := n.stores.treeAt(ctx, where, prefix)
	for _, own := range []asset.Key{"workarea", s3.Private} {
		if at := n.stores.treeAt(ctx, n.o.Settings.Storage.URL, own); share(tree, at) {
			return fmt.Errorf("its place overlaps %s of the store, which is the work area's: give it a folder of its own", own.Quoted())
		}
	}
	return nil
}

// inBucket is the URL of a folder in the bucket of a URL.
func inBucket(where string, folder asset.Key) string {
	u, err := url.Parse(where)
	if err != nil {
		return where
	}
	u.Path, u.RawPath = path.Join("/", u.Path, string(folder)), ""
	return u.String()
}

// inside reports whether path is dir or lies in it.
func inside(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}
