package prefix

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"slices"

	"zeroth/internal/bytesize"
	"zeroth/internal/filelock"
	"zeroth/internal/readat"
)

// ErrLocked is wrapped when another process has the file.
var ErrLocked = filelock.ErrLocked

const (
	magic       = "zthpfx01"
	headerBytes = 48
	recordBytes = 48 // of a record before its payload
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Key names a sequence by its tokens.
type Key [sha256.Size]byte

// Options say how a cache is opened.
type Options struct {
	// Identity names what computes the values; the codec's columns are added to it.
	Identity string
	Codec    Codec
	Budget   int64 // bytes that the file may have, or the files of a folder
	// Notice is told, a line each, what of the file cannot be used and when no
	// more is kept. It may be nil.
	Notice func(line string)
}

// Stats are what a cache holds and was asked for.
type Stats struct {
	Entries      int
	Bytes        int64
	Hits, Misses int64 // sequences found and not found since it was opened
}

// Cache is a file of values. It is for one goroutine. Whatever its file does, the
// cache goes on without: what cannot be read is not found, and what cannot be
// written is not kept.
type Cache struct {
	file    storage
	options Options
	entries map[Key]entry
	size    int64 // of the file, all of it good
	full    bool  // nothing more is written
	beside  *beside
	stats   Stats
	record  []byte // the last that was read or written
}

// storage is what a Cache needs of a file.
type storage interface {
	ReadAt(data []byte, offset int64) (int, error)
	WriteAt(data []byte, offset int64) (int, error)
	Truncate(bytes int64) error
	Close() error
}

type entry struct {
	offset        int64 // of the payload
	bytes, tokens uint32
	check         uint32 // CRC-32C of the payload
}

// Open opens the file at path, or makes it. It fails where that is no file of
// ours to write, or another process has it: the error then wraps ErrLocked.
func Open(path string, o Options) (*Cache, error) {
	if err := o.Codec.check(); err != nil {
		return nil, err
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", path, readat.ErrNotRegular)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err := filelock.Lock(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	c := &Cache{file: file, options: o, entries: make(map[Key]entry)}
	if err := c.load(path, info.Size()); err != nil {
		file.Close()
		return nil, err
	}
	return c, nil
}

// header is what the file begins with.
func (o *Options) header() []byte {
	identity := sha256.Sum256(fmt.Appendf(nil, "%d\x00%s", o.Codec.Columns, o.Identity))
	head := append([]byte(magic), identity[:]...)
	head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(head, castagnoli))
	return append(head, 0, 0, 0, 0)
}

// load finds the file's entries and cuts off what is torn, or beyond the budget.
func (c *Cache) load(path string, size int64) error {
	want := c.options.header()
	head := make([]byte, min(size, headerBytes))
	if err := readat.Full(c.file, head, 0); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !bytes.Equal(head, want) {
		if n := min(len(head), len(magic)); string(head[:n]) != magic[:n] {
			return fmt.Errorf("%s: %w: it is no file of cached values, so it is left alone", path, ErrPayload)
		}
		if size > 0 {
			c.options.Notice(fmt.Sprintf("%s: torn, or of another program, other layers or another arithmetic: begun anew", path))
		}
		if err := c.begin(want); err != nil {
			c.stop(err)
		}
		return nil
	}
	c.size = headerBytes
	for c.size < size {
		e, key, err := c.next(size)
		if err == nil && e.offset+int64(e.bytes) > c.options.Budget {
			err = fmt.Errorf("it may have %d", c.options.Budget)
		}
		if err != nil {
			c.options.Notice(fmt.Sprintf("%s: cut off at %d of %d bytes: %v", path, c.size, size, err))
			if err := c.file.Truncate(c.size); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			break
		}
		c.entries[key] = e
		c.size = e.offset + int64(e.bytes)
	}
	return nil
}

// begin makes the file empty but for its header.
func (c *Cache) begin(head []byte) error {
	if err := c.file.Truncate(0); err != nil {
		return err
	}
	if _, err := c.file.WriteAt(head, 0); err != nil {
		return err
	}
	c.size = headerBytes
	return nil
}

// next reads the head of the record at c.size.
func (c *Cache) next(size int64) (e entry, key Key, err error) {
	if size-c.size < recordBytes {
		return e, key, errors.New("the last record is incomplete")
	}
	var head [recordBytes]byte
	if err := readat.Full(c.file, head[:], c.size); err != nil {
		return e, key, err
	}
	number := func(at int) uint32 { return binary.LittleEndian.Uint32(head[at:]) }
	if crc32.Checksum(head[:44], castagnoli) != number(44) {
		return e, key, errors.New("a record's checksum differs")
	}
	copy(key[:], head[:])
	e = entry{offset: c.size + recordBytes, tokens: number(32), bytes: number(36), check: number(40)}
	if e.tokens < 1 || e.tokens > maxTokens {
		return e, key, fmt.Errorf("a record is of %d tokens", e.tokens)
	}
	if least, most := c.options.Codec.bytes(int(e.tokens)); int64(e.bytes) < least || int64(e.bytes) > most {
		return e, key, fmt.Errorf("a record of %d tokens has %d bytes", e.tokens, e.bytes)
	}
	if e.offset+int64(e.bytes) > size {
		return e, key, errors.New("the last record is incomplete")
	}
	return e, key, nil
}

// Load fills values with those of a sequence, if it has them whole.
func (c *Cache) Load(key Key, tokens int, values [][]float32) bool {
	found := c.find(key, tokens, values)
	if found {
		c.stats.Hits++
	} else {
		c.stats.Misses++
	}
	return found
}

func (c *Cache) find(key Key, tokens int, values [][]float32) bool {
	e, ok := c.entries[key]
	if !ok || int(e.tokens) != tokens {
		return false
	}
	c.record = slices.Grow(c.record[:0], int(e.bytes))[:e.bytes]
	err := readat.Full(c.file, c.record, e.offset)
	if err == nil && crc32.Checksum(c.record, castagnoli) != e.check {
		err = errors.New("its checksum differs")
	}
	if err == nil {
		err = c.options.Codec.Decode(c.record, tokens, values)
	}
	if err != nil {
		delete(c.entries, key)
		c.options.Notice(fmt.Sprintf("a cached sequence cannot be used and is computed anew: %v", err))
		return false
	}
	return true
}

// Store keeps a sequence's payload, which the codec wrote, while the budget
// lasts.
func (c *Cache) Store(key Key, tokens int, payload []byte) {
	if c.full {
		return
	}
	need := recordBytes + int64(len(payload))
	room, err := c.beside.leave(c.options.Budget - c.size - need)
	if err != nil {
		c.stop(err)
		return
	}
	if !room || len(payload) > math.MaxUint32 {
		c.full = true
		c.options.Notice(fmt.Sprintf("the prefix cache has its %s: of the sequences beyond, the frozen layers run each time", bytesize.Format(c.options.Budget)))
		return
	}
	e := entry{offset: c.size + recordBytes, tokens: uint32(tokens), bytes: uint32(len(payload)), check: crc32.Checksum(payload, castagnoli)}
	c.record = append(c.record[:0], key[:]...)
	for _, n := range []uint32{e.tokens, e.bytes, e.check} {
		c.record = binary.LittleEndian.AppendUint32(c.record, n)
	}
	c.record = binary.LittleEndian.AppendUint32(c.record, crc32.Checksum(c.record, castagnoli))
	c.record = append(c.record, payload...)
	if _, err := c.file.WriteAt(c.record, c.size); err != nil {
		c.stop(err)
		if err := c.file.Truncate(c.size); err != nil {
			c.options.Notice(fmt.Sprintf("the prefix cache has a torn end: %v", err))
		}
		return
	}
	c.entries[key] = e
	c.size += need
}

// stop keeps no more, for a reason.
func (c *Cache) stop(reason error) {
	c.full = true
	c.options.Notice(fmt.Sprintf("the prefix cache takes no more: %v", reason))
}

// Stats tells what the cache holds and was asked for.
func (c *Cache) Stats() Stats {
	s := c.stats
	s.Entries, s.Bytes = len(c.entries), c.size
	return s
}

// Close closes the file.
func (c *Cache) Close() error { return c.file.Close() }
