package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
)

// MinToken is how many characters a token has at least; a shorter one could be guessed.
const MinToken = 16

// Tokens are those of an admin without a name: all of them are accepted, so that another one can come in at one node after the other.
// The first is the one that a node shows to others and signs cookies by. Without any, whoever reaches the node is an admin.
type Tokens []string

// ParseTokens reads a file of tokens, one a line; empty lines and white space around a token do not count. A file without any is
// refused, since it would look like none, and so is one with a token that [CheckToken] refuses.
func ParseTokens(file string, data []byte) (Tokens, error) {
	all := Lines(data)
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: there is no token in it", file)
	}
	for _, token := range all {
		if err := CheckToken(token); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return all, nil
}

// Lines are the tokens in a file, whatever they are. Whoever shows one, and accepts none, shows the first.
func Lines(data []byte) (all Tokens) {
	for line := range strings.Lines(string(data)) {
		if token := strings.TrimSpace(line); token != "" {
			all = append(all, token)
		}
	}
	return all
}

// First is the token that is shown to others; empty when there is none.
func (t Tokens) First() string {
	if len(t) == 0 {
		return ""
	}
	return t[0]
}

// have reports whether a token is one of them, in a time that does not tell which, or how much of it.
func (t Tokens) have(shown string) bool {
	sum, found := sha256.Sum256([]byte(shown)), 0
	for _, token := range t {
		right := sha256.Sum256([]byte(token))
		found |= subtle.ConstantTimeCompare(sum[:], right[:])
	}
	return found == 1
}

// CheckToken refuses a token that could be guessed, or that no request can carry.
func CheckToken(token string) error {
	switch {
	case len(token) < MinToken:
		return fmt.Errorf("the token has %d characters: at least %d are needed, chosen at random", len(token), MinToken)
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("the token holds a space or a character beyond ASCII, which a header cannot carry")
	}
	return nil
}
