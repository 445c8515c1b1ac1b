package accounts

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/fnv"
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

	mostMemory  = 256 << 10 // KiB that a hash in a users file may ask for
	mostTime    = 16
	mostThreads = 16
	mostBcrypt  = 15

	maxPassword = 1024 // bytes
	atATime     = 2    // hashes that are computed at the same time; each takes its memory
)

// HashPassword reads a password, the first line of r, and returns its argon2id hash for a users file.
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

// CheckHash says what is wrong with a hash of a users file.
func CheckHash(hash string) error {
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

// Verifier checks passwords, a few at a time: each takes much memory, and guessing must not take all of it.
type Verifier struct{ slots chan struct{} }

// NewVerifier makes one.
func NewVerifier() *Verifier { return &Verifier{make(chan struct{}, atATime)} }

// Check reports whether the password belongs to the hash; an error says that ctx ended before it was known.
func (v *Verifier) Check(ctx context.Context, hash, password string) (bool, error) {
	select {
	case v.slots <- struct{}{}:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	defer func() { <-v.slots }()
	return matches(hash, password), nil
}

// Decoy chooses one of some hashes for a name that has none, always the same: comparing with it takes the time that comparing with
// one of its own would take. Empty when there is none.
func Decoy(name string, hashes []string) string {
	if len(hashes) == 0 {
		return ""
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return hashes[int(h.Sum32()%uint32(len(hashes)))]
}
