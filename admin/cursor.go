package admin

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// cursorCheck is how many bytes of a cursor tell that it is ours and of the same list. It is no secret: a cursor opens nothing.
const cursorCheck = 8

// cursor carries a position to the next request. of is what the list is of: a cursor of another list is refused, since it would leave
// out what its reader has not seen.
func cursor(position string, of ...string) string {
	if position == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(cursorSum(position, of) + position))
}

// positionOf reads a cursor; an empty one is the beginning.
func positionOf(text string, of ...string) (string, error) {
	if text == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && len(raw) > cursorCheck {
		if position := string(raw[cursorCheck:]); cursorSum(position, of) == string(raw[:cursorCheck]) {
			return position, nil
		}
	}
	return "", newProblem(http.StatusBadRequest, "this cursor is not from this list: send one unchanged, with the other parameters as they "+
		"were, or begin again without").as(badCursor)
}

func cursorSum(position string, of []string) string {
	sum := sha256.Sum256([]byte(strings.Join(append(of, position), "\x00")))
	return string(sum[:cursorCheck])
}
