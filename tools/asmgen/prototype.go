package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
)

var errDirective = errors.New("directive")

// function is one function of a source: its Go name, the size of its arguments
// and results, and where each of those it uses lies.
type function struct {
	name      string
	prototype string // as it stands in the source: "func name(…) …"
	argsSize  int64
	arguments []operand // in the order of the register directive
	results   []operand
}

// operand is an argument or a result: bytes at offset from the frame pointer FP,
// and the register that holds it.
type operand struct {
	name     string
	offset   int64
	basic    types.BasicKind // types.UnsafePointer for any pointer
	register string          // x0…, w0…, s0…, d0…
}

// parsePrototype reads "func name(arguments) result" and lays its operands out
// as Go's assembler sees them: arguments one after another, each aligned to its
// size, and the results behind them, aligned to a word.
func parsePrototype(text string) (*function, map[string]operand, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", "package p; "+text, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, fmt.Errorf("%w %q: %w", errDirective, text, err)
	}
	config := types.Config{IgnoreFuncBodies: true}
	pkg, err := config.Check("p", files, []*ast.File{file}, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("%w %q: %w", errDirective, text, err)
	}
	names := pkg.Scope().Names()
	if len(names) != 1 {
		return nil, nil, fmt.Errorf("%w %q: want one function", errDirective, text)
	}
	object, ok := pkg.Scope().Lookup(names[0]).(*types.Func)
	if !ok {
		return nil, nil, fmt.Errorf("%w %q: not a function", errDirective, text)
	}
	f := &function{name: object.Name(), prototype: text}
	signature := object.Type().(*types.Signature)
	operands := make(map[string]operand)
	offset, err := layOut(operands, signature.Params(), "", 0)
	if err != nil {
		return nil, nil, fmt.Errorf("%w %q: %w", errDirective, text, err)
	}
	if signature.Results().Len() > 0 {
		offset, err = layOut(operands, signature.Results(), "ret", (offset+7)&^7)
		if err != nil {
			return nil, nil, fmt.Errorf("%w %q: %w", errDirective, text, err)
		}
	}
	f.argsSize = offset
	return f, operands, nil
}

// layOut adds the variables from offset on and returns where they end. unnamed
// is what vet calls a result without a name.
func layOut(operands map[string]operand, list *types.Tuple, unnamed string, offset int64) (int64, error) {
	sizes := types.SizesFor("gc", "arm64")
	for v := range list.Variables() {
		o := operand{name: v.Name()}
		if o.name == "" {
			o.name = unnamed
		}
		switch t := v.Type().Underlying().(type) {
		case *types.Pointer:
			o.basic = types.UnsafePointer
		case *types.Basic:
			o.basic = t.Kind()
		}
		if _, known := moves[o.basic]; !known {
			return 0, fmt.Errorf("%s: arguments of type %s are not supported", o.name, v.Type())
		}
		size := sizes.Sizeof(v.Type())
		o.offset = (offset + size - 1) &^ (size - 1)
		offset = o.offset + size
		operands[o.name] = o
	}
	return offset, nil
}

// move is how a kind of operand is loaded and stored, and the register it takes.
type move struct{ load, store, register string }

// moves has the kinds of operands that functions may have.
var moves = map[types.BasicKind]move{
	types.UnsafePointer: {"MOVD", "MOVD", "x"},
	types.Int:           {"MOVD", "MOVD", "x"},
	types.Int64:         {"MOVD", "MOVD", "x"},
	types.Uint64:        {"MOVD", "MOVD", "x"},
	types.Int32:         {"MOVW", "MOVW", "w"},
	types.Uint32:        {"MOVWU", "MOVW", "w"},
	types.Float32:       {"FMOVS", "FMOVS", "s"},
	types.Float64:       {"FMOVD", "FMOVD", "d"},
}

var registerForm = regexp.MustCompile(`^[xwsd](\d|[12]\d|3[01])$`)

// assign reads "name=register …" and puts each operand where it belongs.
func (f *function) assign(text string, operands map[string]operand) error {
	var taken []string
	for _, field := range strings.Fields(text) {
		name, register, _ := strings.Cut(field, "=")
		o, known := operands[name]
		if !known {
			return fmt.Errorf("%w %q: %s has no argument or result %q", errDirective, text, f.name, name)
		}
		if want := moves[o.basic].register; !registerForm.MatchString(register) || register[:1] != want {
			return fmt.Errorf("%w %q: %s needs a register %s…", errDirective, text, name, want)
		}
		if reservedRegister.MatchString(register) {
			return fmt.Errorf("%w %q: register %s is reserved", errDirective, text, register)
		}
		if slices.Contains(taken, name) {
			return fmt.Errorf("%w %q: %s is there twice", errDirective, text, name)
		}
		taken = append(taken, name)
		o.register = register
		if o.name == "ret" {
			f.results = append(f.results, o)
			continue
		}
		f.arguments = append(f.arguments, o)
	}
	return nil
}

// goRegister is Go's name of a register: R0 for x0 and w0, F0 for s0 and d0,
// ZR for xzr and wzr.
func goRegister(register string) string {
	number := register[1:]
	switch {
	case number == "zr":
		return "ZR"
	case register[0] == 's' || register[0] == 'd':
		return "F" + number
	}
	return "R" + number
}
