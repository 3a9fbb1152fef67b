package phone

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps the terminal's Ctrl-C from the command.
func ownGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
