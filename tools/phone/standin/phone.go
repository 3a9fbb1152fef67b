package standin

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Options say what the phone is like.
type Options struct {
	Root     string            // its files; a path without a special character of the shell
	Props    map[string]string // what getprop tells; an arm64 phone with Android 14 by default
	FreeKB   int64             // what df tells; 0: what this machine tells
	Emulator []string          // runs what a command becomes; none: nothing does
	Env      []string          // of commands, beside this process's
}

// Phone is a phone that listens.
type Phone struct {
	options  Options
	listener net.Listener
	address  string

	lock        sync.Mutex
	connections map[*connection]bool
}

// defaultProps are those of a phone that is suitable.
var defaultProps = map[string]string{
	"ro.product.model": "Stand-in", "ro.build.version.release": "14", "ro.build.version.sdk": "34",
	"ro.product.cpu.abilist64": "arm64-v8a", "ro.product.cpu.abi": "arm64-v8a",
}

// Start makes a phone that listens on loopback.
func Start(o Options) (*Phone, error) {
	p := &Phone{options: o, connections: map[*connection]bool{}}
	if err := os.MkdirAll(p.local("/data/local/tmp"), 0o777); err != nil {
		return nil, err
	}
	if err := p.writeTools(); err != nil {
		return nil, err
	}
	return p, p.listen("127.0.0.1:0")
}

func (p *Phone) listen(address string) error {
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		return err
	}
	p.lock.Lock()
	p.listener, p.address = listener, listener.Addr().String()
	p.lock.Unlock()
	go p.accept(listener)
	return nil
}

// Address is host:port, for adb connect: the phone's serial number.
func (p *Phone) Address() string { return p.address }

// Cut breaks every connection and answers no more, as when a cable is pulled.
func (p *Phone) Cut() {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.listener.Close()
	for c := range p.connections {
		c.end()
	}
}

// Restore answers again at the same address.
func (p *Phone) Restore() error { return p.listen(p.address) }

// Close ends the phone. What it started goes on, as on a phone.
func (p *Phone) Close() { p.Cut() }

func (p *Phone) accept(listener net.Listener) {
	for {
		socket, err := listener.Accept()
		if err != nil {
			return
		}
		c := &connection{phone: p, socket: socket, streams: map[uint32]*stream{}}
		p.lock.Lock()
		p.connections[c] = true
		p.lock.Unlock()
		go func() {
			c.serve()
			p.lock.Lock()
			delete(p.connections, c)
			p.lock.Unlock()
		}()
	}
}

// phoneFolder is the part of the phone's tree that lies in Root.
const phoneFolder = "/data/local/tmp"

// local finds a path of the phone in Root.
func (p *Phone) local(path string) string {
	return filepath.Join(p.options.Root, filepath.Clean("/"+path))
}

// rewritten is a command of the phone as this machine runs it.
func (p *Phone) rewritten(command string) string {
	if len(p.options.Emulator) > 0 {
		command = strings.ReplaceAll(command, "; exec ", "; exec "+strings.Join(p.options.Emulator, " ")+" ")
	}
	return strings.ReplaceAll(command, phoneFolder, p.local(phoneFolder))
}

func (p *Phone) toolFolder() string { return filepath.Join(p.options.Root, "system", "bin") }

// writeTools writes getprop, and df where it tells something else.
func (p *Phone) writeTools() error {
	if err := os.MkdirAll(p.toolFolder(), 0o777); err != nil {
		return err
	}
	var cases strings.Builder
	props := p.options.Props
	if props == nil {
		props = defaultProps
	}
	for name, value := range props {
		fmt.Fprintf(&cases, "%s) echo '%s';;\n", name, value)
	}
	tools := map[string]string{"getprop": "#!/bin/sh\ncase $1 in\n" + cases.String() + "esac\n"}
	if free := p.options.FreeKB; free > 0 {
		tools["df"] = fmt.Sprintf("#!/bin/sh\necho Filesystem 1K-blocks Used Available Use%% Mounted on\necho /dev/block %d 1 %d 1%% /data\n", free+1, free)
	}
	for name, text := range tools {
		if err := os.WriteFile(filepath.Join(p.toolFolder(), name), []byte(text), 0o777); err != nil {
			return err
		}
	}
	return nil
}
