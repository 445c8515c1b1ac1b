package asset

import "io/fs"

// Both are an fs.ErrNotExist, and both stay so: no id is given twice.
var (
	// ErrJobEnded is wrapped when a batch job has ended or expired; it does not come back.
	ErrJobEnded error = noJob("the job has ended")
	// ErrNoJob is wrapped when nothing is known of a batch job: there never was one of that id, or it was swept.
	ErrNoJob error = noJob("there is no job")
)

type noJob string

func (e noJob) Error() string      { return string(e) }
func (noJob) Is(target error) bool { return target == fs.ErrNotExist }
