package ftpgate

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"hotfolderd/accounts"
	"hotfolderd/config"
)

// Anonymous is the one account that needs no password, when the users file has it.
const Anonymous = "anonymous"

// userYAML is a user as the file has it.
type userYAML struct {
	Name         string            `yaml:"name"`
	PasswordHash string            `yaml:"password_hash"`
	Hotfolders   map[string]string `yaml:"hotfolders"`
	Permissions  *[]string         `yaml:"permissions"`
	Addresses    []string          `yaml:"addresses"`
	RequireTLS   bool              `yaml:"require_tls"`
	Limits       limitsYAML        `yaml:"limits"`
}

type limitsYAML struct {
	Sessions int         `yaml:"sessions"`
	Rate     config.Size `yaml:"rate"`
	FileSize config.Size `yaml:"file_size"`
	Daily    config.Size `yaml:"daily"`
}

// ParseUsers reads a users file; file is its name in messages. The error says every fault with its line.
func ParseUsers(file string, data []byte) (map[string]*User, error) {
	entries, err := accounts.List(file, data)
	if err != nil {
		return nil, err
	}
	users := map[string]*User{}
	var faults []error
	for _, e := range entries {
		u, err := parseUser(&e)
		if err == nil && users[u.Name] != nil {
			err = fmt.Errorf("%s is there twice", strconv.Quote(u.Name))
		}
		if err != nil {
			faults = append(faults, e.Fault(err))
			continue
		}
		users[u.Name] = u
	}
	return users, errors.Join(faults...)
}

func parseUser(e *accounts.Entry) (*User, error) {
	var y userYAML
	if err := e.Load(&y); err != nil {
		return nil, err
	}
	u := &User{
		Name: y.Name, Hash: y.PasswordHash, RequireTLS: y.RequireTLS, Permissions: DefaultPermissions, Mounts: map[string]string{},
		Limits: Limits(y.Limits),
	}
	return u, errors.Join(u.checkName(), u.setMounts(y.Hotfolders), u.setPermissions(y.Permissions), u.setAddresses(y.Addresses), u.checkLimits())
}

func (u *User) checkName() error {
	switch {
	case u.Name == "":
		return errors.New("a user has no name")
	case len(u.Name) > 64 || hasControl(u.Name):
		return errors.New("a name has at most 64 bytes, and no control characters")
	case u.Name == Anonymous && u.Hash == "":
		return nil
	case u.Hash == "":
		return fmt.Errorf("%s has no password_hash; make one by hotfolderd user hash-password", strconv.Quote(u.Name))
	}
	if err := accounts.CheckHash(u.Hash); err != nil {
		return fmt.Errorf("%s: password_hash: %w", strconv.Quote(u.Name), err)
	}
	return nil
}

func (u *User) setMounts(mounts map[string]string) error {
	if len(mounts) == 0 {
		return fmt.Errorf("%s has no hotfolders; expected a map such as { /: inbox }", strconv.Quote(u.Name))
	}
	for at, hotfolder := range mounts {
		if !path.IsAbs(at) || hasControl(at) || hotfolder == "" {
			return fmt.Errorf("%s: hotfolders: %s: %s: expected an absolute path and the name of a hotfolder", strconv.Quote(u.Name), strconv.Quote(at), strconv.Quote(hotfolder))
		}
		clean := path.Clean(at)
		if u.Mounts[clean] != "" {
			return fmt.Errorf("%s: hotfolders: %s is there twice", strconv.Quote(u.Name), strconv.Quote(clean))
		}
		u.Mounts[clean] = hotfolder
	}
	return nil
}

func (u *User) setPermissions(words *[]string) error {
	if words == nil {
		return nil
	}
	u.Permissions = 0
	for _, word := range *words {
		p := parsePermission(word)
		if p == 0 {
			return fmt.Errorf("%s: permissions: %s is none of %s", strconv.Quote(u.Name), strconv.Quote(word), strings.Join(permissionWords[:], ", "))
		}
		u.Permissions |= p
	}
	return nil
}

func (u *User) setAddresses(list []string) error {
	for _, text := range list {
		p, err := config.ParseNetwork(text)
		if err != nil {
			return fmt.Errorf("%s: addresses: %w", strconv.Quote(u.Name), err)
		}
		u.Addresses = append(u.Addresses, p)
	}
	return nil
}

func (u *User) checkLimits() error {
	if u.Limits.Sessions < 0 || u.Limits.Rate < 0 || u.Limits.FileSize < 0 || u.Limits.Daily < 0 {
		return fmt.Errorf("%s: limits: expected numbers from 0 (no limit)", strconv.Quote(u.Name))
	}
	return nil
}
