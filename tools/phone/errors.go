package phone

import "errors"

var (
	// ErrNoADB is wrapped where the adb executable is not found.
	ErrNoADB = errors.New("adb was not found")
	// ErrNoDevice is wrapped where no phone, or not the one that was named, is
	// connected.
	ErrNoDevice = errors.New("no phone is connected")
	// ErrUnauthorized is wrapped where the phone does not trust this computer.
	ErrUnauthorized = errors.New("the phone does not trust this computer")
	// ErrSeveral is wrapped where several phones are connected and none is named.
	ErrSeveral = errors.New("several phones are connected")
	// ErrUnsuitable is wrapped where the phone cannot run the binary.
	ErrUnsuitable = errors.New("the phone cannot run zeroth")
	// ErrNoSpace is wrapped where the phone has no room for what is to be sent.
	ErrNoSpace = errors.New("no space on the phone")
	// ErrLost is wrapped where the connection broke. What runs on the phone goes on.
	ErrLost = errors.New("the connection to the phone was lost")
	// ErrRun is wrapped where a run is not there, or there already.
	ErrRun = errors.New("run on the phone")
	// ErrSending is wrapped, beside ErrRun, where another push is sending what a run of
	// the same name needs.
	ErrSending = errors.New("another push is sending its files")
	// ErrClaim is wrapped where a run was not started, since while its files were sent
	// the connection broke or another push took its name.
	ErrClaim = errors.New("nothing was started")
	// ErrName is wrapped where a name or a command cannot be used.
	ErrName = errors.New("not usable")
	// ErrRemote is wrapped where a command failed on the phone.
	ErrRemote = errors.New("a command failed on the phone")
)
