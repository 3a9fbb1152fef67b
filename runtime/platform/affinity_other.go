//go:build !linux

package platform

import (
	"errors"
	"fmt"
	"runtime"
)

// pinThread is for Linux and Android.
func pinThread(CPUs) error {
	return fmt.Errorf("%w on %s: only Linux and Android hold threads to CPUs", errors.ErrUnsupported, runtime.GOOS)
}

// onMainThread need not be known where no thread is changed.
func onMainThread() bool { return false }
