package op

import (
	"fmt"
	"math"
)

// AttrKind is the type of an attribute. The numbers are stored in program files.
type AttrKind uint8

// The attribute kinds.
const (
	Int   AttrKind = 1
	Float AttrKind = 2
)

// Attr is one named attribute of a node. I holds an Int, F a Float.
type Attr struct {
	Name string
	Kind AttrKind
	I    int64
	F    float64
}

func (a Attr) String() string {
	if a.Kind == Float {
		return fmt.Sprintf("%s=%g", a.Name, a.F)
	}
	return fmt.Sprintf("%s=%d", a.Name, a.I)
}

// Attrs are a node's attributes in the order of the op's row in the table.
type Attrs []Attr

// IntAttr makes an integer attribute.
func IntAttr(name string, v int) Attr { return Attr{Name: name, Kind: Int, I: int64(v)} }

// BoolAttr makes an integer attribute that is 1 or 0.
func BoolAttr(name string, v bool) Attr {
	if v {
		return IntAttr(name, 1)
	}
	return IntAttr(name, 0)
}

// FloatAttr makes a float attribute.
func FloatAttr(name string, v float64) Attr { return Attr{Name: name, Kind: Float, F: v} }

// Int is the value of an integer attribute, or 0 where there is none. Checked
// nodes have all attributes of their op.
func (a Attrs) Int(name string) int {
	for i := range a {
		if a[i].Name == name {
			return int(a[i].I)
		}
	}
	return 0
}

// Float is the value of a float attribute, or 0 where there is none.
func (a Attrs) Float(name string) float64 {
	for i := range a {
		if a[i].Name == name {
			return a[i].F
		}
	}
	return 0
}

// AttrSpec declares an attribute: its kind and the closed range of values.
type AttrSpec struct {
	Name     string
	Kind     AttrKind
	Min, Max float64
}

func (s AttrSpec) check(a Attr) error {
	if a.Name != s.Name || a.Kind != s.Kind {
		return fmt.Errorf("%w: attribute %q where %q is wanted", ErrInvalid, a.Name, s.Name)
	}
	v := a.F
	if a.Kind == Int {
		v = float64(a.I)
	}
	if math.IsNaN(v) || v < s.Min || v > s.Max {
		return fmt.Errorf("%w: attribute %s is not within %g to %g", ErrInvalid, a, s.Min, s.Max)
	}
	return nil
}
