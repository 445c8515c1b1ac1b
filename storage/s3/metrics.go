package s3

import (
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

// The kinds of requests, as the metric says them.
const (
	reqGet    = "get"
	reqHead   = "head"
	reqList   = "list"
	reqPut    = "put"
	reqCopy   = "copy"
	reqUpload = "upload" // the steps of a large object
	reqDelete = "delete"
	reqOther  = "other"
)

// requests counts what is sent to a server, repeated ones too.
type requests struct{ sent *prometheus.CounterVec }

func newRequests(r prometheus.Registerer) (*requests, error) {
	sent := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hotfolder_s3_requests_total",
		Help: "Requests sent to S3 servers, repeated ones too.",
	}, []string{"request"})
	if r == nil {
		return &requests{sent}, nil
	}
	err := r.Register(sent)
	var earlier prometheus.AlreadyRegisteredError
	if errors.As(err, &earlier) {
		if same, ok := earlier.ExistingCollector.(*prometheus.CounterVec); ok {
			return &requests{same}, nil
		}
	}
	return &requests{sent}, err
}

func kindOf(r *http.Request) string {
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodGet && (query.Has("list-type") || query.Has("versions")):
		return reqList
	case r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") != "":
		return reqCopy
	case query.Has("uploadId") || query.Has("uploads"):
		return reqUpload
	}
	switch r.Method {
	case http.MethodGet:
		return reqGet
	case http.MethodHead:
		return reqHead
	case http.MethodPut:
		return reqPut
	case http.MethodDelete:
		return reqDelete
	}
	return reqOther
}
