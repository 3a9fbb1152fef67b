package program

import (
	"encoding/binary"
	"unicode/utf8"
)

// cursor reads the header's fields from front to back. The first error sticks:
// after it every read gives zero, and every count is 0, so that readers need
// not test each field. Nothing is allocated before it is known that the bytes
// it stands for are there.
type cursor struct {
	place
	data []byte
	at   int
	err  error
}

// stop records the first error.
func (c *cursor) stop(kind error, field, format string, args ...any) {
	if c.err == nil {
		c.err = c.fault(kind, field, format, args...)
	}
}

// take gives the next n bytes of the header itself, or nil.
func (c *cursor) take(field string, n uint64) []byte {
	if c.err != nil {
		return nil
	}
	if left := len(c.data) - c.at; n > uint64(left) {
		c.stop(ErrFormat, field, "wants %d bytes of the header, %d are left", n, left)
		return nil
	}
	start := c.at
	c.at += int(n)
	return c.data[start:c.at:c.at]
}

// u64 reads an unsigned integer.
func (c *cursor) u64(field string) uint64 {
	if b := c.take(field, 8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// atMost reads an unsigned integer and refuses what is above most.
func (c *cursor) atMost(field string, most uint64) uint64 {
	v := c.u64(field)
	if v > most {
		c.stop(ErrFormat, field, "is %d, at most %d", v, most)
		return 0
	}
	return v
}

// atLeastMinusOne reads a signed integer from −1 to most.
func (c *cursor) atLeastMinusOne(field string, most int64) int {
	v := int64(c.u64(field))
	if v < -1 || v > most {
		c.stop(ErrFormat, field, "is %d, must be -1 to %d", v, most)
		return 0
	}
	return int(v)
}

// count reads the number of records of a list, each of which takes at least
// recordBytes of what follows. A list is allocated only after this check.
func (c *cursor) count(list string, most, recordBytes int) int {
	n := c.u64(list)
	left := len(c.data) - c.at
	switch {
	case c.err != nil:
		return 0
	case n > uint64(most):
		c.stop(ErrLimit, list, "%d of them, at most %d", n, most)
		return 0
	case n > uint64(left/recordBytes):
		c.stop(ErrFormat, list, "%d of them, %d bytes of the header are left", n, left)
		return 0
	}
	return int(n)
}

// text reads a length and that many bytes of UTF-8, and copies them.
func (c *cursor) text(field string, most int) string {
	n := c.u64(field)
	if n > uint64(most) {
		c.stop(ErrLimit, field, "%d bytes, at most %d", n, most)
		return ""
	}
	b := c.take(field, n)
	if !utf8.Valid(b) { // not quoted: it may be a megabyte of anything
		c.stop(ErrInvalid, field, "is not UTF-8")
		return ""
	}
	return string(b)
}
