package op

import (
	"fmt"
	"math"
	"strings"
)

// Layout says how the elements of a matrix lie in memory. The numbers are
// stored in program files.
type Layout uint8

// The layouts.
const (
	// Rows is row-major.
	Rows Layout = 0
	// Panels16 holds a weight matrix W [M, K] as ceil(M/16) panels of 16 rows
	// that a GEMM micro-kernel reads from front to back; see [Panels].
	Panels16 Layout = 1
)

// Valid reports whether l is a layout this version knows.
func (l Layout) Valid() bool { return l == Rows || l == Panels16 }

func (l Layout) String() string {
	switch l {
	case Rows:
		return "rows"
	case Panels16:
		return "panels16"
	}
	return fmt.Sprintf("layout(%d)", uint8(l))
}

// Sym names an extent that is bound when a program is run. The numbers are
// stored in program files.
type Sym uint8

// The symbols.
const (
	Const     Sym = 0 // no symbol: the extent is a constant
	Tokens    Sym = 1 // N: packed tokens of all sequences
	Sequences Sym = 2 // S: sequences in the pack
	LossRows  Sym = 3 // R: hidden rows that the loss or the caller reads
	Choices   Sym = 4 // K: candidate answers
	Examples  Sym = 5 // G: examples, each with its own candidates
	Queries   Sym = 6 // Q: directions of a zeroth-order step
	numSyms       = 7
)

var symNames = [numSyms]string{"", "N", "S", "R", "K", "G", "Q"}

func (s Sym) String() string {
	if int(s) < len(symNames) {
		return symNames[s]
	}
	return fmt.Sprintf("sym(%d)", uint8(s))
}

// Dim is one extent of a shape: the value of Sym plus Offset. With Sym Const
// it is the constant Offset.
type Dim struct {
	Sym    Sym
	Offset int
}

// C is the constant extent n.
func C(n int) Dim { return Dim{Offset: n} }

// S is the extent of symbol s plus offset.
func S(s Sym, offset int) Dim { return Dim{Sym: s, Offset: offset} }

func (d Dim) String() string {
	switch {
	case d.Sym == Const:
		return fmt.Sprint(d.Offset)
	case d.Offset == 0:
		return d.Sym.String()
	}
	return fmt.Sprintf("%s%+d", d.Sym, d.Offset)
}

// MaxDim bounds every extent, constant or bound, so that sizes of rank-2
// shapes of any width fit in int64.
const MaxDim = 1 << 28

// MaxRank bounds the rank of a shape, the width axis not counted.
const MaxRank = 2

// Extents binds the width P and the symbols for one run, or bounds them from
// above for a session.
type Extents struct {
	Width int // P: copies of a wide value
	N     int // packed tokens
	S     int // sequences
	R     int // loss rows
	K     int // candidates
	G     int // examples
	Q     int // queries
}

// Of gives the extent of d.
func (e Extents) Of(d Dim) int {
	switch d.Sym {
	case Tokens:
		return e.N + d.Offset
	case Sequences:
		return e.S + d.Offset
	case LossRows:
		return e.R + d.Offset
	case Choices:
		return e.K + d.Offset
	case Examples:
		return e.G + d.Offset
	case Queries:
		return e.Q + d.Offset
	}
	return d.Offset
}

// Within returns an error naming the first extent of e that is negative or
// exceeds the one of bounds.
func (e Extents) Within(bounds Extents) error {
	have := [...]int{e.Width, e.N, e.S, e.R, e.K, e.G, e.Q}
	most := [...]int{bounds.Width, bounds.N, bounds.S, bounds.R, bounds.K, bounds.G, bounds.Q}
	for i, name := range [...]string{
		"width P", "tokens N", "sequences S", "loss rows R", "candidates K", "examples G", "queries Q",
	} {
		if have[i] < 0 || have[i] > most[i] {
			return fmt.Errorf("%w: %s is %d, the session was made for 0 to %d", ErrInvalid, name, have[i], most[i])
		}
	}
	return nil
}

// Type is the type of a value: element type, layout, width and shape. Shape
// does not count the width axis.
type Type struct {
	DType  DType
	Layout Layout
	Wide   bool // one copy per perturbation
	Shape  []Dim
}

// Equal reports whether two types are the same.
func (t Type) Equal(u Type) bool {
	return t.Wide == u.Wide && t.DType == u.DType && t.Layout == u.Layout && sameShape(t.Shape, u.Shape)
}

func sameShape(a, b []Dim) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// String prints the type as "f32[P N 64]": P for a wide value, 1 for one that
// all perturbations share, and the layout where it is not row-major.
func (t Type) String() string {
	var b strings.Builder
	b.WriteString(t.DType.String())
	b.WriteString("[")
	if t.Wide {
		b.WriteString("P")
	} else {
		b.WriteString("1")
	}
	for _, d := range t.Shape {
		b.WriteString(" ")
		b.WriteString(d.String())
	}
	b.WriteString("]")
	if t.Layout != Rows {
		b.WriteString(":" + t.Layout.String())
	}
	return b.String()
}

// Check returns an error if the type itself is malformed: unknown element
// type or layout, rank above MaxRank, an extent out of [0, MaxDim], or a
// layout that its shape cannot have.
func (t Type) Check() error {
	if !t.DType.Valid() {
		return fmt.Errorf("%w: unknown %s", ErrInvalid, t.DType)
	}
	if !t.Layout.Valid() {
		return fmt.Errorf("%w: unknown %s", ErrInvalid, t.Layout)
	}
	if len(t.Shape) > MaxRank {
		return fmt.Errorf("%w: rank %d, at most %d", ErrInvalid, len(t.Shape), MaxRank)
	}
	for i, d := range t.Shape {
		if d.Sym >= numSyms {
			return fmt.Errorf("%w: dimension %d: unknown %s", ErrInvalid, i, d.Sym)
		}
		if d.Offset < 0 || d.Offset > MaxDim {
			return fmt.Errorf("%w: dimension %d: %s is not within 0 to %d", ErrInvalid, i, d, MaxDim)
		}
	}
	if t.Layout == Panels16 && (len(t.Shape) != 2 || !t.Constant() || t.Wide) {
		return fmt.Errorf("%w: layout %s needs a constant matrix of width 1, not %s", ErrInvalid, t.Layout, t)
	}
	if t.Layout == Panels16 && !t.DType.Weight() {
		return fmt.Errorf("%w: layout %s is for weights, not for %s", ErrInvalid, t.Layout, t)
	}
	if t.DType.Packed() && t.Layout != Panels16 {
		return fmt.Errorf("%w: element type %s is for weights in layout %s alone", ErrInvalid, t.DType, Panels16)
	}
	if t.DType == I8 && t.Shape[1].Offset > MaxInnerI8 {
		return fmt.Errorf("%w: %s: K of an i8 matrix is at most %d", ErrInvalid, t, MaxInnerI8)
	}
	return nil
}

// Constant reports whether no dimension is symbolic.
func (t Type) Constant() bool {
	for _, d := range t.Shape {
		if d.Sym != Const {
			return false
		}
	}
	return true
}

// Bytes is the storage that a value of type t takes with extents e, all copies,
// panel padding and scales included. It fails where the product does not fit.
func (t Type) Bytes(e Extents) (int, error) {
	if t.Layout == Panels16 {
		if err := t.Check(); err != nil {
			return 0, err
		}
		if size := t.Panels().Bytes; size <= math.MaxInt {
			return int(size), nil
		}
		return 0, fmt.Errorf("%w: %s does not fit this machine's address space", ErrInvalid, t)
	}
	elements := int64(1)
	if t.Wide {
		elements = int64(e.Width)
	}
	for _, d := range t.Shape {
		n := int64(e.Of(d))
		if n < 0 || n > MaxDim {
			return 0, fmt.Errorf("%w: extent %s is %d, not within 0 to %d", ErrInvalid, d, n, MaxDim)
		}
		if n != 0 && elements > math.MaxInt64/8/n {
			return 0, fmt.Errorf("%w: %s has too many elements", ErrInvalid, t)
		}
		elements *= n
	}
	size := elements * int64(t.DType.Bytes())
	if size > math.MaxInt {
		return 0, fmt.Errorf("%w: %s does not fit this machine's address space", ErrInvalid, t)
	}
	return int(size), nil
}
