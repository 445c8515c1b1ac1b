package s3

import (
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// told tells of one name, and of the folders that it is the first of.
func (l *lister) told(info minio.ObjectInfo) error {
	if l.outside != "" && strings.HasPrefix(info.Key, l.outside) {
		if l.passed++; l.passed == l.s.limits.page {
			return errOver
		}
		return nil
	}
	l.outside = ""
	rel := info.Key[len(l.below):]
	if rel == "" || l.private(rel) {
		return nil
	}
	key, err := asset.ParseKey(strings.TrimSuffix(rel, "/"))
	if err != nil {
		return l.tell(l.misnamed(rel, info))
	}
	if strings.HasSuffix(rel, "/") {
		return l.folderObject(key, info)
	}
	if stop, err := l.folders(key.Dir()); stop || err != nil {
		return err
	}
	return l.tell(object(l.prefix.Join(key), info))
}

// folderObject is a name with a slash at its end: in a flat listing an object that stands for a folder, else a folder that holds
// something. One with bytes in it is shown too, since nobody else would.
func (l *lister) folderObject(key asset.Key, info minio.ObjectInfo) error {
	if stop, err := l.folders(key); stop || err != nil {
		return err
	}
	if info.Size == 0 {
		return nil
	}
	return l.tell(l.misnamed(string(key)+"/", info))
}

// misnamed is an object that has no key, under one that shows its name.
func (l *lister) misnamed(rel string, info minio.ObjectInfo) storage.Object {
	shown := strings.ReplaceAll(url.PathEscape(rel), ".", "%2E")
	if len(shown) > asset.MaxComponent {
		shown = shown[:asset.MaxComponent]
	}
	return storage.Object{Key: l.prefix.Join(asset.Key(shown)), Kind: storage.Misnamed, Size: info.Size}
}

// private begins to pass over the store's own folder.
func (l *lister) private(rel string) bool {
	own := string(Private) + "/"
	if l.prefix != asset.Root || !strings.HasPrefix(rel, own) {
		return false
	}
	if l.o.Recursive {
		l.outside, l.passed = l.below+own, 0
	}
	return true
}

// folders tells of the folders on the way to dir that were not told yet. It reports whether dir lies in one that is not entered.
func (l *lister) folders(dir asset.Key) (stop bool, err error) {
	known := l.dir
	for known != asset.Root && known != dir {
		if _, ok := dir.Below(known); ok {
			break
		}
		known = known.Dir()
	}
	l.dir = dir
	for rest, ok := dir.Below(known); ok; rest, ok = dir.Below(known) {
		part, _, _ := strings.Cut(string(rest), "/")
		known = known.Join(asset.Key(part))
		key := l.prefix.Join(known)
		if err := l.tell(storage.Object{Key: key, Kind: storage.Directory}); err != nil {
			return true, err
		}
		if l.o.Recursive && l.o.Enter != nil && !l.o.Enter(key) {
			l.dir, l.outside, l.passed = known, l.s.below(key), 1
			return true, nil
		}
	}
	return false, nil
}

func (l *lister) tell(o storage.Object) error {
	if !l.yield(o, nil) {
		return errEnough
	}
	return nil
}
