package gguf

import "fmt"

// ValueType is the type of a metadata value, by the format's number for it.
type ValueType uint32

// All value types of versions 2 and 3.
const (
	Uint8 ValueType = iota
	Int8
	Uint16
	Int16
	Uint32
	Int32
	Float32
	Bool
	String
	Array
	Uint64
	Int64
	Float64
	valueTypes // their number
)

// String returns the format's name of the type.
func (v ValueType) String() string {
	names := [valueTypes]string{
		"UINT8", "INT8", "UINT16", "INT16", "UINT32", "INT32", "FLOAT32",
		"BOOL", "STRING", "ARRAY", "UINT64", "INT64", "FLOAT64",
	}
	if v < valueTypes {
		return names[v]
	}
	return fmt.Sprintf("value type %d", uint32(v))
}

// bytes returns the size of one value in the file: the least there can be for
// String, zero for Array and what is no type.
func (v ValueType) bytes() int64 {
	switch v {
	case Uint8, Int8, Bool:
		return 1
	case Uint16, Int16:
		return 2
	case Uint32, Int32, Float32:
		return 4
	case Uint64, Int64, Float64, String:
		return 8
	}
	return 0
}

// Metadatum describes a metadata entry without its value, which the accessor
// of its type reads.
type Metadatum struct {
	Key     string
	Type    ValueType
	Element ValueType // of an Array; otherwise the same as Type
	Count   int64     // elements of an Array; otherwise 1

	offset int64 // bytes from the start of the file to the first element
	bytes  int64 // of all elements
}

// TypeName spells the type as errors do: STRING, or ARRAY of STRING.
func (m Metadatum) TypeName() string {
	if m.Type == Array {
		return "ARRAY of " + m.Element.String()
	}
	return m.Type.String()
}
