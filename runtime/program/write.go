package program

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"

	"zeroth/internal/atomicfile"
	"zeroth/runtime/op"
)

// Source produces the bytes of constant i: it writes exactly those that the
// constant's type takes, in pieces of any size.
type Source func(i int, w io.Writer) error

// Progress is told how many bytes of a file are written, from 0 to total.
type Progress func(done, total int64)

// Write verifies a program and writes its file at path, whole or not at all:
// a file that stood there is replaced only when the new one is complete and
// synced. It sets p.Fingerprint. The same program always gives the same
// bytes. progress may be nil.
func Write(path string, p *Program, progress Progress) error {
	if err := Verify(p); err != nil {
		return err
	}
	return WriteStream(path, p, nil, progress)
}

// WriteStream is Write for a program whose constants need not be in memory:
// those with Data nil are asked of source, in order, as they are written.
// Constants that nodes use as indices must have their Data, since nodes are
// checked before anything is written.
func WriteStream(path string, p *Program, source Source, progress Progress) error {
	if err := VerifyStructure(p); err != nil {
		return err
	}
	if err := verifyContents(p, true); err != nil {
		return err
	}
	for i, slot := range p.Slots {
		if slot.Data != nil {
			return fmt.Errorf("slots[%d]: %s holds data, which a file cannot: %w", i, slot.Name, ErrInvalid)
		}
	}
	w := &writer{p: p, source: source, progress: progress}
	if err := w.layOut(); err != nil {
		return err
	}
	if err := atomicfile.Write(path, w.write); err != nil {
		return err
	}
	p.Fingerprint = w.front.headerSum
	return nil
}

// chunkBytes is how much is hashed and written between two calls of progress.
const chunkBytes = 1 << 20

type writer struct {
	p        *Program
	source   Source
	progress Progress
	segments []segment
	front    prologue
	done     uint64
}

// layOut decides where everything goes: the header's length is known before
// the hashes in it are.
func (w *writer) layOut() error {
	w.segments = make([]segment, len(w.p.Constants), len(w.p.Constants)+1)
	for i, k := range w.p.Constants {
		size, err := k.Type.Bytes(op.Extents{})
		if err != nil {
			return err
		}
		w.segments[i].length = uint64(size)
	}
	if w.p.Tokenizer.Kind != "" {
		w.segments = append(w.segments, segment{length: uint64(len(w.p.Tokenizer.Data))})
	}
	w.front.headerLength = uint64(len(encodeHeader(w.p, w.segments)))
	if w.front.headerLength > MaxHeaderBytes {
		var here place
		return here.fault(ErrLimit, "header", "%d bytes, at most %d", w.front.headerLength, MaxHeaderBytes)
	}
	w.front.fileLength = layOut(w.segments, prologueBytes+w.front.headerLength)
	return nil
}

// write leaves room for prologue and header, writes the segments, and then
// the header with their hashes.
func (w *writer) write(file *os.File) error {
	headerEnd := prologueBytes + w.front.headerLength
	if _, err := file.Seek(int64(headerEnd), io.SeekStart); err != nil {
		return err
	}
	w.done = headerEnd
	w.report(0)
	out := bufio.NewWriterSize(file, chunkBytes)
	for i := range w.segments {
		padding := make([]byte, w.segments[i].offset-w.done)
		if _, err := out.Write(padding); err != nil {
			return err
		}
		w.report(len(padding))
		if err := w.segment(i, out); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	header := encodeHeader(w.p, w.segments)
	w.front.headerSum = sha256.Sum256(header)
	_, err := file.WriteAt(append(w.front.encode(), header...), 0)
	return err
}

// report counts n more bytes as written.
func (w *writer) report(n int) {
	w.done += uint64(n)
	if w.progress != nil {
		w.progress(int64(w.done), int64(w.front.fileLength))
	}
}

// segment writes segment i and notes its hash.
func (w *writer) segment(i int, out io.Writer) error {
	s := &segmentWriter{writer: w, place: segmentPlace(i, len(w.p.Constants)), out: out, sum: sha256.New()}
	s.size = int(w.segments[i].length)
	var err error
	switch {
	case i == len(w.p.Constants):
		_, err = s.Write(w.p.Tokenizer.Data)
	case w.p.Constants[i].Data != nil:
		_, err = s.Write(w.p.Constants[i].Data)
	case w.source == nil:
		err = s.fault(ErrInvalid, "data", "there is none, and no source of it")
	default:
		s.padded = w.p.Constants[i].Type
		err = w.source(i, s)
		if err == nil {
			err = s.err // in case the source passed over it
		}
		if err != nil {
			err = fmt.Errorf("constant %q: %w", w.p.Constants[i].Name, err)
		}
	}
	if err != nil {
		return err
	}
	if s.at != s.size {
		return s.fault(ErrInvalid, "length", "the source wrote %d bytes of %d", s.at, s.size)
	}
	s.sum.Sum(w.segments[i].sum[:0])
	return nil
}

// segmentWriter hashes and counts the bytes of one segment.
type segmentWriter struct {
	*writer
	place
	out    io.Writer
	sum    hash.Hash
	padded op.Type // whose padding is still to be checked, or the zero type
	at     int     // bytes written
	size   int
	err    error // sticks
}

func (s *segmentWriter) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if len(b) > s.size-s.at {
		s.err = s.fault(ErrInvalid, "length", "the source writes more than %d bytes", s.size)
		return 0, s.err
	}
	if at := nonzeroPadding(s.padded, s.at, b); at >= 0 {
		s.err = s.fault(ErrInvalid, "data", "byte %d is not zero, but lies past the rows and columns of %s", at, s.padded)
		return 0, s.err
	}
	for written := 0; written < len(b); {
		chunk := b[written:min(len(b), written+chunkBytes)]
		s.sum.Write(chunk) // never fails
		n, err := s.out.Write(chunk)
		s.at += n
		written += n
		s.report(n)
		if err != nil {
			s.err = err
			return written, err
		}
	}
	return len(b), nil
}
