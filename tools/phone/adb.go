package phone

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// FindADB finds the adb executable: the path that is given, else $ADB, else on
// PATH, else in the platform-tools of $ANDROID_HOME or $ANDROID_SDK_ROOT.
func FindADB(path string) (string, error) {
	for _, named := range []struct{ from, path string }{{"--adb", path}, {"$ADB", os.Getenv("ADB")}} {
		if named.path == "" {
			continue
		}
		found, err := exec.LookPath(named.path)
		if err != nil {
			return "", fmt.Errorf("%w: %s: %w", ErrNoADB, named.from, err)
		}
		return found, nil
	}
	if found, err := exec.LookPath("adb"); err == nil {
		return found, nil
	}
	for _, variable := range []string{"ANDROID_HOME", "ANDROID_SDK_ROOT"} {
		if home := os.Getenv(variable); home != "" {
			if found, err := exec.LookPath(filepath.Join(home, "platform-tools", "adb")); err == nil {
				return found, nil
			}
		}
	}
	return "", fmt.Errorf("%w on PATH, nor in $ANDROID_HOME or $ANDROID_SDK_ROOT", ErrNoADB)
}

// ADB is the adb executable and the phone that it talks to.
type ADB struct {
	Path   string
	Serial string // none: no phone is chosen yet
}

// result is what a command printed and how it ended.
type result struct {
	stdout []byte
	stderr string
	code   int
}

// command is a call of adb, for the phone that is chosen.
func (a *ADB) command(ctx context.Context, args ...string) *exec.Cmd {
	if a.Serial != "" {
		args = append([]string{"-s", a.Serial}, args...)
	}
	command := exec.CommandContext(ctx, a.Path, args...)
	ownGroup(command) // Ctrl-C is for us to handle
	return command
}

// run calls adb. A code above 0 is no error here.
func (a *ADB) run(ctx context.Context, stdin io.Reader, args ...string) (result, error) {
	command := a.command(ctx, args...)
	command.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = stdin, &stdout, &stderr
	err := command.Run()
	r := result{stdout: stdout.Bytes(), stderr: strings.TrimSpace(stderr.String())}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case errors.As(err, &exit):
		r.code = exit.ExitCode()
		return r, nil
	case err != nil:
		return r, fmt.Errorf("%w: %s: %w", ErrNoADB, a.Path, err)
	}
	return r, nil
}

// lost reports whether adb's message says that the phone cannot be reached.
func lost(message string) bool {
	for _, sign := range []string{"not found", "offline", "no devices", "closed", "connection reset", "protocol fault", "unauthorized", "failed to get feature set"} {
		if strings.Contains(message, sign) && (strings.HasPrefix(message, "error:") || strings.Contains(message, "adb: error:") || strings.HasPrefix(message, "adb: ")) {
			return true
		}
	}
	return false
}

// shell runs a command of the phone's shell and returns what it printed.
func (a *ADB) shell(ctx context.Context, command string) ([]byte, error) {
	r, err := a.run(ctx, nil, "shell", command)
	switch {
	case err != nil:
		return nil, err
	case r.code == 0:
		return r.stdout, nil
	case r.code == 255 && len(r.stdout) == 0 && r.stderr == "", lost(r.stderr):
		// The exit code of adb's own shell where the connection breaks is 255.
		return nil, fmt.Errorf("%w: %s", ErrLost, orElse(r.stderr, "adb ended without a word"))
	}
	return nil, fmt.Errorf("%w: exit code %d: %s", ErrRemote, r.code, orElse(r.stderr, string(bytes.TrimSpace(r.stdout))))
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// Device is a phone that adb knows.
type Device struct {
	Serial string `json:"serial"`
	State  string `json:"state"` // "device" where it can be used
	Model  string `json:"model,omitempty"`
}

// Devices lists the phones that are connected, usable or not.
func (a *ADB) Devices(ctx context.Context) ([]Device, error) {
	r, err := (&ADB{Path: a.Path}).run(ctx, nil, "devices", "-l")
	if err != nil {
		return nil, err
	}
	if r.code != 0 {
		return nil, fmt.Errorf("%w: adb devices: %s", ErrNoADB, orElse(r.stderr, "it failed without a word"))
	}
	return parseDevices(string(r.stdout)), nil
}

// parseDevices reads the lines "SERIAL STATE [KEY:VALUE …]".
func parseDevices(text string) []Device {
	var list []Device
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		words := strings.Fields(line)
		if len(words) < 2 || strings.HasPrefix(line, "List of devices") || strings.HasPrefix(line, "*") {
			continue
		}
		d := Device{Serial: words[0], State: words[1]}
		if words[1] == "no" && len(words) > 2 { // "no permissions (…)"
			d.State = "no permissions"
		}
		for _, word := range words[2:] {
			if model, ok := strings.CutPrefix(word, "model:"); ok {
				d.Model = model
			}
		}
		list = append(list, d)
	}
	return list
}

// Choose picks the phone of a serial number, or the only one there is.
func (a *ADB) Choose(ctx context.Context, serial string) (Device, error) {
	list, err := a.Devices(ctx)
	if err != nil {
		return Device{}, err
	}
	d, err := choose(list, serial)
	if err != nil && d.State == "offline" && a.reconnect(ctx, d.Serial) {
		for range 20 { // the two greet each other first
			if list, err = a.Devices(ctx); err != nil {
				return Device{}, err
			}
			if d, err = choose(list, serial); d.State != "offline" {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	if err == nil {
		a.Serial = d.Serial
	}
	return d, err
}

// reconnect makes adb connect again to a phone that is reached by network, whose
// connection it would keep for broken. It reports whether this is one; whether it
// helped the next command tells.
func (a *ADB) reconnect(ctx context.Context, serial string) bool {
	if !strings.Contains(serial, ":") {
		return false
	}
	all := ADB{Path: a.Path}
	_, _ = all.run(ctx, nil, "disconnect", serial)
	_, _ = all.run(ctx, nil, "connect", serial)
	return true
}

func choose(list []Device, serial string) (Device, error) {
	var found []Device
	var names []string
	for _, d := range list {
		names = append(names, strings.TrimSpace(d.Serial+" "+d.Model))
		if serial == "" || d.Serial == serial {
			found = append(found, d)
		}
	}
	switch {
	case len(list) == 0:
		return Device{}, ErrNoDevice
	case len(found) == 0:
		return Device{}, fmt.Errorf("%w as %q; there are: %s", ErrNoDevice, serial, strings.Join(names, ", "))
	case len(found) > 1:
		return Device{}, fmt.Errorf("%w: %s", ErrSeveral, strings.Join(names, ", "))
	}
	switch d := found[0]; d.State {
	case "device":
		return d, nil
	case "unauthorized":
		return d, fmt.Errorf("%w: %s", ErrUnauthorized, d.Serial)
	default:
		return d, fmt.Errorf("%w that can be used: %s is %s on %s", ErrNoDevice, d.Serial, d.State, runtime.GOOS)
	}
}
