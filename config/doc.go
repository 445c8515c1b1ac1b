// Package config holds the settings of a node and the rules of its hotfolders: their types, defaults and checks, and
// strict reading of both from YAML.
//
// It promises that what it returns is complete (every default filled in) and possible (no two values contradict each
// other), and that every fault of a file is named, not only the first: its line and column, what was expected, and the
// nearest known word. A file costs no more time or memory than its length allows: there are no aliases to unfold, and the
// length, the depth and the number of faults have limits. A name made by a [NameTemplate] is a clean key below the folder
// that the template begins with, whatever a drop is called and whatever its metadata says. No message repeats a secret that
// somebody wrote into a URL.
//
// One table for each kind of file says what its keys are, what they mean and what they may be. Reading, checking, the
// JSON Schema and the hash of a rule set all walk it. A new key is a new field, a line in its table, and its lines
// in the documented file below configs; tests fail until all three are there.
//
// It does no I/O: callers hand in bytes. It keeps no state, so everything may be called from anywhere at any time.
package config
