package ftpgate

import "github.com/prometheus/client_golang/prometheus"

// metrics of a gate. No label is ever a file's or a user's name.
type metrics struct {
	sessions prometheus.Gauge
	logins   *prometheus.CounterVec
	uploads  *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	in, out  prometheus.Counter // of bytes
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		sessions: prometheus.NewGauge(prometheus.GaugeOpts{Name: "hotfolder_ftp_sessions", Help: "FTP sessions."}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfolder_ftp_logins_total", Help: "FTP logins by result: ok or refused.",
		}, []string{"result"}),
		uploads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfolder_ftp_uploads_total", Help: "FTP uploads by hotfolder and result: stored, cut, unheard or refused.",
		}, []string{"hotfolder", "result"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfolder_ftp_bytes_total", Help: "Bytes of files over FTP by direction: in or out.",
		}, []string{"direction"}),
	}
	m.in, m.out = m.bytes.WithLabelValues("in"), m.bytes.WithLabelValues("out")
	if reg != nil {
		reg.MustRegister(m.sessions, m.logins, m.uploads, m.bytes)
	}
	return m
}
