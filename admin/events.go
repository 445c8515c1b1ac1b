package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Times of an event stream.
const (
	heartbeat   = 15 * time.Second // so that a dead connection is found by the next write, and proxies keep a live one
	eventWrite  = 10 * time.Second // one event, to a client that reads
	resumeAfter = 2 * time.Second  // what a browser waits before it comes back
)

// events is a stream of server-sent events. It goes on after Last-Event-ID, or ?after= for the first time, with what is still
// remembered. A client that does not read is cut off: by Subscribe when it lags, by the deadline when it is dead.
func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	if s.b.Subscribe == nil {
		return notOffered("events")
	}
	after, err := resumeFrom(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return nil
	}
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		return newProblem(http.StatusServiceUnavailable, fmt.Sprintf("%d clients follow the events already", maxStreams))
	}
	s.stream(w, r, after)
	return nil
}

func resumeFrom(r *http.Request) (uint64, error) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("after")
	}
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, newProblem(http.StatusBadRequest, "Last-Event-ID and after are the number of an event")
	}
	return n, nil
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request, after uint64) {
	out := stream{w: w, c: http.NewResponseController(w)}
	only := r.URL.Query().Get("hotfolder")
	events := s.b.Subscribe(r.Context(), after)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	alive := out.send("retry: " + strconv.FormatInt(resumeAfter.Milliseconds(), 10) + "\n\n")
	for alive {
		select {
		case <-s.closing:
			return
		case <-r.Context().Done():
			return
		case <-beat.C:
			alive = out.send(": still here\n\n")
		case e, ok := <-events:
			if !ok {
				return
			}
			if only == "" || only == e.Hotfolder {
				alive = out.event(e)
			}
		}
	}
}

// stream writes one event at a time, each with its own deadline.
type stream struct {
	w http.ResponseWriter
	c *http.ResponseController
}

func (s stream) event(e Event) bool {
	data, err := json.Marshal(e) // one line: JSON escapes line ends
	if err != nil {
		return true
	}
	return s.send("id: " + strconv.FormatUint(e.ID, 10) + "\ndata: " + string(data) + "\n\n")
}

func (s stream) send(text string) bool {
	_ = s.c.SetWriteDeadline(time.Now().Add(eventWrite)) // a writer without deadlines is a test's
	if _, err := s.w.Write([]byte(text)); err != nil {
		return false
	}
	return s.c.Flush() == nil
}
