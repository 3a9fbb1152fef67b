package tokenizer

import (
	"encoding/binary"
	"fmt"
)

// Wire types of Protocol Buffers that may occur. The group types 3 and 4 are
// deprecated and refused.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// wireField is one field of a message. value holds the content of a varint or
// fixed field, bytes that of a length-delimited one (a part of the input, not a
// copy); offset is where the field begins in the file.
type wireField struct {
	number uint64
	wire   uint64
	value  uint64
	bytes  string
	offset int
	start  int // offset of bytes in the file
}

// wireReader reads the fields of one message in order
// (protobuf.dev/programming-guides/encoding).
type wireReader struct {
	data   string
	pos    int // next byte in data
	origin int // offset of data in the file
}

// more reports whether fields remain.
func (r *wireReader) more() bool {
	return r.pos < len(r.data)
}

// next returns the next field.
func (r *wireReader) next() (wireField, error) {
	field := wireField{offset: r.origin + r.pos}
	tag, err := r.varint()
	if err != nil {
		return field, err
	}
	field.number, field.wire = tag>>3, tag&7
	if field.number == 0 || field.number >= 1<<29 {
		return field, r.errorf("field number %d is out of range", field.number)
	}
	switch field.wire {
	case wireVarint:
		field.value, err = r.varint()
	case wireFixed64:
		var content string
		if content, err = r.take(8); err == nil {
			field.value = binary.LittleEndian.Uint64([]byte(content))
		}
	case wireFixed32:
		var content string
		if content, err = r.take(4); err == nil {
			field.value = uint64(binary.LittleEndian.Uint32([]byte(content)))
		}
	case wireBytes:
		var size uint64
		if size, err = r.varint(); err == nil {
			field.start = r.origin + r.pos
			field.bytes, err = r.take(size)
		}
	default:
		err = r.errorf("field %d has wire type %d", field.number, field.wire)
	}
	return field, err
}

// varint reads a base-128 number of at most 64 bits.
func (r *wireReader) varint() (uint64, error) {
	var value uint64
	for shift := 0; shift < 64; shift += 7 {
		if r.pos >= len(r.data) {
			return 0, r.errorf("truncated number")
		}
		b := r.data[r.pos]
		r.pos++
		if shift == 63 && b > 1 {
			break
		}
		value |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return value, nil
		}
	}
	return 0, r.errorf("number longer than 64 bits")
}

// take returns the next size bytes.
func (r *wireReader) take(size uint64) (string, error) {
	if rest := len(r.data) - r.pos; size > uint64(rest) {
		return "", r.errorf("field of %d bytes, %d left", size, rest)
	}
	content := r.data[r.pos : r.pos+int(size)]
	r.pos += int(size)
	return content, nil
}

func (r *wireReader) errorf(format string, args ...any) error {
	return fmt.Errorf("byte %d: %s: %w", r.origin+r.pos, fmt.Sprintf(format, args...), ErrMalformed)
}

// want checks that a known field has its wire type.
func (f wireField) want(wire uint64, name string) error {
	if f.wire != wire {
		return fmt.Errorf("byte %d: %s has wire type %d, want %d: %w", f.offset, name, f.wire, wire, ErrMalformed)
	}
	return nil
}
