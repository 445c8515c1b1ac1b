package ftpgate

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// What [HashPassword] costs: 19 MiB and two rounds, the least that is recommended for argon2id.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	argonSalt    = 16
	argonKey     = 32

	mostMemory  = 256 << 10 // KiB that a hash in the users file may ask for
	mostTime    = 16
	mostThreads = 16
	mostBcrypt  = 15

	maxPassword = 1024 // bytes
	atATime     = 2    // hashes that are computed at the same time; each takes its memory
)

// HashPassword reads a password, the first line of r, and returns its argon2id hash for the users file.
func HashPassword(r io.Reader) (string, error) {
	text, err := bufio.NewReader(io.LimitReader(r, maxPassword+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimRight(text, "\r\n")
	switch {
	case password == "":
		return "", errors.New("the password is empty; write it to standard input, on one line")
	case len(password) > maxPassword:
		return "", fmt.Errorf("the password is longer than %d bytes", maxPassword)
	}
	h := argonHash{memory: argonMemory, time: argonTime, threads: argonThreads, salt: make([]byte, argonSalt)}
	if _, err := rand.Read(h.salt); err != nil {
		return "", fmt.Errorf("salt: %w", err)
	}
	h.key = h.derive(password, argonKey)
	return h.String(), nil
}

// argonHash is "$argon2id$v=19$m=19456,t=2,p=1$<salt>$<key>".
type argonHash struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

func (h argonHash) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.threads, b64.EncodeToString(h.salt), b64.EncodeToString(h.key))
}

func (h argonHash) derive(password string, length uint32) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, length)
}

func parseArgon(text string) (h argonHash, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return h, errors.New("expected an argon2id hash ($argon2id$v=19$...) or a bcrypt hash ($2b$...) of it")
	}
	if parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, fmt.Errorf("its version %q is not known", parts[2])
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); n != 3 || err != nil {
		return h, fmt.Errorf("its parameters %q are not those of argon2id", parts[3])
	}
	var errSalt, errKey error
	h.salt, errSalt = base64.RawStdEncoding.DecodeString(parts[4])
	h.key, errKey = base64.RawStdEncoding.DecodeString(parts[5])
	if errSalt != nil || errKey != nil || len(h.salt) < 8 || len(h.key) < 16 || len(h.key) > 128 {
		return h, errors.New("its salt or key is damaged")
	}
	if h.time < 1 || h.time > mostTime || h.threads < 1 || h.threads > mostThreads || h.memory > mostMemory {
		return h, fmt.Errorf("its parameters %q are out of bounds: at most m=%d,t=%d,p=%d", parts[3], mostMemory, mostTime, mostThreads)
	}
	return h, nil
}

func isBcrypt(hash string) bool { return strings.HasPrefix(hash, "$2") }

// checkHash says what is wrong with a hash of the users file.
func checkHash(hash string) error {
	if !isBcrypt(hash) {
		_, err := parseArgon(hash)
		return err
	}
	cost, err := bcrypt.Cost([]byte(hash))
	switch {
	case err != nil:
		return errors.New("it is no bcrypt hash")
	case cost > mostBcrypt:
		return fmt.Errorf("its bcrypt cost is %d, at most %d is allowed", cost, mostBcrypt)
	}
	return nil
}

// matches reports whether the password belongs to the hash. It takes its time.
func matches(hash, password string) bool {
	if len(password) > maxPassword {
		password = ""
	}
	if isBcrypt(hash) {
		return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil
	}
	h, err := parseArgon(hash)
	if err != nil {
		return false
	}
	return subtle.ConstantTimeCompare(h.key, h.derive(password, uint32(len(h.key)))) == 1
}

// verifier checks passwords, a few at a time: each takes much memory, and guessing must not take all of it.
type verifier struct{ slots chan struct{} }

func newVerifier() *verifier { return &verifier{make(chan struct{}, atATime)} }

// check reports whether name and password are those of a user. It takes the same time for a user that does not exist.
func (v *verifier) check(ctx context.Context, users UserSource, name, password string) (u *User, ok bool, err error) {
	u, exists := users.Lookup(name)
	if exists && u.Hash == "" {
		return u, true, nil
	}
	against := u
	if !exists {
		if against = users.Decoy(name); against == nil {
			return nil, false, nil
		}
	}
	select {
	case v.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	}
	defer func() { <-v.slots }()
	good := matches(against.Hash, password)
	return u, good && exists, nil
}
