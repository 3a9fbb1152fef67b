package program

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
)

// FormatVersion is the version of the container that this build writes, and
// the only one that it reads.
const FormatVersion = 1

// magic begins every program file. As in PNG, a byte above 127 and both line
// endings show at once what a transfer in text mode has done.
const magic = "\x89ZPT\r\n\x1a\n"

// prologueBytes is the length of what stands before the header.
const prologueBytes = 64

// prologue is the fixed part at the front of a file.
type prologue struct {
	headerLength uint64   // bytes
	fileLength   uint64   // bytes
	headerSum    [32]byte // SHA-256 of the header
}

func (l prologue) encode() []byte {
	b := append(make([]byte, 0, prologueBytes), magic...)
	b = binary.LittleEndian.AppendUint32(b, FormatVersion)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint64(b, l.headerLength)
	b = binary.LittleEndian.AppendUint64(b, l.fileLength)
	return append(b, l.headerSum[:]...)
}

// readPrologue checks the front of a file, and the header against its hash.
// It returns the header as it lies in data.
func readPrologue(data []byte) (prologue, []byte, error) {
	var (
		l    prologue
		here place
	)
	if len(data) < prologueBytes {
		return l, nil, here.fault(ErrFormat, "file", "%d bytes, a program file has at least %d", len(data), prologueBytes)
	}
	if !bytes.HasPrefix(data, []byte(magic)) {
		return l, nil, here.fault(ErrFormat, "magic", "%q, a program file begins with %q", data[:len(magic)], magic)
	}
	if v := binary.LittleEndian.Uint32(data[8:]); v != FormatVersion {
		return l, nil, here.fault(ErrVersion, "format version", "%d, this zeroth reads %d", v, FormatVersion)
	}
	if v := binary.LittleEndian.Uint32(data[12:]); v != 0 {
		return l, nil, here.fault(ErrFormat, "reserved", "%d, must be 0", v)
	}
	l.headerLength = binary.LittleEndian.Uint64(data[16:])
	l.fileLength = binary.LittleEndian.Uint64(data[24:])
	copy(l.headerSum[:], data[32:])
	switch {
	case l.fileLength != uint64(len(data)):
		return l, nil, here.fault(ErrFormat, "file length", "%d bytes are promised, the file has %d", l.fileLength, len(data))
	case l.headerLength > MaxHeaderBytes:
		return l, nil, here.fault(ErrLimit, "header length", "%d bytes, at most %d", l.headerLength, MaxHeaderBytes)
	case l.headerLength > uint64(len(data)-prologueBytes):
		return l, nil, here.fault(ErrFormat, "header length", "%d bytes, the file has %d after the prologue",
			l.headerLength, len(data)-prologueBytes)
	}
	header := data[prologueBytes : prologueBytes+int(l.headerLength)]
	if sum := sha256.Sum256(header); sum != l.headerSum {
		return l, nil, here.fault(ErrChecksum, "header", "SHA-256 is %x…, must be %x…", sum[:8], l.headerSum[:8])
	}
	return l, header, nil
}
