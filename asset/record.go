package asset

import "time"

// Conflict is what happens when a name is already taken by other bytes.
type Conflict string

// The conflict policies of a rule.
const (
	ConflictVersion Conflict = "version" // the new bytes become the next version, the old ones stay
	ConflictReplace Conflict = "replace" // the new bytes become the next version, older versions leave the catalog
	ConflictSkip    Conflict = "skip"    // the name keeps its bytes; the new ones stay reachable by hash and record
	ConflictRename  Conflict = "rename"  // the new bytes get the name with " (2)", " (3)", ... before the extension
	ConflictReject  Conflict = "reject"  // the drop moves to failed/
)

// Content is what was learned about bytes while they were read once.
type Content struct {
	Hash Hash              `json:"sha256"`
	Size int64             `json:"size"`           // bytes
	Type string            `json:"type"`           // MIME type by the bytes, never by the name
	Meta map[string]string `json:"meta,omitempty"` // EXIF, IPTC and XMP, flattened; bounded in number and length
}

// Thumbnails says which renditions an asset has, or why it has none.
type Thumbnails struct {
	Sizes  []int  `json:"sizes,omitempty"`  // pixels of the longer side, as asked for by the rule
	Format string `json:"format,omitempty"` // jpeg or png
	Width  int    `json:"width,omitempty"`  // of the original, after orientation
	Height int    `json:"height,omitempty"`
	// ThumbHash is the picture in about 25 bytes (the format of that name), for something to show at once; base64 in JSON.
	ThumbHash []byte `json:"thumbhash,omitempty"`
	Error     string `json:"error,omitempty"` // one sentence; empty when all sizes were made
}

// Record is the ledger's record of one import: the commit point. It is written once, never changed, and holds all that
// applying it again needs. Token and Node say who committed it and under which lease.
type Record struct {
	Drop       DropID      `json:"drop"`
	Hotfolder  string      `json:"hotfolder"`
	Key        Key         `json:"key"`
	Version    Version     `json:"version"`
	Door       Door        `json:"door"`
	Arrived    time.Time   `json:"arrived"`
	Name       Key         `json:"name"`
	Conflict   Conflict    `json:"conflict"`
	Library    bool        `json:"library,omitempty"`
	Content    Content     `json:"content"`
	Thumbnails *Thumbnails `json:"thumbnails,omitempty"`
	Node       string      `json:"node"`
	Token      string      `json:"token"`
	Committed  time.Time   `json:"committed"`
}

// Outcome is what applying a record came to. It is the same however often the record is applied, as long as nobody
// removed the name in between.
type Outcome struct {
	Name     Key    `json:"name"`              // under which name the bytes can be had; differs from Record.Name after a rename
	Number   int    `json:"number,omitempty"`  // version of that name, from 1; 0 when nothing was added to the catalog
	Skipped  bool   `json:"skipped,omitempty"` // policy skip found the name taken
	Rejected string `json:"rejected,omitempty"`
	// Superseded: a later drop under the same key was imported first; the bytes stay reachable by hash and record.
	Superseded bool `json:"superseded,omitempty"`
}
