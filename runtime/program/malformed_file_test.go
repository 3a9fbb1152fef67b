package program

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
)

// fileFault is the sample's file damaged in one way, all hashes being right
// unless they are the fault.
type fileFault struct {
	name   string
	damage func(t *testing.T, data []byte) []byte
	want   string // how the error begins: field, then the number
	kind   error
}

// put overwrites 8 bytes of a file at a given offset.
func put(at int, v uint64) func(*testing.T, []byte) []byte {
	return func(_ *testing.T, data []byte) []byte {
		binary.LittleEndian.PutUint64(data[at:], v)
		return data
	}
}

// put4 overwrites 4.
func put4(at int, v uint32) func(*testing.T, []byte) []byte {
	return func(_ *testing.T, data []byte) []byte {
		binary.LittleEndian.PutUint32(data[at:], v)
		return data
	}
}

// set overwrites a bounded integer field of the header.
func set(field string, v uint64) func(*testing.T, []byte) []byte {
	return func(t *testing.T, data []byte) []byte {
		header, body := split(data)
		binary.LittleEndian.PutUint64(header[fieldAt(t, header, field):], v)
		return seal(header, body)
	}
}

// setLength overwrites the stated length of the first text with these bytes.
func setLength(text string, v uint64) func(*testing.T, []byte) []byte {
	return func(_ *testing.T, data []byte) []byte {
		header, body := split(data)
		binary.LittleEndian.PutUint64(header[bytes.Index(header, []byte(text))-8:], v)
		return seal(header, body)
	}
}

// move changes what the header says of segment i.
func move(i int, change func(s *segment)) func(*testing.T, []byte) []byte {
	return func(*testing.T, []byte) []byte {
		return assemble(sample(), func(segments []segment) { change(&segments[i]) })
	}
}

// withBody puts another body behind the same header.
func withBody(change func(body []byte) []byte) func(*testing.T, []byte) []byte {
	return func(_ *testing.T, data []byte) []byte {
		header, body := split(data)
		return seal(header, change(body))
	}
}

// withHeader puts another header before the same body.
func withHeader(change func(header []byte) []byte) func(*testing.T, []byte) []byte {
	return func(_ *testing.T, data []byte) []byte {
		header, body := split(data)
		return seal(change(header), body)
	}
}

const huge = math.MaxUint64

var prologueFaults = []fileFault{
	{"empty", func(*testing.T, []byte) []byte { return nil }, "file: 0 bytes", ErrFormat},
	{"magic of a text transfer", func(_ *testing.T, d []byte) []byte { return bytes.Replace(d, []byte("\r\n"), []byte("\n"), 1) }, "magic: ", ErrFormat},
	{"version 0", put4(8, 0), "format version: 0, this zeroth reads 1", ErrVersion},
	{"newer version", put4(8, 2), "format version: 2", ErrVersion},
	{"reserved", put4(12, 1), "reserved: 1", ErrFormat},
	{"header length 0", put(16, 0), "header: SHA-256", ErrChecksum},
	{"header past the end", put(16, 5000), "header length: 5000 bytes, the file has", ErrFormat},
	{"header huge", put(16, huge), "header length: 18446744073709551615 bytes, at most", ErrLimit},
	{"file length short", put(24, 64), "file length: 64 bytes are promised", ErrFormat},
	{"file length wraps", put(24, huge), "file length: ", ErrFormat},
	{"header hash", put(32, 1), "header: SHA-256", ErrChecksum},
	{"byte after the end", func(_ *testing.T, d []byte) []byte { return append(d, 0) }, "file length: ", ErrFormat},
	{"byte after the end, counted", withBody(func(b []byte) []byte { return append(b, 0) }), "file length: ", ErrFormat},
	{"header with a byte left over", withHeader(func(h []byte) []byte { return append(h, 0) }), "header: 1 bytes are left over", ErrFormat},
	{"header cut short", withHeader(func(h []byte) []byte { return h[:len(h)-1] }), "tokenizer.segment.sha256: wants 32 bytes of the header, 31 are left", ErrFormat},
	{"header of nothing", withHeader(func(h []byte) []byte { return nil }), "meta: wants 8 bytes", ErrFormat},
}

var segmentFaults = []fileFault{
	{"offset wraps", move(1, func(s *segment) { s.offset = huge - 63 }), "constants[1].segment.offset: 18446744073709551552 leaves a gap", ErrFormat},
	{"offset past the end", move(1, func(s *segment) { s.offset = 1 << 40 }), "constants[1].segment.offset: ", ErrFormat},
	{"offset not aligned", move(1, func(s *segment) { s.offset++ }), "constants[1].segment.offset: ", ErrFormat},
	{"offset in the header", move(0, func(s *segment) { s.offset = 0 }), "constants[0].segment.offset: 0 overlaps what ends at ", ErrFormat},
	{"overlap", move(1, func(s *segment) { s.offset -= 64 }), "constants[1].segment.offset: ", ErrFormat},
	{"gap", move(1, func(s *segment) { s.offset += 64 }), "constants[1].segment.offset: ", ErrFormat},
	{"length wraps", move(1, func(s *segment) { s.length = huge }), "constants[1].segment.length: 18446744073709551615 bytes at ", ErrFormat},
	{"length past the end", move(5, func(s *segment) { s.length++ }), "tokenizer.segment.length: 4 bytes at ", ErrFormat},
	{"length of the last short", move(5, func(s *segment) { s.length-- }), "file length: ", ErrFormat},
	{"length of another short", move(1, func(s *segment) { s.length-- }), "constants[2].segment.padding: byte ", ErrFormat},
	{"length of another short, and zeros", func(t *testing.T, d []byte) []byte {
		p := sample()
		p.Constants[1].Data = append(p.Constants[1].Data[:12], 0, 0, 0, 0)
		return reseal(assemble(p, func(s []segment) { s[1].length = 12 }))
	}, "constants[1].data: 12 bytes, f32[1 4] takes 16", ErrInvalid},
	{"wrong hash", move(3, func(s *segment) { s.sum[0] ^= 1 }), "constants[3].segment.sha256: is ", ErrChecksum},
	{"wrong hash of the tokenizer", move(5, func(s *segment) { s.sum[31] ^= 1 }), "tokenizer.segment.sha256: is ", ErrChecksum},
	{"two wrong hashes", func(*testing.T, []byte) []byte {
		return assemble(sample(), func(s []segment) { s[4].sum[0] ^= 1; s[2].sum[0] ^= 1 })
	}, "constants[2].segment.sha256: is ", ErrChecksum},
	{"padding", func(_ *testing.T, d []byte) []byte { d[len(d)-4] = 1; return reseal(d) }, "tokenizer.segment.padding: byte ", ErrFormat},
	{"segments cut off", withBody(func(b []byte) []byte { return nil }), "constants[0].segment.length: 112 bytes at ", ErrFormat},
}

var headerFaults = []fileFault{
	{"absurd count of constants", set("constants", huge), "constants: 18446744073709551615 of them, at most", ErrLimit},
	{"constants that cannot be there", set("constants", 1000), "constants: 1000 of them, ", ErrFormat},
	{"meta that cannot be there", set("meta", 4000), "meta: 4000 of them, ", ErrFormat},
	{"absurd count of slots", set("slots", 1<<17+1), "slots: 131073 of them, at most", ErrLimit},
	{"sites that cannot be there", set("sites", 1<<16), "sites: 65536 of them, ", ErrFormat},
	{"absurd count of methods", set("methods", 65), "methods: 65 of them, at most 64", ErrLimit},
	{"values that cannot be there", set("methods[0].values", 1<<16), "methods[0].values: 65536 of them, ", ErrFormat},
	{"nodes that cannot be there", set("methods[1].nodes", 1<<14), "methods[1].nodes: 16384 of them, ", ErrFormat},
	{"absurd count of inputs", set("methods[0].nodes[2].inputs", 65), "methods[0].nodes[2].inputs: 65 of them, at most 64", ErrLimit},
	{"inputs of another op", set("methods[0].nodes[4].inputs", 3), "methods[0].nodes[4].inputs: 3 of them, Gather has 2 to 2", ErrFormat},
	{"absurd count of outputs", set("methods[0].nodes[2].outputs", huge), "methods[0].nodes[2].outputs: ", ErrLimit},
	{"absurd count of method outputs", set("methods[0].outputs", 1<<63), "methods[0].outputs: ", ErrLimit},
	{"tokenizer without kind", func(_ *testing.T, d []byte) []byte {
		header, body := split(d)
		at := bytes.Index(header, []byte("letters"))
		header = append(header[:at-8], append(make([]byte, 8), header[at+7:]...)...)
		return seal(header, body)
	}, "tokenizer.kind: must not be empty", ErrInvalid},
	{"two tokenizers", set("tokenizer", 2), "tokenizer: is 2, at most 1", ErrFormat},
	{"name length wraps", setLength("up.weight", huge), "constants[2].name: 18446744073709551615 bytes, at most 512", ErrLimit},
	{"name past the header", setLength("letters", 500), "tokenizer.kind: wants 500 bytes of the header", ErrFormat},
	{"long value not UTF-8", setLength("two\nlines", 2000), "meta[1].value: is not UTF-8", ErrInvalid},
	{"value past the header", setLength("two\nlines", 1<<20), "meta[1].value: wants 1048576 bytes", ErrFormat},
	{"dtype that is no byte", set("constants[1].type.dtype", 257), "constants[1].type.dtype: is 257", ErrFormat},
	{"layout that is no byte", set("slots[1].type.layout", 256), "slots[1].type.layout: is 256", ErrFormat},
	{"width that is no bit", set("methods[0].values[13].type.wide", 2), "methods[0].values[13].type.wide: is 2, at most 1", ErrFormat},
	{"rank 3", set("constants[1].type.shape", 3), "constants[1].type.shape: 3 of them, at most 2", ErrLimit},
	{"extent huge", set("constants[1].type.shape[0].extent", 1<<40), "constants[1].type.shape[0].extent: is 1099511627776", ErrFormat},
	{"symbol that is no byte", set("methods[0].values[0].type.shape[0].sym", 256), "methods[0].values[0].type.shape[0].sym: is 256", ErrFormat},
	{"site id above 32 bits", set("sites[0].id", 1<<32), "sites[0].id: is 4294967296", ErrFormat},
	{"site with a huge layer", set("sites[0].layer", 1<<20), "sites[0].layer: is 1048576, must be -1 to", ErrFormat},
	{"site with a slot below -1", set("sites[0].b", huge-1), "sites[0].b: is -2, must be -1 to", ErrFormat},
	{"value kind that is no byte", set("methods[0].values[2].kind", 258), "methods[0].values[2].kind: is 258", ErrFormat},
	{"value ref huge", set("methods[0].values[3].ref", huge), "methods[0].values[3].ref: is 18446744073709551615", ErrFormat},
	{"input huge", set("methods[0].nodes[1].inputs[0]", 1<<32), "methods[0].nodes[1].inputs[0]: is 4294967296", ErrFormat},
	{"unknown op", set("methods[0].nodes[1].op", 999), "methods[0].nodes[1].op: 999 is not known: the program wants a newer zeroth", ErrVersion},
	{"op above 16 bits", set("methods[0].nodes[1].op", 1<<16+2), "methods[0].nodes[1].op: is 65538", ErrFormat},
	{"op of a newer version", set("methods[0].nodes[1].op version", 2), "methods[0].nodes[1].op version: RMSNormalization 2 is newer than 1", ErrVersion},
	{"op of version 0", set("methods[0].nodes[1].op version", 0), "methods[0].nodes[1].op version: RMSNormalization 0 is older than 1", ErrVersion},
	{"attributes missing", set("methods[0].nodes[1].attrs", 0), "methods[0].nodes[1].attrs: 0 of them, RMSNormalization has 1", ErrFormat},
	{"attribute of another kind", set("methods[0].nodes[1].attrs[0].kind", 1), "methods[0].nodes[1].attrs[0].kind: is 1, attribute epsilon has kind 2", ErrFormat},
}

// TestMalformedFiles: every damage is refused, and the error begins with the
// field that is wrong.
func TestMalformedFiles(t *testing.T) {
	for kind, faults := range map[string][]fileFault{
		"prologue": prologueFaults, "segment": segmentFaults, "header": headerFaults,
	} {
		for _, fault := range faults {
			t.Run(kind+"/"+fault.name, func(t *testing.T) {
				_, err := Parse(fault.damage(t, assemble(sample(), nil)))
				if err == nil || !strings.HasPrefix(err.Error(), fault.want) || !errors.Is(err, fault.kind) {
					t.Errorf("%v\nwant %s… %v", err, fault.want, fault.kind)
				}
			})
		}
	}
}
