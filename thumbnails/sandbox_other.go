//go:build !linux

package thumbnails

import "errors"

// Confine is not possible here.
func Confine() error { return errors.New("confine the renderer: only Linux can") }
