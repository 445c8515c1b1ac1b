package s3

import (
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// version is "etag.size.second". Listings of some servers tell milliseconds; the answers about one object never do.
func version(etag string, size int64, modified time.Time) asset.Version {
	b := make([]byte, 0, len(etag)+24)
	b = append(b, etag...)
	b = append(b, '.')
	b = strconv.AppendInt(b, size, 36)
	b = append(b, '.')
	b = strconv.AppendInt(b, modified.Unix(), 36)
	return asset.Version(b)
}

// etagOf is the ETag in a version; empty when it is none of ours.
func etagOf(v asset.Version) string {
	etag := string(v)
	for range 2 {
		i := strings.LastIndexByte(etag, '.')
		if i < 0 {
			return ""
		}
		etag = etag[:i]
	}
	return etag
}

// object is a file as a server describes it.
func object(key asset.Key, info minio.ObjectInfo) storage.Object {
	changed := info.LastModified.Truncate(time.Second)
	return storage.Object{
		Key: key, Size: info.Size, ModTime: changed, Changed: changed, Version: version(info.ETag, info.Size, changed),
	}
}

// wanted checks that what is there is the version v ("" is any).
func wanted(o storage.Object, v asset.Version) error {
	if v != "" && o.Version != v {
		return storage.ErrChanged
	}
	return nil
}
