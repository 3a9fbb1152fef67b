//go:build android && androiddl

package dl

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// leastAPI is Android 10. Go keeps its own pointer in slot 2 of a thread's local
// storage, which the system leaves to it from there on; without cgo nothing looks
// for another slot.
const leastAPI = 29

// checkSystem refuses to load anything where that could end in another's storage.
var checkSystem = sync.OnceValue(func() error {
	out, err := exec.Command("getprop", "ro.build.version.sdk").Output()
	if err != nil {
		return fmt.Errorf("%w: Android's version cannot be told: getprop: %w", ErrUnavailable, err)
	}
	api, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil || api < leastAPI {
		return fmt.Errorf("%w: it has API %q, and without cgo needs Android 10 (API %d)", ErrUnavailable, strings.TrimSpace(string(out)), leastAPI)
	}
	return nil
})
