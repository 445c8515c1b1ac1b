package config

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"
)

// ParseDuration reads a duration as Go writes it: 2s, 500ms, 1h30m. A number needs its unit, only 0 stands alone;
// negative ones are refused.
func ParseDuration(s string) (Duration, error) {
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s is no duration such as 2s, 500ms or 1h30m", quoted(s))
	case d < 0:
		return 0, fmt.Errorf("%s is negative", quoted(s))
	}
	return Duration(d), nil
}

// sizeUnits are the units of a size in lower case; a plain number is bytes.
var sizeUnits = map[string]int64{
	"": 1, "b": 1,
	"k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "t": 1e12, "tb": 1e12,
	"ki": 1 << 10, "kib": 1 << 10, "mi": 1 << 20, "mib": 1 << 20, "gi": 1 << 30, "gib": 1 << 30, "ti": 1 << 40, "tib": 1 << 40,
}

var errSize = errors.New("is no size such as 512, 100KB, 1.5GiB")

// ParseSize reads a number of bytes: 512, 100KB (thousands), 1.5GiB (1024s), in any case, with or without a space before
// the unit. Negative sizes, fractions of a byte and anything over 8 EiB are refused; digits are never rounded.
func ParseSize(s string) (Size, error) {
	n, err := parseSize(s)
	if err != nil {
		return 0, fmt.Errorf("%s %w", quoted(s), err)
	}
	return n, nil
}

func parseSize(s string) (Size, error) {
	number := strings.TrimRightFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	unit, known := sizeUnits[strings.ToLower(strings.TrimSpace(s[len(number):]))]
	switch {
	case strings.HasPrefix(s, "-"):
		return 0, errors.New("is negative")
	case !known || !isDecimal(number):
		return 0, errSize
	}
	bytes, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, errSize
	}
	bytes.Mul(bytes, new(big.Rat).SetInt64(unit))
	switch {
	case !bytes.IsInt():
		return 0, errors.New("is no whole number of bytes")
	case bytes.Cmp(new(big.Rat).SetInt64(math.MaxInt64)) > 0:
		return 0, errors.New("is more than a file can have (8 EiB)")
	}
	return Size(bytes.Num().Int64()), nil
}

// isDecimal keeps what big.Rat would also read (1/3, 0x1p4, 1e999999999) out, and its work small.
func isDecimal(s string) bool {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || (point && fraction == "") || len(s) > 40 {
		return false
	}
	return strings.Trim(whole, "0123456789") == "" && strings.Trim(fraction, "0123456789") == ""
}

// MarshalText writes the duration as in a settings file, in JSON too.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [ParseDuration] reads.
func (d *Duration) UnmarshalText(b []byte) error {
	parsed, err := ParseDuration(string(b))
	*d = parsed
	return err
}

// MarshalText writes the size as in a settings file, in JSON too. Reading it back gives the same number of bytes.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what [ParseSize] reads.
func (s *Size) UnmarshalText(b []byte) error {
	parsed, err := ParseSize(string(b))
	*s = parsed
	return err
}
