// Package config holds the settings of a node and the rules of its hotfolders: their types, defaults and checks, and
// strict reading of both from YAML.
//
// It promises that what it returns is complete (every default filled in) and possible (no two values contradict each
// other), and that every fault names the file, line and column, what was expected, and the nearest known word. It opens no
// file: callers hand in bytes.
package config
