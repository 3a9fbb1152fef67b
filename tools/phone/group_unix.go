//go:build unix

package phone

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps the terminal's Ctrl-C from the command.
func ownGroup(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
