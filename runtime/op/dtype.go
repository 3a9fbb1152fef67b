package op

import "fmt"

// DType is an element type. The numbers are stored in program files.
type DType uint8

// The element types. F32, I32 and U32 are for values of all kinds. The others
// are for weight matrices in the Panels16 layout alone, whose doc says how they
// lie; package runtime/quant converts them.
const (
	F32 DType = 1 // IEEE 754 binary32
	I32 DType = 2 // signed 32-bit integer: token ids, positions, offsets
	U32 DType = 3 // unsigned 32-bit integer: seeds
	// BF16 is the upper half of a binary32.
	BF16 DType = 4
	// I8 is a signed byte, −127 to 127, times an f32 of its row.
	I8 DType = 5
	// Q4 is (code − 8), code 0 to 15, times an f16 of its row and 32 columns.
	Q4 DType = 6
	// NF4 is one of 16 levels, near the quantiles of the normal distribution
	// (QLoRA, arXiv 2305.14314), times a scale of its row and 64 columns. The
	// scale is itself quantised: u8/255 of an f32 of the row.
	NF4 DType = 7
)

// MaxInnerI8 bounds K of an i8 matrix, so that the sum of K products of two
// bytes, one of them unsigned, fits a signed 32-bit integer.
const MaxInnerI8 = 1 << 16

var dtypes = map[DType]struct {
	name  string
	bytes int // of an element; 0 where several share a byte
	word  int // elements in a 32-bit word of a panel
	group int // columns that share a scale, where they do
}{
	F32:  {"f32", 4, 1, 1},
	I32:  {"i32", 4, 0, 0},
	U32:  {"u32", 4, 0, 0},
	BF16: {"bf16", 2, 2, 2},
	I8:   {"i8", 1, 4, 4},
	Q4:   {"q4", 0, 8, 32},
	NF4:  {"nf4", 0, 8, 64},
}

// WeightTypes are the element types that a weight matrix may have, the most
// precise first.
func WeightTypes() []DType { return []DType{F32, BF16, I8, NF4, Q4} }

// ParseDType is the element type of that name.
func ParseDType(name string) (DType, error) {
	for d, e := range dtypes {
		if e.name == name {
			return d, nil
		}
	}
	return 0, fmt.Errorf("%w: unknown element type %.32q", ErrInvalid, name)
}

// Valid reports whether d is an element type this version knows.
func (d DType) Valid() bool { _, ok := dtypes[d]; return ok }

// Bytes is the size of one element in bytes, or 0 for 4-bit types.
func (d DType) Bytes() int { return dtypes[d].bytes }

// Weight reports whether a weight matrix may have elements of type d.
func (d DType) Weight() bool { return dtypes[d].word > 0 }

// Packed reports whether d is for weight matrices in panels alone.
func (d DType) Packed() bool { return d.Weight() && d != F32 }

// Coded reports whether d is integer codes with scales. Matrices of them are
// constants: no op makes or moves one.
func (d DType) Coded() bool { return d.Packed() && d != BF16 }

// Word is the number of elements in a 32-bit word of a panel.
func (d DType) Word() int { return dtypes[d].word }

// Group is the number of columns that share a scale, for Q4 and NF4. For other
// weight types it is Word.
func (d DType) Group() int { return dtypes[d].group }

func (d DType) String() string {
	if e, ok := dtypes[d]; ok {
		return e.name
	}
	return fmt.Sprintf("dtype(%d)", uint8(d))
}
