package gguf

import "fmt"

// Type is how a tensor's elements are stored, by ggml's number for it.
type Type uint32

// The types that [File.ReadF32] decodes. [Write] takes F32 and F16. Those from
// Q4_0 on are quantised: see the decoders for what a block holds.
const (
	F32  Type = 0
	F16  Type = 1
	Q4_0 Type = 2
	Q4_1 Type = 3
	Q5_0 Type = 6
	Q5_1 Type = 7
	Q8_0 Type = 8
	Q2_K Type = 10
	Q3_K Type = 11
	Q4_K Type = 12
	Q5_K Type = 13
	Q6_K Type = 14
	F64  Type = 28
	BF16 Type = 30
)

// layout describes a type's blocks. Plain types have blocks of one element.
type layout struct {
	name     string
	elements int // per block; a row is a whole number of blocks
	bytes    int // per block
	// decode turns whole blocks of src into as many elements of dst; nil where
	// this package knows the size alone.
	decode func(dst []float32, src []byte)
}

// layoutOf returns the layout of a type, or false for a number that ggml does
// not use, or no longer: such a tensor's size cannot be checked.
// (Source: enum ggml_type in ggml.h, block sizes from ggml-common.h.)
func layoutOf(t Type) (layout, bool) {
	switch t {
	case F32:
		return layout{"F32", 1, 4, decodeF32}, true
	case F16:
		return layout{"F16", 1, 2, decodeF16}, true
	case BF16:
		return layout{"BF16", 1, 2, decodeBF16}, true
	case F64:
		return layout{"F64", 1, 8, decodeF64}, true
	case Q4_0:
		return layout{"Q4_0", 32, 18, decodeQ4_0}, true
	case Q4_1:
		return layout{"Q4_1", 32, 20, decodeQ4_1}, true
	case Q5_0:
		return layout{"Q5_0", 32, 22, decodeQ5_0}, true
	case Q5_1:
		return layout{"Q5_1", 32, 24, decodeQ5_1}, true
	case Q8_0:
		return layout{"Q8_0", 32, 34, decodeQ8_0}, true
	case Q2_K:
		return layout{"Q2_K", 256, 84, decodeQ2K}, true
	case Q3_K:
		return layout{"Q3_K", 256, 110, decodeQ3K}, true
	case Q4_K:
		return layout{"Q4_K", 256, 144, decodeQ4K}, true
	case Q5_K:
		return layout{"Q5_K", 256, 176, decodeQ5K}, true
	case Q6_K:
		return layout{"Q6_K", 256, 210, decodeQ6K}, true
	}
	return sizeOnly(t)
}

// sizeOnly is layoutOf for the types that are measured and not decoded.
func sizeOnly(t Type) (layout, bool) {
	for _, known := range [...]struct {
		number Type
		layout
	}{
		{9, layout{name: "Q8_1", elements: 32, bytes: 36}},
		{15, layout{name: "Q8_K", elements: 256, bytes: 292}},
		{16, layout{name: "IQ2_XXS", elements: 256, bytes: 66}},
		{17, layout{name: "IQ2_XS", elements: 256, bytes: 74}},
		{18, layout{name: "IQ3_XXS", elements: 256, bytes: 98}},
		{19, layout{name: "IQ1_S", elements: 256, bytes: 50}},
		{20, layout{name: "IQ4_NL", elements: 32, bytes: 18}},
		{21, layout{name: "IQ3_S", elements: 256, bytes: 110}},
		{22, layout{name: "IQ2_S", elements: 256, bytes: 82}},
		{23, layout{name: "IQ4_XS", elements: 256, bytes: 136}},
		{24, layout{name: "I8", elements: 1, bytes: 1}},
		{25, layout{name: "I16", elements: 1, bytes: 2}},
		{26, layout{name: "I32", elements: 1, bytes: 4}},
		{27, layout{name: "I64", elements: 1, bytes: 8}},
		{29, layout{name: "IQ1_M", elements: 256, bytes: 56}},
		{34, layout{name: "TQ1_0", elements: 256, bytes: 54}},
		{35, layout{name: "TQ2_0", elements: 256, bytes: 66}},
		{39, layout{name: "MXFP4", elements: 32, bytes: 17}},
		{40, layout{name: "NVFP4", elements: 64, bytes: 36}},
		{41, layout{name: "Q1_0", elements: 128, bytes: 18}},
		{42, layout{name: "Q2_0", elements: 64, bytes: 18}},
	} {
		if known.number == t {
			return known.layout, true
		}
	}
	return layout{}, false
}

// String returns ggml's name of the type.
func (t Type) String() string {
	if known, found := layoutOf(t); found {
		return known.name
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// Decodable tells whether [File.ReadF32] reads tensors of the type.
func (t Type) Decodable() bool {
	known, _ := layoutOf(t)
	return known.decode != nil
}
