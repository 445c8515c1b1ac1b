package workarea

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"hotfolderd/asset"
)

const (
	// maxFolder is how long the catalog folder of a name may be before it is replaced by a hash: what S3 allows for a key
	// (1,024 bytes), less room for the prefixes and the entry.
	maxFolder = 700
	// shortPart is how much of a part that got too long by escaping stays readable.
	shortPart = 180
	// hashMark precedes a hash. No escaped text holds it: escaping leaves "%" only before two hexadecimal digits.
	hashMark = "%~"
	// longNames holds the folders of names that are too long as a whole.
	longNames asset.Key = hashMark
)

// catalogFolder is the folder of a name below catalog/. Different names have different folders, and no part of one can be
// mistaken for an entry ("7.json").
//
// "%" and the point of a part that looks like an entry become %25 and %2E. A part that is longer than 255 bytes then is cut
// and ends in its hash; a name that is too long as a whole gets a folder in longNames.
func catalogFolder(name asset.Key) asset.Key {
	var b strings.Builder
	for part := range strings.SplitSeq(string(name), "/") {
		if b.Len() > 0 {
			b.WriteByte('/')
		}
		b.WriteString(escapePart(part))
	}
	if b.Len() > maxFolder {
		return longNames.Join(asset.Key(hashOf(string(name))))
	}
	return asset.Key(b.String())
}

func escapePart(part string) string {
	esc := strings.ReplaceAll(part, "%", "%25")
	if digitsJSON(part) {
		esc = strings.TrimSuffix(esc, recordExt) + "%2E" + recordExt[1:]
	}
	if len(esc) > asset.MaxComponent {
		return esc[:shortPart] + hashMark + hashOf(part)
	}
	return esc
}

// nameOf is the inverse of catalogFolder; false when the folder was hashed and only an entry knows the name.
func nameOf(folder asset.Key) (asset.Key, bool) {
	if strings.Contains(string(folder), hashMark) {
		return "", false
	}
	name := strings.NewReplacer("%25", "%", "%2E", ".").Replace(string(folder))
	return asset.Key(name), catalogFolder(asset.Key(name)) == folder
}

// entryName is the file of version n.
func entryName(n int) asset.Key { return asset.Key(strconv.Itoa(n) + recordExt) }

// entryNumber reads what entryName wrote, and nothing else: no sign, no leading zero.
func entryNumber(base string) (int, bool) {
	digits, ok := strings.CutSuffix(base, recordExt)
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0 && strconv.Itoa(n) == digits
}

// digitsJSON reports whether a part is digits and ".json": all that anybody could take for an entry.
func digitsJSON(part string) bool {
	digits, ok := strings.CutSuffix(part, recordExt)
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
