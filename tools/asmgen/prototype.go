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
	argsSize  int64
	arguments []operand // in the order of the register directive
	results   []operand
}

// operand is an argument or a result: where it lies above the frame pointer FP,
// and the register that holds it.
type operand struct {
	name     string
	offset   int64
	kind     kind
	register string // x0…, w0…, s0…, d0…
}

// kind is a type of operands: its size, how it is loaded and stored, and the
// letter of the registers it takes.
type kind struct {
	size                  int64
	load, store, register string
}

var pointer = kind{8, "MOVD", "MOVD", "x"}

// kinds are the types, besides pointers, that operands may have.
var kinds = map[string]kind{
	"int":     {8, "MOVD", "MOVD", "x"},
	"int64":   {8, "MOVD", "MOVD", "x"},
	"uint64":  {8, "MOVD", "MOVD", "x"},
	"int32":   {4, "MOVW", "MOVW", "w"},
	"uint32":  {4, "MOVWU", "MOVW", "w"},
	"float32": {4, "FMOVS", "FMOVS", "s"},
	"float64": {8, "FMOVD", "FMOVD", "d"},
}

// parsePrototype reads "func name(arguments) result" and lays its operands out
// as Go's assembler sees them: arguments one after another, each aligned to its
// size, and the results behind them, aligned to a word.
func parsePrototype(text string) (*function, map[string]operand, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p; "+text, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, fmt.Errorf("%w %q: %w", errDirective, text, err)
	}
	var declared *ast.FuncDecl
	if len(file.Decls) == 1 {
		declared, _ = file.Decls[0].(*ast.FuncDecl)
	}
	if declared == nil || declared.Recv != nil {
		return nil, nil, fmt.Errorf("%w %q: want one function", errDirective, text)
	}
	operands := make(map[string]operand)
	end, err := layOut(operands, declared.Type.Params, 0)
	if results := declared.Type.Results; err == nil && results != nil {
		end, err = layOut(operands, results, (end+7)&^7)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w %q: %w", errDirective, text, err)
	}
	return &function{name: declared.Name.Name, argsSize: end}, operands, nil
}

// layOut adds the operands from offset on and returns where they end. One
// without a name is a result, which vet calls ret.
func layOut(operands map[string]operand, list *ast.FieldList, offset int64) (int64, error) {
	for _, field := range list.List {
		k, known := pointer, true
		if _, is := field.Type.(*ast.StarExpr); !is {
			k, known = kinds[types.ExprString(field.Type)]
		}
		if !known {
			return 0, fmt.Errorf("operands of type %s are not supported", types.ExprString(field.Type))
		}
		names := field.Names
		if len(names) == 0 {
			names = []*ast.Ident{ast.NewIdent("ret")}
		}
		for _, name := range names {
			if goRegisterName.MatchString(name.Name) {
				return 0, fmt.Errorf("operand %s has the name of a register of Go's", name.Name)
			}
			offset = (offset + k.size - 1) &^ (k.size - 1)
			operands[name.Name] = operand{name: name.Name, offset: offset, kind: k}
			offset += k.size
		}
	}
	return offset, nil
}

var goRegisterName = regexp.MustCompile(`^(g|[RFV]\d+|FP|SB|SP|PC|RSP|ZR)$`)

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
		if want := o.kind.register; !registerForm.MatchString(register) || register[:1] != want {
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
