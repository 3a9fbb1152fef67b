package prefix

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"zeroth/internal/half"
)

// ErrPayload is wrapped when a payload is not what a Codec writes.
var ErrPayload = errors.New("invalid cached values")

// The limits of a sequence's values.
const (
	maxTokens  = 1 << 24
	maxColumns = 1 << 20
)

// The kinds of a row.
const (
	kindHalf   = 0
	kindSingle = 1
)

// Codec writes and reads the values of a sequence: of value i, Columns[i] for
// each token. A row is rounded to binary16, unless some element is beyond that
// (a massive activation), or all are below its normal numbers: then it stays
// float32.
type Codec struct{ Columns []int }

// check wants at least one value, each of a sensible width.
func (c Codec) check() error {
	if len(c.Columns) == 0 || len(c.Columns) > 1<<10 || slices.Min(c.Columns) < 1 || slices.Max(c.Columns) > maxColumns {
		return fmt.Errorf("%w: values of %d columns", ErrPayload, c.Columns)
	}
	return nil
}

// row is the columns of all values together.
func (c Codec) row() int {
	sum := 0
	for _, n := range c.Columns {
		sum += n
	}
	return sum
}

// bytes are the least and the most that a sequence's payload takes.
func (c Codec) bytes(tokens int) (least, most int64) {
	n := int64(tokens)
	kinds := n * int64(len(c.Columns))
	return kinds + 2*n*int64(c.row()), kinds + 4*n*int64(c.row())
}

// Append appends the payload of a sequence's values: of value i, values[i]
// [tokens, Columns[i]].
func (c Codec) Append(payload []byte, tokens int, values [][]float32) []byte {
	for i, columns := range c.Columns {
		kinds := len(payload)
		payload = append(payload, make([]byte, tokens)...)
		for n := range tokens {
			row := values[i][n*columns:][:columns]
			payload[kinds+n] = kindOf(row)
			if payload[kinds+n] == kindSingle {
				for _, v := range row {
					payload = binary.LittleEndian.AppendUint32(payload, math.Float32bits(v))
				}
				continue
			}
			for _, v := range row {
				payload = binary.LittleEndian.AppendUint16(payload, half.FromFloat(v))
			}
		}
	}
	return payload
}

// kindOf says how a row is written.
func kindOf(row []float32) byte {
	const smallestNormal = 0x1p-14
	largest := float32(0)
	for _, v := range row {
		if half.FromFloat(v)&0x7c00 == 0x7c00 { // infinite, or NaN
			return kindSingle
		}
		largest = max(largest, v, -v)
	}
	if largest > 0 && largest < smallestNormal {
		return kindSingle
	}
	return kindHalf
}

// Decode reads a sequence's payload into values. It changes nothing where it
// fails.
func (c Codec) Decode(payload []byte, tokens int, values [][]float32) error {
	if err := c.checkPayload(payload, tokens); err != nil {
		return err
	}
	for i, columns := range c.Columns {
		kinds := payload[:tokens]
		payload = payload[tokens:]
		for n, kind := range kinds {
			row := values[i][n*columns:][:columns]
			if kind == kindSingle {
				for k := range row {
					row[k] = math.Float32frombits(binary.LittleEndian.Uint32(payload[4*k:]))
				}
				payload = payload[4*columns:]
				continue
			}
			for k := range row {
				row[k] = half.ToFloat(binary.LittleEndian.Uint16(payload[2*k:]))
			}
			payload = payload[2*columns:]
		}
	}
	return nil
}

// checkPayload wants kinds that are known and rows that fill the payload.
func (c Codec) checkPayload(payload []byte, tokens int) error {
	rest := len(payload)
	for i, columns := range c.Columns {
		if rest < tokens {
			return fmt.Errorf("%w: %d bytes for %d tokens", ErrPayload, len(payload), tokens)
		}
		at := len(payload) - rest
		rest -= tokens
		for n, kind := range payload[at:][:tokens] {
			if kind > kindSingle {
				return fmt.Errorf("%w: value %d: token %d is of kind %d", ErrPayload, i, n, kind)
			}
			rest -= (2 + 2*int(kind)) * columns
		}
		if rest < 0 {
			return fmt.Errorf("%w: %d bytes for %d tokens", ErrPayload, len(payload), tokens)
		}
	}
	if rest != 0 {
		return fmt.Errorf("%w: %d bytes too many", ErrPayload, rest)
	}
	return nil
}
