package standin

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// The commands of messages, as their letters read in little-endian order.
const (
	cmdConnect = 0x4e584e43 // CNXN
	cmdOpen    = 0x4e45504f // OPEN
	cmdOkay    = 0x59414b4f // OKAY
	cmdClose   = 0x45534c43 // CLSE
	cmdWrite   = 0x45545257 // WRTE

	protocolVersion = 0x01000001
	maxPayload      = 256 << 10
)

// connection is one of a computer to the phone.
type connection struct {
	phone  *Phone
	socket net.Conn

	lock    sync.Mutex // guards writing and what follows
	streams map[uint32]*stream
	last    uint32 // number given to a stream
}

// stream is a service that the computer opened. What the computer writes comes
// by incoming.
type stream struct {
	connection   *connection
	mine, theirs uint32 // its numbers
	incoming     chan []byte
	acknowledged chan struct{}
	closed       chan struct{}
	closeOnce    sync.Once
	rest         []byte // of the last payload
}

func (c *connection) end() { c.socket.Close() }

// send writes a message.
func (c *connection) send(command, first, second uint32, data []byte) error {
	sum := uint32(0)
	for _, b := range data {
		sum += uint32(b)
	}
	var message bytes.Buffer
	for _, word := range [6]uint32{command, first, second, uint32(len(data)), sum, ^command} {
		binary.Write(&message, binary.LittleEndian, word)
	}
	message.Write(data)
	c.lock.Lock()
	defer c.lock.Unlock()
	_, err := c.socket.Write(message.Bytes())
	return err
}

// serve reads messages until the connection ends.
func (c *connection) serve() {
	defer c.closeAll()
	in := bufio.NewReaderSize(c.socket, maxPayload)
	for {
		var header [6]uint32
		if err := binary.Read(in, binary.LittleEndian, &header); err != nil {
			return
		}
		if header[5] != ^header[0] || header[3] > maxPayload {
			return
		}
		data := make([]byte, header[3])
		if _, err := io.ReadFull(in, data); err != nil {
			return
		}
		if c.handle(header[0], header[1], header[2], data) != nil {
			return
		}
	}
}

func (c *connection) handle(command, first, second uint32, data []byte) error {
	switch command {
	case cmdConnect:
		return c.send(cmdConnect, protocolVersion, maxPayload, []byte("device::ro.product.name=standin;ro.product.model=Stand-in;ro.product.device=standin;features=shell_v2,cmd"))
	case cmdOpen:
		go c.open(first, string(bytes.TrimRight(data, "\x00")))
		return nil
	}
	c.lock.Lock()
	s := c.streams[second]
	c.lock.Unlock()
	if s == nil {
		return nil // it was closed meanwhile
	}
	switch command {
	case cmdOkay:
		select {
		case s.acknowledged <- struct{}{}:
		default:
		}
	case cmdWrite:
		select {
		case s.incoming <- data:
		case <-s.closed:
		}
	case cmdClose:
		s.close()
	default:
		return fmt.Errorf("message %#x is not known", command)
	}
	return nil
}

// open runs a service to its end.
func (c *connection) open(theirs uint32, name string) {
	serve := c.phone.service(name)
	if serve == nil {
		c.send(cmdClose, 0, theirs, nil)
		return
	}
	c.lock.Lock()
	c.last++
	s := &stream{
		connection: c, mine: c.last, theirs: theirs,
		incoming: make(chan []byte, 1), acknowledged: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	c.streams[s.mine] = s
	c.lock.Unlock()
	c.send(cmdOkay, s.mine, theirs, nil)
	serve(s)
	c.send(cmdClose, s.mine, theirs, nil)
	s.close()
	c.lock.Lock()
	delete(c.streams, s.mine)
	c.lock.Unlock()
}

func (c *connection) closeAll() {
	c.socket.Close()
	c.lock.Lock()
	defer c.lock.Unlock()
	for _, s := range c.streams {
		s.close()
	}
}

func (s *stream) close() { s.closeOnce.Do(func() { close(s.closed) }) }

// Read gives what the computer wrote.
func (s *stream) Read(to []byte) (int, error) {
	if len(s.rest) == 0 {
		select {
		case s.rest = <-s.incoming:
		case <-s.closed:
			return 0, io.EOF
		}
		if err := s.connection.send(cmdOkay, s.mine, s.theirs, nil); err != nil {
			return 0, err
		}
	}
	n := copy(to, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// Write sends to the computer and waits until it has taken all.
func (s *stream) Write(data []byte) (int, error) {
	for sent := 0; sent < len(data); {
		n := min(len(data)-sent, maxPayload)
		if err := s.connection.send(cmdWrite, s.mine, s.theirs, data[sent:sent+n]); err != nil {
			return sent, err
		}
		select {
		case <-s.acknowledged:
		case <-s.closed:
			return sent, io.ErrClosedPipe
		}
		sent += n
	}
	return len(data), nil
}
