package access

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hotfolderd/accounts"
)

// User is somebody of the users file.
type User struct {
	Name         string
	Role         Role
	TokenHash    string // SHA-256 of a long random token, in hex; empty: none
	PasswordHash string // as hotfolderd user hash-password makes it; empty: none
}

// credentials are what ends the user's sessions when it changes.
func (u *User) credentials() string { return u.TokenHash + " " + u.PasswordHash }

// Users are all that are known. The nil *Users is nobody.
type Users struct {
	byName  map[string]*User
	byToken map[string]*User // by TokenHash
	hashes  []string         // of passwords, sorted
}

// ParseUsers reads a users file; file is its name in messages. The error says every fault with its line.
func ParseUsers(file string, data []byte) (*Users, error) {
	entries, err := accounts.List(file, data)
	if err != nil {
		return nil, err
	}
	all := &Users{byName: map[string]*User{}, byToken: map[string]*User{}}
	var faults []error
	for _, e := range entries {
		u, err := parseUser(&e)
		if err == nil {
			err = all.add(u)
		}
		if err != nil {
			faults = append(faults, e.Fault(err))
		}
	}
	slices.Sort(all.hashes)
	return all, errors.Join(faults...)
}

func parseUser(e *accounts.Entry) (*User, error) {
	var y struct {
		Name         string `yaml:"name"`
		Role         string `yaml:"role"`
		TokenHash    string `yaml:"token_hash"`
		PasswordHash string `yaml:"password_hash"`
	}
	if err := e.Load(&y); err != nil {
		return nil, err
	}
	role, err := ParseRole(y.Role)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strconv.Quote(y.Name), err)
	}
	u := &User{y.Name, role, strings.ToLower(y.TokenHash), y.PasswordHash}
	return u, u.check()
}

func (u *User) check() error {
	quoted := strconv.Quote(u.Name)
	switch sum, err := hex.DecodeString(u.TokenHash); {
	case u.Name == "":
		return errors.New("a user has no name")
	case len(u.Name) > 64 || strings.ContainsFunc(u.Name, func(r rune) bool { return !strconv.IsPrint(r) || r == ':' }):
		return errors.New(quoted + ": a name has at most 64 bytes, no colon, and nothing that cannot be seen")
	case u.TokenHash == "" && u.PasswordHash == "":
		return errors.New(quoted + " has neither token_hash nor password_hash; make them by hotfolderd user new-token and hotfolderd user hash-password")
	case err != nil || u.TokenHash != "" && len(sum) != sha256.Size:
		return errors.New(quoted + ": token_hash: expected the SHA-256 of a token, 64 hexadecimal digits")
	case u.PasswordHash == "":
		return nil
	}
	if err := accounts.CheckHash(u.PasswordHash); err != nil {
		return fmt.Errorf("%s: password_hash: %w", quoted, err)
	}
	return nil
}

func (a *Users) add(u *User) error {
	switch {
	case a.byName[u.Name] != nil:
		return fmt.Errorf("%s is there twice", strconv.Quote(u.Name))
	case u.TokenHash != "" && a.byToken[u.TokenHash] != nil:
		return fmt.Errorf("%s has the token of %s", strconv.Quote(u.Name), strconv.Quote(a.byToken[u.TokenHash].Name))
	}
	a.byName[u.Name] = u
	if u.TokenHash != "" {
		a.byToken[u.TokenHash] = u
	}
	if u.PasswordHash != "" {
		a.hashes = append(a.hashes, u.PasswordHash)
	}
	return nil
}

func (a *Users) named(name string) *User {
	if a == nil {
		return nil
	}
	return a.byName[name]
}

// ofToken finds whose token it is. What is compared are hashes, so that time tells nothing of a token.
func (a *Users) ofToken(token string) *User {
	if a == nil {
		return nil
	}
	return a.byToken[HashToken(token)]
}

// HashToken is what a users file has of a token.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
