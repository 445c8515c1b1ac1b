package thumbnails

import (
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	took    *prometheus.HistogramVec
	renders *prometheus.CounterVec
	hits    prometheus.Counter
	renewed prometheus.Counter
}

func newMetrics(r prometheus.Registerer) metrics {
	f := promauto.With(r)
	return metrics{
		took: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hotfolder_render_duration_seconds", Help: "Time to render all thumbnails of one image, by the original's format.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 60},
		}, []string{"format"}),
		renders: f.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfolder_renders_total", Help: "Images rendered or not, by result: ok, what was wrong with the image, or error.",
		}, []string{"result"}),
		hits: f.NewCounter(prometheus.CounterOpts{
			Name: "hotfolder_image_cache_hits_total", Help: "Times that all thumbnails of an image were there already.",
		}),
		renewed: f.NewCounter(prometheus.CounterOpts{
			Name: "hotfolder_image_cache_renewed_total", Help: "Thumbnails that were written again because they are in use, so that they are not swept.",
		}),
	}
}

func (m metrics) hit(there bool) {
	if there {
		m.hits.Inc()
	}
}

// rendered counts one rendering; mime is one of [Renders], so that the label stays small.
func (m metrics) rendered(mime string, took time.Duration, err error) {
	var fault *Error
	result := "ok"
	switch {
	case errors.As(err, &fault):
		result = fault.Kind.String()
	case err != nil:
		result = "error"
	}
	m.renders.WithLabelValues(result).Inc()
	m.took.WithLabelValues(strings.ToLower(label(mime))).Observe(took.Seconds())
}
