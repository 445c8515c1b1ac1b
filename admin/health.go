package admin

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hotfolderd/admin/access"
)

// livez says that the process answers; restarting it on anything more would make an outage of the store worse. Its header
// tells other members which start of the node answers.
func (s *Server) livez(w http.ResponseWriter, _ *http.Request) error {
	if instance := s.b.Node().Instance; instance != "" {
		w.Header().Set("Hotfolder-Instance", instance)
	}
	plain(w, http.StatusOK)
	fmt.Fprintln(w, "alive")
	return nil
}

// readyz is 200 only when active or read-only. A stalled hotfolder does not make a node unready: the others go on.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) error {
	verbose := r.URL.Query().Has("verbose")
	if verbose {
		if _, err := s.permit(w, r, access.Viewer, route{}); err != nil {
			return err
		}
	}
	state := s.b.Node().State
	status, word := http.StatusOK, "ready"
	if !state.Ready() {
		status, word = http.StatusServiceUnavailable, "not ready"
	}
	plain(w, status)
	fmt.Fprintf(w, "%s: %s\n", word, state)
	if verbose {
		for _, f := range s.folders() {
			fmt.Fprintf(w, "%-4s %s %s, %s waiting %d, in flight %d %s\n", f.Level, Visible(f.Name), f.State, Visible(f.Watching),
				f.Waiting, f.InFlight, Visible(f.Reason))
		}
	}
	return nil
}

func plain(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
}

func (s *Server) showMetrics(w http.ResponseWriter, r *http.Request) error {
	if s.o.Registry == nil {
		return notOffered("metrics")
	}
	s.metrics.show.ServeHTTP(w, r)
	return nil
}

// metrics of the HTTP itself. The nil *metrics counts nothing.
type metrics struct {
	requests *prometheus.CounterVec
	show     http.Handler
}

func newMetrics(reg *prometheus.Registry) (*metrics, error) {
	if reg == nil {
		return nil, nil
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfolder_http_requests_total", Help: "Requests answered, by route and class of status.",
		}, []string{"route", "status"}),
		show: promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: storeTimeout}),
	}
	return m, reg.Register(m.requests)
}

// request counts by the pattern of the route, so that no name from outside becomes a label.
func (m *metrics) request(pattern string, status int) {
	if m == nil {
		return
	}
	if pattern == "" {
		pattern = "none"
	}
	m.requests.WithLabelValues(pattern, statusClass(status)).Inc()
}
