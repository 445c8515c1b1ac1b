package httpgate

import "github.com/prometheus/client_golang/prometheus"

// Results of an upload, in the metrics.
const (
	resultStored  = "stored"
	resultWaits   = "waits"
	resultRefused = "refused"
	resultCut     = "cut"
)

// metrics of a gate. No label is ever a file's name.
type metrics struct {
	uploads *prometheus.CounterVec
	bytes   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		uploads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfolder_http_uploads_total", Help: "Uploads by HTTP by way (put, tus or dav) and result: stored, waits, cut or refused.",
		}, []string{"way", "result"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hotfolder_http_upload_bytes_total", Help: "Bytes of drops that came by HTTP.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m.uploads, m.bytes)
	}
	return m
}
