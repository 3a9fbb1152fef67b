//go:build !linux

package platform

import (
	"errors"
	"fmt"
	"runtime"
)

// LowerPriority is for Linux and Android.
func LowerPriority() (string, error) {
	return "", fmt.Errorf("low priority: %w on %s", errors.ErrUnsupported, runtime.GOOS)
}
