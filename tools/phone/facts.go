package phone

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// leastAPI is Android 7: the first whose adb shell gives exit codes.
const leastAPI = 24

// Facts are what a phone tells of itself.
type Facts struct {
	Model     string   `json:"model"`
	Android   string   `json:"android"`
	API       int      `json:"api"`
	ABIs      []string `json:"abis"`
	Available int64    `json:"memory_available_bytes"` // MemAvailable; 0 where it is not told
	Free      int64    `json:"free_bytes"`             // of the file system of Root; 0 where it is not told
}

// factsCommand prints a line "key=value" for each fact.
const factsCommand = `echo model=$(getprop ro.product.model)
echo android=$(getprop ro.build.version.release)
echo api=$(getprop ro.build.version.sdk)
echo abis=$(getprop ro.product.cpu.abilist64)
echo abi=$(getprop ro.product.cpu.abi)
echo memory=$(grep MemAvailable /proc/meminfo)
echo space=$(df -k /data/local/tmp | tail -n 1)`

// Facts asks the phone.
func (a *ADB) Facts(ctx context.Context) (Facts, error) {
	out, err := a.shell(ctx, factsCommand)
	if err != nil {
		return Facts{}, err
	}
	return parseFacts(string(out)), nil
}

func parseFacts(text string) Facts {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			values[key] = strings.TrimSpace(value)
		}
	}
	f := Facts{Model: values["model"], Android: values["android"]}
	f.API, _ = strconv.Atoi(values["api"]) // 0 where it is not told, which is too old
	for abi := range strings.SplitSeq(values["abis"]+","+values["abi"], ",") {
		if abi != "" && !slices.Contains(f.ABIs, abi) {
			f.ABIs = append(f.ABIs, abi)
		}
	}
	if fields := strings.Fields(values["memory"]); len(fields) == 3 {
		f.Available = kilobytes(fields[1])
	}
	if fields := strings.Fields(values["space"]); len(fields) >= 4 {
		f.Free = kilobytes(fields[3]) // "FILESYSTEM SIZE USED FREE …"
	}
	return f
}

func kilobytes(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1<<50 {
		return 0
	}
	return n << 10
}

// Check says why a phone cannot run the binary.
func (f *Facts) Check() error {
	const abi = "arm64-v8a"
	switch {
	case !slices.Contains(f.ABIs, abi):
		return fmt.Errorf("%w: it takes programs for %s, not for %s", ErrUnsuitable, orElse(strings.Join(f.ABIs, ", "), "nothing that it tells"), abi)
	case f.API < leastAPI:
		return fmt.Errorf("%w: it has Android %s (API %d); Android 7 (API %d) is needed", ErrUnsuitable, orElse(f.Android, "?"), f.API, leastAPI)
	}
	return nil
}
