package tokenizer

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// charsMap holds SentencePiece's precompiled normalisation rules. The bytes are
//
//	uint32   size of the trie in bytes, little-endian
//	[]uint32 the trie: a darts-clone double array from source text to offset
//	[]byte   the replacements, each ended by a zero byte
//
// A unit of the double array packs, from its low bits: the label of the edge
// that leads to it (8 bits), whether a value hangs below (bit 8), whether its
// offset counts in steps of 256 (bit 9), and the offset (22 bits); children of
// unit i lie at i ^ offset ^ label. A unit with bit 31 set is a value.
type charsMap struct {
	units        []uint32
	replacements string
}

const (
	unitIsValue  = 1 << 31
	unitHasValue = 1 << 8
)

// parseCharsMap checks that no value lies outside the array and none points
// outside the replacements, which leaves only edges to check when matching.
func parseCharsMap(blob string) (*charsMap, error) {
	const header = 4
	if len(blob) < header {
		return nil, fmt.Errorf("%d bytes, want at least %d: %w", len(blob), header, ErrMalformed)
	}
	size := uint64(binary.LittleEndian.Uint32([]byte(blob[:header])))
	rest := blob[header:]
	if size == 0 || size%4 != 0 || size >= uint64(len(rest)) {
		return nil, fmt.Errorf("trie of %d bytes in %d, want a multiple of 4 and replacements behind: %w", size, len(rest), ErrMalformed)
	}
	m := &charsMap{units: make([]uint32, size/4), replacements: rest[size:]}
	for i := range m.units {
		m.units[i] = binary.LittleEndian.Uint32([]byte(rest[4*i : 4*i+4]))
	}
	if !strings.HasSuffix(m.replacements, "\x00") {
		return nil, fmt.Errorf("last replacement does not end in a zero byte: %w", ErrMalformed)
	}
	for replacement := range strings.SplitSeq(m.replacements, "\x00") {
		if len(replacement) > maxRuleBytes {
			return nil, fmt.Errorf("replacement of %d bytes, limit %d: %w", len(replacement), maxRuleBytes, ErrTooLarge)
		}
	}
	for i, unit := range m.units {
		if unit&unitIsValue != 0 || unit&unitHasValue == 0 {
			continue
		}
		at := uint32(i) ^ unitOffset(unit)
		if at >= uint32(len(m.units)) {
			return nil, fmt.Errorf("unit %d: value at unit %d of %d: %w", i, at, len(m.units), ErrMalformed)
		}
		if value := m.units[at] &^ unitIsValue; value >= uint32(len(m.replacements)) {
			return nil, fmt.Errorf("unit %d: replacement at byte %d of %d: %w", i, value, len(m.replacements), ErrMalformed)
		}
	}
	return m, nil
}

// longest returns the replacement of the longest rule that text begins with and
// the size of the rule's source in bytes, or 0 if none matches.
func (m *charsMap) longest(text string) (replacement string, size int) {
	at := unitOffset(m.units[0])
	for i := 0; i < min(len(text), maxRuleBytes); i++ {
		at ^= uint32(text[i])
		if at >= uint32(len(m.units)) {
			break
		}
		unit := m.units[at]
		if unit&(unitIsValue|0xff) != uint32(text[i]) {
			break
		}
		at ^= unitOffset(unit)
		if unit&unitHasValue != 0 {
			replacement = m.replacements[m.units[at]&^unitIsValue:]
			size = i + 1
		}
	}
	if size > 0 {
		replacement = replacement[:strings.IndexByte(replacement, 0)]
	}
	return replacement, size
}

func unitOffset(unit uint32) uint32 {
	return unit >> 10 << (unit & (1 << 9) >> 6)
}
