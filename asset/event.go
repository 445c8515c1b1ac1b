package asset

import "time"

// Result is how a step of a drop's walk ended.
type Result string

// The results that a journal event can carry.
const (
	Seen     Result = "seen"     // found by a scan or an event, not settled yet
	Waiting  Result = "waiting"  // not settled; Reason says for what
	Ignored  Result = "ignored"  // never a drop, or not matched by the rule; Reason says by which pattern
	Imported Result = "imported" // committed, applied and removed
	Skipped  Result = "skipped"  // committed, but the name kept its bytes (conflict: skip)
	Retrying Result = "retrying" // a step failed and will be tried again
	Failed   Result = "failed"   // moved to failed/
	Gone     Result = "gone"     // vanished or changed before it was imported
	Retried  Result = "retried"  // put back from failed/ by a person
	AtDoor   Result = "door"     // somebody did something at a door, or was refused; Reason says who and what
)

// Event is one line of the journal: what happened to one drop, when, on which node, and why in words. Steps is filled
// for the final events and says how long each step took.
type Event struct {
	Time      time.Time     `json:"time"`
	Node      string        `json:"node"`
	Hotfolder string        `json:"hotfolder"`
	Key       Key           `json:"key"`
	Version   Version       `json:"version,omitempty"`
	Drop      DropID        `json:"drop,omitempty"`
	Door      Door          `json:"door,omitempty"`
	Result    Result        `json:"result"`
	Step      string        `json:"step,omitempty"`    // the step that Reason speaks of: settle, claim, stage, thumbnails, commit, apply, remove
	Settled   string        `json:"settled,omitempty"` // known, proven or quiet, with the evidence in words
	Reason    string        `json:"reason,omitempty"`  // one sentence for people
	Name      Key           `json:"name,omitempty"`    // the asset's name
	Number    int           `json:"number,omitempty"`  // the asset's version number
	Hash      Hash          `json:"sha256,omitzero"`
	Size      int64         `json:"size,omitempty"`
	Type      string        `json:"type,omitempty"`
	Thumbs    *Thumbnails   `json:"thumbnails,omitempty"`
	Attempt   int           `json:"attempt,omitempty"`
	Token     string        `json:"token,omitempty"`
	Took      time.Duration `json:"took,omitempty"`  // nanoseconds from arrival (by the store's clock) or first sight to the end
	Steps     []StepTime    `json:"steps,omitempty"` // in the order of the walk
}

// StepTime is how long one step of the walk took.
type StepTime struct {
	Step string        `json:"step"`
	Took time.Duration `json:"took"` // nanoseconds
}

// Failure is the .error.json beside a file in failed/: enough to understand it and to put the file back.
type Failure struct {
	ID        string    `json:"id"` // names the failure in commands and URLs; unique within the work area
	Time      time.Time `json:"time"`
	Node      string    `json:"node"`
	Hotfolder string    `json:"hotfolder"`
	Key       Key       `json:"key"`    // where the drop was, relative to its hotfolder
	Stored    Key       `json:"stored"` // where its bytes are now, relative to the work area
	Drop      DropID    `json:"drop"`
	Version   Version   `json:"version"`
	Size      int64     `json:"size"`
	Step      string    `json:"step"`     // the step that failed
	Rule      string    `json:"rule"`     // the rule file, and the key in it where one decided
	Attempts  int       `json:"attempts"` // how often the walk was tried
	Reason    string    `json:"reason"`   // one sentence for people
	Hint      string    `json:"hint"`     // what to do about it
	Detail    string    `json:"detail"`   // the error as the program saw it
}
