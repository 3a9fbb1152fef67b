package gguf

import (
	"encoding/binary"
	"fmt"
	"io"

	"zeroth/internal/readat"
)

// scanBytes bounds the scanner's buffer, and so what take can be asked for.
const scanBytes = 64 << 10

// scanner walks the bytes [position, end) of a source through a buffer. It
// never reads past end, and never allocates for a length that it was told.
type scanner struct {
	source   io.ReaderAt
	position int64 // of the next byte to be taken
	end      int64
	buffer   []byte
	ahead    []byte // part of buffer: bytes from position on
}

func newScanner(source io.ReaderAt, from, end int64) *scanner {
	return &scanner{source: source, position: from, end: end, buffer: make([]byte, min(scanBytes, end-from))}
}

func (s *scanner) remaining() int64 { return s.end - s.position }

// take returns the next count bytes, at most scanBytes, valid until the next
// call.
func (s *scanner) take(count int) ([]byte, error) {
	if int64(count) > s.remaining() {
		return nil, fmt.Errorf("%d bytes wanted at %d, %d are left: %w", count, s.position, s.remaining(), ErrInvalid)
	}
	if len(s.ahead) < count {
		s.ahead = s.buffer[:min(int64(len(s.buffer)), s.remaining())]
		if err := readat.Full(s.source, s.ahead, s.position); err != nil {
			s.ahead = nil
			return nil, err
		}
	}
	taken := s.ahead[:count]
	s.ahead = s.ahead[count:]
	s.position += int64(count)
	return taken, nil
}

// skip passes over count bytes, which the caller has held against remaining.
func (s *scanner) skip(count int64) {
	s.ahead = s.ahead[min(int64(len(s.ahead)), count):]
	s.position += count
}

func (s *scanner) uint32() (uint32, error) {
	four, err := s.take(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(four), nil
}

func (s *scanner) uint64() (uint64, error) {
	eight, err := s.take(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(eight), nil
}

// length reads the length of a text and holds it against what is left.
func (s *scanner) length() (int64, error) {
	length, err := s.uint64()
	if err != nil {
		return 0, err
	}
	if length > uint64(s.remaining()) {
		return 0, fmt.Errorf("text of %d bytes at %d, %d are left: %w", length, s.position, s.remaining(), ErrInvalid)
	}
	return int64(length), nil
}

// name reads a key or tensor name of at most limit bytes.
func (s *scanner) name(limit int64) (string, error) {
	length, err := s.length()
	if err != nil {
		return "", err
	}
	if length > limit {
		return "", fmt.Errorf("name of %d bytes, at most %d are allowed: %w", length, limit, ErrInvalid)
	}
	text, err := s.take(int(length))
	if err != nil {
		return "", err
	}
	name := string(text)
	if err := checkName(name, limit); err != nil {
		return "", fmt.Errorf("%v: %w", err, ErrInvalid)
	}
	return name, nil
}
