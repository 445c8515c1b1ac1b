package admin

import "net/http"

// problemPrefix precedes the word for a kind of problem. The words are for programs and stay; titles and details are for people and may
// change. docs/api.md has them all.
const problemPrefix = "urn:hotfolderd:problem:"

// Words for problems that a program may decide by though they share a status.
const (
	badName   = "bad-name"   // 400
	badCursor = "bad-cursor" // 400
	badIndex  = "bad-index"  // 400
	readOnly  = "read-only"  // 503
	busy      = "busy"       // 503
	behind    = "behind"     // 503
)

// problemWords are the words where the status says enough.
var problemWords = map[int]string{
	http.StatusBadRequest:                   "bad-request",
	http.StatusUnauthorized:                 "no-token",
	http.StatusForbidden:                    "forbidden",
	http.StatusNotFound:                     "not-found",
	http.StatusMethodNotAllowed:             "method-not-allowed",
	http.StatusConflict:                     "conflict",
	http.StatusGone:                         "gone",
	http.StatusPreconditionFailed:           "condition-failed",
	http.StatusRequestEntityTooLarge:        "too-large",
	http.StatusUnsupportedMediaType:         "bad-media-type",
	http.StatusRequestedRangeNotSatisfiable: "no-such-range",
	http.StatusUnprocessableEntity:          "unprocessable",
	http.StatusTooManyRequests:              "too-many-requests",
	statusClientGone:                        "client-gone",
	http.StatusInternalServerError:          "fault",
	http.StatusNotImplemented:               "not-offered",
	http.StatusServiceUnavailable:           "not-now",
	http.StatusGatewayTimeout:               "store-timeout",
	http.StatusInsufficientStorage:          "store-full",
}

// statusClientGone marks in the metrics what nobody read the answer of.
const statusClientGone = 499

// as gives a problem a word of its own.
func (p *problem) as(word string) *problem {
	p.Type = problemPrefix + word
	return p
}

// wordOf is the word for a status; of one without a word, that for its class.
func wordOf(status int) string {
	if word, ok := problemWords[status]; ok {
		return word
	}
	if status < http.StatusInternalServerError {
		return problemWords[http.StatusBadRequest]
	}
	return problemWords[http.StatusInternalServerError]
}
