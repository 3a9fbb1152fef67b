package program

import "zeroth/runtime/op"

// Program is what a .zpt file holds: constants, mutable slots, and the methods
// that run over them. A Program that came from Open or passed Verify is sound:
// every index is in range, every node's types are what op inference gives.
type Program struct {
	Meta      []Meta // sorted by key, keys unique
	Constants []Constant
	Slots     []Slot
	Sites     []Site
	Methods   []Method
	Tokenizer Tokenizer
	// Fingerprint is the SHA-256 of the header of the file that the program was
	// read from or written to: it covers the segments' own hashes, so that it
	// names the whole contents.
	Fingerprint [32]byte
}

// Meta is a key with a value, both text: "arch" = "llama".
type Meta struct{ Key, Value string }

// Constant is a frozen tensor. Data is read-only: it is mapped from the file.
type Constant struct {
	Name string
	Type op.Type // constant extents, width 1
	Data []byte  // Type.Bytes of it, 64-byte aligned
}

// Slot is a mutable tensor that all methods share: the LoRA A and B of a site,
// or a weight that is trained itself. It has no storage in the file and is zero
// when a session begins.
type Slot struct {
	Name string
	Type op.Type // constant extents, width 1
	// Data is storage that the session takes for the slot, with what it begins
	// with, instead of zeros of its own. It must be writable and may not be
	// shared with another session. No file has it, and none can be written.
	Data []byte
}

// Site is a linear layer that LoRA can be put at. Its ID is the same whatever
// subset of the sites is trained, so that its perturbations are too.
type Site struct {
	ID     uint32
	Name   string // Hugging Face module path: "model.layers.3.self_attn.q_proj"
	Module string // short name: "q"
	Layer  int
	Out    int // M
	In     int // K
	// A and B are the slots of its LoRA, or -1 where it has none.
	A, B int
}

// Tokenizer is the raw tokenizer file that the program carries, or empty.
type Tokenizer struct {
	Kind string // mpzo/tokenizer.Kind
	Data []byte
}

// ValueKind says where a value lives.
type ValueKind uint8

// The kinds of value. The numbers are stored in program files.
const (
	Input    ValueKind = 1 // given by the caller of the method
	ConstRef ValueKind = 2 // Ref is an index into Constants
	SlotRef  ValueKind = 3 // Ref is an index into Slots
	Temp     ValueKind = 4 // made by a node
)

// Value is a tensor of a method.
type Value struct {
	Name string
	Kind ValueKind
	Ref  int // for ConstRef and SlotRef
	Type op.Type
}

// Node applies an op. In and Out index the method's values. Nodes stand in an
// order in which they can be run.
type Node struct {
	Op    op.ID
	Name  string // unique in the method; a linear site's node bears the site's name
	Attrs op.Attrs
	In    []int
	Out   []int
}

// Method is a graph with named inputs and outputs. Input values are those of
// kind Input, in order; their names are unique.
type Method struct {
	Name    string
	Values  []Value
	Nodes   []Node
	Outputs []int // values, of kind Temp, each with a unique name
}

// Lookup returns the value of a metadata key.
func (p *Program) Lookup(key string) (string, bool) {
	for _, m := range p.Meta {
		if m.Key == key {
			return m.Value, true
		}
	}
	return "", false
}

// Method returns the method of that name, or nil.
func (p *Program) Method(name string) *Method {
	for i := range p.Methods {
		if p.Methods[i].Name == name {
			return &p.Methods[i]
		}
	}
	return nil
}
