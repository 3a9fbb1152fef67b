package plugin

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

var (
	// ErrFile is wrapped when a file cannot be a plug-in for this machine.
	ErrFile = errors.New("no plug-in for this machine")
	// ErrTable is wrapped when a library breaks the rules of zeroth_backend.h.
	ErrTable = errors.New("not a sound plug-in")
	// ErrUnusable is wrapped when a plug-in says that it cannot work here.
	ErrUnusable = errors.New("the plug-in cannot be used here")
	// ErrCall is wrapped when a function of a plug-in fails.
	ErrCall = errors.New("the plug-in failed")
	// ErrFatal is wrapped beside ErrCall when nothing can go on after it.
	ErrFatal = errors.New("fatal")
	// ErrUnsupported is wrapped when a plug-in does not take a node.
	ErrUnsupported = errors.New("not taken by the plug-in")
)

// messageBytes is the room for a plug-in's message.
const messageBytes = 512

// fault is where a plug-in leaves its message. It is made once and used for many
// calls.
type fault struct {
	c    *cError
	text []byte
}

func newFault() *fault {
	f := &fault{text: make([]byte, messageBytes)}
	f.c = &cError{size: sizeOf[cError](), capacity: messageBytes, message: &f.text[0]}
	return f
}

func (f *fault) pointer() uintptr { return uintptr(unsafe.Pointer(f.c)) }

func (f *fault) clear() { f.text[0] = 0 }

// message is what the plug-in said, in one line that a terminal can show.
func (f *fault) message() string {
	text, _, _ := strings.Cut(string(f.text), "\x00")
	return printable(text)
}

// printable replaces what is no printable text.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

var statusNames = map[int32]string{
	statusUnsupported: "unsupported", statusFailed: "failed", statusNoMemory: "out of memory", statusFatal: "fatal",
}

// check turns the result of a function into an error that names plug-in and
// function.
func (f *fault) check(plugin, function string, result uintptr) error {
	status := int32(result)
	if status == statusOK {
		return nil
	}
	name, known := statusNames[status]
	if !known {
		name = fmt.Sprintf("status %d, which is none", status)
	}
	if message := f.message(); message != "" {
		name += ": " + message
	}
	kind := ErrCall
	switch {
	case status == statusUnsupported:
		kind = ErrUnsupported
	case status == statusFatal || !known:
		kind = fmt.Errorf("%w, %w", ErrCall, ErrFatal)
	}
	return fmt.Errorf("%w: %s: %s: %s", kind, plugin, function, name)
}
