package standin

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// service finds what serves a name such as "shell,v2,raw:COMMAND".
func (p *Phone) service(name string) func(*stream) {
	kind, argument, _ := strings.Cut(name, ":")
	switch options := strings.Split(kind, ","); options[0] {
	case "sync":
		return p.sync
	case "shell":
		if len(options) > 1 && options[1] == "v2" {
			return func(s *stream) { p.shell(s, argument) }
		}
	}
	return nil
}

// The kinds of packets in version 2 of the shell's protocol: a byte, the length
// as a little-endian word, the data.
const (
	packetStdin      = 0
	packetStdout     = 1
	packetStderr     = 2
	packetExit       = 3
	packetCloseStdin = 4
)

// input hands on what the computer sends to a command, until it says that this is
// all, or is gone.
func input(from io.Reader, to io.WriteCloser) {
	defer to.Close()
	for {
		var head [5]byte
		if _, err := io.ReadFull(from, head[:]); err != nil || head[0] == packetCloseStdin {
			return
		}
		var goesTo io.Writer = to
		if head[0] != packetStdin { // the window's size
			goesTo = io.Discard
		}
		if _, err := io.CopyN(goesTo, from, int64(binary.LittleEndian.Uint32(head[1:]))); err != nil {
			return
		}
	}
}

// packets writes one kind of packets.
type packets struct {
	to   io.Writer
	kind byte
	lock *sync.Mutex
}

func (p packets) Write(data []byte) (int, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	packet := append([]byte{p.kind}, binary.LittleEndian.AppendUint32(nil, uint32(len(data)))...)
	if _, err := p.to.Write(append(packet, data...)); err != nil {
		return 0, err
	}
	return len(data), nil
}

// shell runs a command and sends its output and exit code.
func (p *Phone) shell(s *stream, text string) {
	var lock sync.Mutex
	command := exec.Command("/bin/sh", "-c", p.rewritten(text))
	command.Dir = p.options.Root
	command.Env = append(append(os.Environ(), "PATH="+p.toolFolder()+":"+os.Getenv("PATH")), p.options.Env...)
	command.Stdout, command.Stderr = packets{s, packetStdout, &lock}, packets{s, packetStderr, &lock}
	code := 0
	stdin, err := command.StdinPipe()
	if err == nil {
		go input(s, stdin)
		err = command.Run()
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		fmt.Fprintln(command.Stderr, err)
		code = 127
	}
	packets{s, packetExit, &lock}.Write([]byte{byte(code)})
}
