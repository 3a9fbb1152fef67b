package journal

import (
	"encoding/binary"
	"fmt"
	"math"
)

const (
	headerFixedBytes = 100   // the header payload before its lists
	siteFixedBytes   = 8 + 2 // a site without its name
	settingMinBytes  = 2 + 2 // a setting without key and value
)

// headerBytes returns the length of the header's payload.
func headerBytes(h *Header) int {
	n := headerFixedBytes
	for _, site := range h.Sites {
		n += siteFixedBytes + len(site.Name)
	}
	for key, value := range h.Settings {
		n += settingMinBytes + len(key) + len(value)
	}
	return n
}

// appendHeader appends the payload of a header that passed check.
func appendHeader(out []byte, h *Header) []byte {
	out = append(out, h.Program[:]...)
	out = append(out, h.Start[:]...)
	out = binary.LittleEndian.AppendUint64(out, h.Seed)
	out = binary.LittleEndian.AppendUint32(out, uint32(h.Rank))
	out = binary.LittleEndian.AppendUint32(out, math.Float32bits(h.Alpha))
	out = binary.LittleEndian.AppendUint32(out, h.Sampler)
	out = binary.LittleEndian.AppendUint32(out, uint32(h.Q))
	out = binary.LittleEndian.AppendUint32(out, math.Float32bits(h.Eps))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(h.Sites)))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(h.Settings)))
	for _, site := range h.Sites {
		out = binary.LittleEndian.AppendUint64(out, site.ID)
		out = appendText(out, site.Name)
	}
	for _, key := range sortedKeys(h.Settings) {
		out = appendText(out, key)
		out = appendText(out, h.Settings[key])
	}
	return out
}

func appendText(out []byte, text string) []byte {
	out = binary.LittleEndian.AppendUint16(out, uint16(len(text)))
	return append(out, text...)
}

// decodeHeader reads a header payload and holds it against every rule of the
// layout.
func decodeHeader(payload []byte) (*Header, error) {
	if len(payload) < headerFixedBytes {
		return nil, fmt.Errorf("payload has %d bytes, needs at least %d", len(payload), headerFixedBytes)
	}
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(payload[at:]) }
	h := &Header{
		Program: [32]byte(payload[0:32]),
		Start:   [32]byte(payload[32:64]),
		Seed:    binary.LittleEndian.Uint64(payload[64:]),
		Alpha:   math.Float32frombits(u32(76)),
		Sampler: u32(80),
		Eps:     math.Float32frombits(u32(88)),
	}
	// A count past its limit stays past it on a 32-bit int too.
	h.Rank = int(min(u32(72), maxRank+1))
	h.Q = int(min(u32(84), maxQueries+1))

	rest := &textReader{rest: payload[headerFixedBytes:]}
	if err := h.decodeSites(rest, u32(92)); err != nil {
		return nil, err
	}
	if err := h.decodeSettings(rest, u32(96)); err != nil {
		return nil, err
	}
	if len(rest.rest) != 0 {
		return nil, fmt.Errorf("%d bytes follow the last setting", len(rest.rest))
	}
	return h, h.check()
}

func (h *Header) decodeSites(rest *textReader, count uint32) error {
	if count > maxSites || int(count)*siteFixedBytes > len(rest.rest) {
		return fmt.Errorf("%d sites do not fit into %d bytes", count, len(rest.rest))
	}
	h.Sites = make([]Site, count)
	for i := range h.Sites {
		id, ok := rest.u64()
		name, okName := rest.text()
		if !ok || !okName {
			return fmt.Errorf("site %d runs past the end of the header", i)
		}
		h.Sites[i] = Site{ID: id, Name: name}
	}
	return nil
}

func (h *Header) decodeSettings(rest *textReader, count uint32) error {
	if count > maxSettings || int(count)*settingMinBytes > len(rest.rest) {
		return fmt.Errorf("%d settings do not fit into %d bytes", count, len(rest.rest))
	}
	if count == 0 {
		return nil
	}
	h.Settings = make(map[string]string, count)
	last := ""
	for i := range count {
		key, ok := rest.text()
		value, okValue := rest.text()
		if !ok || !okValue {
			return fmt.Errorf("setting %d runs past the end of the header", i)
		}
		if key <= last {
			return fmt.Errorf("setting %d: key %q does not come after %q", i, key, last)
		}
		h.Settings[key], last = value, key
	}
	return nil
}

// textReader takes numbers and length-prefixed text from the front of rest.
type textReader struct{ rest []byte }

func (r *textReader) u64() (uint64, bool) {
	if len(r.rest) < 8 {
		return 0, false
	}
	value := binary.LittleEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return value, true
}

func (r *textReader) text() (string, bool) {
	if len(r.rest) < 2 {
		return "", false
	}
	n := int(binary.LittleEndian.Uint16(r.rest))
	if len(r.rest)-2 < n {
		return "", false
	}
	text := string(r.rest[2 : 2+n])
	r.rest = r.rest[2+n:]
	return text, true
}
