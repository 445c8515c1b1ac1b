package workarea

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"hotfolderd/asset"
)

const (
	// maxPath is how long the path of a name may be before it is replaced by a hash: what S3 allows for a key (1,024 bytes),
	// less room for the prefixes and the entry.
	maxPath = 700
	// shortPart is how much of a part that got too long by escaping stays readable.
	shortPart = 180
	// hashMark precedes a hash. No escaped text holds it: escaping leaves "%" only before two hexadecimal digits.
	hashMark = "%~"
	// longNames holds the stems of names that are too long as a whole.
	longNames asset.Key = hashMark
	// firstExt makes the stem of a name its version 1.
	firstExt = ".1" + recordExt
	// laterExt makes the stem of a name the folder of its other versions.
	laterExt = ".v"
)

// catalogStem is where the entries of a name are below catalog/: version 1 is <stem>.1.json and version n is
// <stem>.v/<n>.json, since most names have one version, and a folder for each would cost more than the entry. Names below
// the name have <stem>/ before theirs. Different names have different stems, and no part of one ends as an entry or a
// folder of versions does.
//
// "%" becomes %25, and the last point of a part that ends in ".7.json" (any number) or ".v" becomes %2E. A part that with
// firstExt would be longer than 255 bytes then is cut and ends in its hash, and so does one with bytes that no bucket can list; a name
// that is too long as a whole gets a stem in longNames.
func catalogStem(name asset.Key) asset.Key {
	var b strings.Builder
	for part := range strings.SplitSeq(string(name), "/") {
		if b.Len() > 0 {
			b.WriteByte('/')
		}
		b.WriteString(escapePart(part))
	}
	if b.Len() > maxPath {
		return longNames.Join(asset.Key(hashOf(string(name))))
	}
	return asset.Key(b.String())
}

func escapePart(part string) string {
	esc := strings.ReplaceAll(part, "%", "%25")
	if reserved(part) {
		point := strings.LastIndexByte(esc, '.')
		esc = esc[:point] + "%2E" + esc[point+1:]
	}
	if fit := everywhere(esc); fit != esc || len(esc) > asset.MaxComponent-len(firstExt) {
		return fit[:min(len(fit), shortPart)] + hashMark + hashOf(part)
	}
	return esc
}

// everywhere is a part less what some store cannot hold: bytes that are no UTF-8 and characters that XML does not know, in a bucket. A
// part whose backslashes would lead elsewhere, were they slashes, leads there with some servers; its points go.
func everywhere(part string) string {
	if way := strings.ReplaceAll(part, `\`, "/"); way != part && slices.ContainsFunc(strings.Split(way, "/"), pointed) {
		part = strings.ReplaceAll(part, ".", "")
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(part, ""))
}

func pointed(part string) bool { return part == "." || part == ".." }

// reserved reports whether a part ends in ".v", or in a point, digits and ".json": all that anybody could take for ours.
func reserved(part string) bool {
	stem, ok := strings.CutSuffix(part, recordExt)
	if !ok {
		return strings.HasSuffix(part, laterExt)
	}
	digits := stem[strings.LastIndexByte(stem, '.')+1:]
	return digits != "" && digits != stem && strings.Trim(digits, "0123456789") == ""
}

// nameOf is the inverse of catalogStem; false when the stem was hashed and only an entry knows the name.
func nameOf(stem asset.Key) (asset.Key, bool) {
	if strings.Contains(string(stem), hashMark) {
		return "", false
	}
	name := asset.Key(strings.NewReplacer("%25", "%", "%2E", ".").Replace(string(stem)))
	return name, catalogStem(name) == stem
}

// entryPath is the file of version n of the name with a stem.
func entryPath(stem asset.Key, n int) asset.Key {
	if n == 1 {
		return stem + firstExt
	}
	return (stem + laterExt).Join(asset.Key(strconv.Itoa(n) + recordExt))
}

// firstStem is the stem of a version 1; false for every other file.
func firstStem(file asset.Key) (asset.Key, bool) {
	base, ok := strings.CutSuffix(file.Base(), firstExt)
	return file.Dir().Join(asset.Key(base)), ok && base != ""
}

// laterNumber reads the base of a file that entryPath put into a folder of versions, and nothing else: no sign, no leading
// zero, and no 1.
func laterNumber(base string) (int, bool) {
	digits, ok := strings.CutSuffix(base, recordExt)
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 1 && strconv.Itoa(n) == digits
}

// isEntry reports whether a file below catalog/ is one that entryPath names.
func isEntry(file asset.Key) bool {
	if _, ok := firstStem(file); ok {
		return true
	}
	stem, later := strings.CutSuffix(file.Dir().Base(), laterExt)
	_, ok := laterNumber(file.Base())
	return later && ok && stem != ""
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
