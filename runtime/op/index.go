package op

import "fmt"

// IndexKind says what an index input addresses.
type IndexKind uint8

// The index rules.
const (
	// Below: every value v satisfies 0 ≤ v < the first extent of input Of, less Less.
	Below IndexKind = iota
	// Offsets: the values begin at 0, never fall, and end at the first extent
	// of input Of, less Less: the packed boundaries known as cu_seqlens.
	Offsets
	// InGroup: value g satisfies 0 ≤ v < offsets[g+1] − offsets[g], where
	// offsets is input Of, itself under an Offsets rule.
	InGroup
)

// IndexRule is the contract of an index input's values. It is checked by the
// executor before each run, once for all backends, so that no kernel can be
// led out of its buffers.
type IndexRule struct {
	Kind IndexKind
	Of   int // input whose first axis is addressed
	Less int // how much less than that axis' extent counts
}

// Check holds values against the rule: extent is that of the addressed
// axis, and offsets the addressed input's values for InGroup.
func (r IndexRule) Check(values []int32, extent int, offsets []int32) error {
	switch r.Kind {
	case Below:
		for i, v := range values {
			if v < 0 || int(v) >= extent {
				return fmt.Errorf("%w: element %d is %d, must be 0 to %d", ErrInvalid, i, v, extent-1)
			}
		}
	case Offsets:
		return checkOffsets(values, extent)
	case InGroup:
		for i, v := range values {
			if size := offsets[i+1] - offsets[i]; v < 0 || v >= size {
				return fmt.Errorf("%w: element %d is %d, must be 0 to %d", ErrInvalid, i, v, size-1)
			}
		}
	}
	return nil
}

func checkOffsets(values []int32, extent int) error {
	if len(values) == 0 || values[0] != 0 || int(values[len(values)-1]) != extent {
		return fmt.Errorf("%w: offsets must begin at 0 and end at %d", ErrInvalid, extent)
	}
	for i := 1; i < len(values); i++ {
		if values[i] < values[i-1] {
			return fmt.Errorf("%w: offset %d is %d, below the one before it (%d)", ErrInvalid, i, values[i], values[i-1])
		}
	}
	return nil
}
