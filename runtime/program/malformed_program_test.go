package program

import (
	"errors"
	"math"
	"strings"
	"testing"

	"zeroth/runtime/op"
)

// programFault is a sound program made unsound in one way.
type programFault struct {
	name string
	edit func(p *Program)
	want string // how Verify's error begins: field, then the number
	kind error
}

func forward(p *Program) *Method { return &p.Methods[0] }

// retype gives a constant, slot or value another type.
func retype(t *op.Type, change func(t *op.Type)) {
	t.Shape = append([]op.Dim(nil), t.Shape...)
	change(t)
}

// choices adds a method whose ChoiceLoss has constant offsets and labels.
func choices(p *Program, rows, groups, gold []int32) {
	base := len(p.Constants)
	for i, list := range [][]int32{rows, groups, gold} {
		name := []string{"rows", "groups", "gold"}[i]
		p.Constants = append(p.Constants, Constant{name, i32(op.C(len(list))), integers(list...)})
	}
	p.Methods = append(p.Methods, Method{
		Name: "choose",
		Values: []Value{
			{"nll", Input, 0, f32(op.C(4))},
			{"rows", ConstRef, base, i32(op.C(len(rows)))},
			{"groups", ConstRef, base + 1, i32(op.C(len(groups)))},
			{"gold", ConstRef, base + 2, i32(op.C(len(gold)))},
			{"loss", Temp, 0, f32()},
		},
		Nodes:   []Node{{op.ChoiceLoss, "loss", op.Attrs{op.IntAttr("mean", 0)}, []int{0, 1, 2, 3}, []int{4}}},
		Outputs: []int{4},
	})
}

var storageFaults = []programFault{
	{"meta key empty", func(p *Program) { p.Meta[0].Key = "" }, "meta[0].key: must not be empty", ErrInvalid},
	{"meta unsorted", func(p *Program) { p.Meta[0].Key = "z" }, `meta[1].key: "note" after "z"`, ErrInvalid},
	{"meta twice", func(p *Program) { p.Meta[1].Key = "arch" }, `meta[1].key: "arch" after "arch"`, ErrInvalid},
	{"meta value not UTF-8", func(p *Program) { p.Meta[0].Value = "\xff" }, "meta[0].value: ", ErrInvalid},
	{"meta value long", func(p *Program) { p.Meta[0].Value = strings.Repeat("a", MaxMetaValueBytes+1) }, "meta[0].value: 1048577 bytes", ErrLimit},
	{"too much meta", func(p *Program) { p.Meta = make([]Meta, MaxMeta+1) }, "meta: 4097 of them", ErrLimit},
	{"name with NUL", func(p *Program) { p.Constants[1].Name = "a\x00b" }, `constants[1].name: "a\x00b" has '\x00' at byte 1`, ErrInvalid},
	{"name with newline", func(p *Program) { p.Slots[0].Name = "a\nb" }, "slots[0].name: ", ErrInvalid},
	{"name with slash", func(p *Program) { p.Sites[0].Name = "../up" }, `sites[0].name: "../up" has '/' at byte 2`, ErrInvalid},
	{"name with backslash", func(p *Program) { p.Methods[1].Name = `a\b` }, "methods[1].name: ", ErrInvalid},
	{"name of dots", func(p *Program) { p.Constants[1].Name = ".." }, "constants[1].name: ", ErrInvalid},
	{"name not UTF-8", func(p *Program) { p.Constants[1].Name = "\xc3" }, "constants[1].name: ", ErrInvalid},
	{"name long", func(p *Program) { p.Constants[1].Name = strings.Repeat("n", 513) }, "constants[1].name: 513 bytes, at most 512", ErrLimit},
	{"constant named twice", func(p *Program) { p.Constants[3].Name = "norm" }, `constants[3].name: "norm" is also the name of constants[1]`, ErrInvalid},
	{"slot named twice", func(p *Program) { p.Slots[1].Name = "down.A" }, "slots[1].name: ", ErrInvalid},
	{"site named twice", func(p *Program) { p.Sites[1].Name = p.Sites[0].Name }, "sites[1].name: ", ErrInvalid},
	{"method named twice", func(p *Program) { p.Methods[1].Name = "forward" }, "methods[1].name: ", ErrInvalid},
	{"constant with zero extent", func(p *Program) { retype(&p.Constants[0].Type, func(t *op.Type) { t.Shape[0] = op.C(0) }) }, "constants[0].type: f32[1 0 4]: dimension 0", ErrInvalid},
	{"constant with huge extent", func(p *Program) { retype(&p.Constants[0].Type, func(t *op.Type) { t.Shape[0] = op.C(op.MaxDim + 1) }) }, "constants[0].type", ErrInvalid},
	{"constant with extent below 0", func(p *Program) { retype(&p.Constants[0].Type, func(t *op.Type) { t.Shape[0] = op.C(-1) }) }, "constants[0].type", ErrInvalid},
	{"constant too large for its bytes", func(p *Program) {
		retype(&p.Constants[3].Type, func(t *op.Type) { t.Shape[0], t.Shape[1] = op.C(op.MaxDim), op.C(op.MaxDim) })
		p.Methods = p.Methods[1:]
	}, "constants[3].data: 288 bytes, ", ErrInvalid},
	{"constant with bytes missing", func(p *Program) { p.Constants[1].Data = floats(3) }, "constants[1].data: 12 bytes, f32[1 4] takes 16", ErrInvalid},
	{"constant of symbolic extent", func(p *Program) { retype(&p.Constants[0].Type, func(t *op.Type) { t.Shape[0].Sym = op.Tokens }) }, "constants[0].type: f32[1 N+7 4]: ", ErrInvalid},
	{"constant of unknown symbol", func(p *Program) { retype(&p.Constants[0].Type, func(t *op.Type) { t.Shape[0].Sym = 7 }) }, "constants[0].type: ", ErrInvalid},
	{"constant wide", func(p *Program) { p.Constants[0].Type.Wide = true }, "constants[0].type: f32[P 7 4]: ", ErrInvalid},
	{"constant of unknown dtype", func(p *Program) { p.Constants[0].Type.DType = 77 }, "constants[0].type: invalid op: unknown dtype(77)", ErrInvalid},
	{"constant of unknown layout", func(p *Program) { p.Constants[0].Type.Layout = 2 }, "constants[0].type: ", ErrInvalid},
	{"vector in panels", func(p *Program) { p.Constants[1].Type.Layout = op.Panels16 }, "constants[1].type: ", ErrInvalid},
	{"integers in panels", func(p *Program) { p.Constants[2].Type.DType = op.I32 }, "constants[2].type: invalid op: layout panels16 is for weights", ErrInvalid},
	{"slot of integers in panels", func(p *Program) { p.Slots[1].Type.DType, p.Slots[1].Type.Layout = op.U32, op.Panels16 }, "slots[1].type: ", ErrInvalid},
	{"rank 3", func(p *Program) { p.Constants[1].Type.Shape = make([]op.Dim, 3) }, "constants[1].type", ErrInvalid},
	{"panel padding", func(p *Program) { p.Constants[2].Data[4*(16*4+16*3+2)] = 1 }, "constants[2].data: byte 456 is not zero", ErrInvalid},
	{"slot of LoRA in panels", func(p *Program) { p.Slots[1].Type.Layout = op.Panels16 }, "sites[0].b: slot 1 is f32[1 4 2]:panels16", ErrInvalid},
	{"slot with zero extent", func(p *Program) { retype(&p.Slots[1].Type, func(t *op.Type) { t.Shape[0] = op.C(0) }) }, "slots[1].type: ", ErrInvalid},
	{"slots huge", func(p *Program) {
		p.Slots = append(p.Slots, Slot{Name: "s", Type: f32(op.C(1<<16), op.C(1<<16))})
	}, "slots[2].type: f32[1 65536 65536] brings the slots above", ErrLimit},
	{"tokenizer without kind", func(p *Program) { p.Tokenizer.Kind = "" }, "tokenizer.data: 3 bytes with kind", ErrInvalid},
	{"tokenizer without data", func(p *Program) { p.Tokenizer.Data = nil }, "tokenizer.data: 0 bytes with kind", ErrInvalid},
	{"tokenizer kind a path", func(p *Program) { p.Tokenizer.Kind = "a/b" }, "tokenizer.kind: ", ErrInvalid},
}

var siteFaults = []programFault{
	{"id twice", func(p *Program) { p.Sites[1].ID = 5 }, "sites[1].id: 5 is also the id of sites[0]", ErrInvalid},
	{"module empty", func(p *Program) { p.Sites[1].Module = "" }, "sites[1].module: ", ErrInvalid},
	{"layer", func(p *Program) { p.Sites[1].Layer = -2 }, "sites[1].layer: -2", ErrInvalid},
	{"out of 0", func(p *Program) { p.Sites[1].Out = 0 }, "sites[1].out: 0", ErrInvalid},
	{"in huge", func(p *Program) { p.Sites[1].In = op.MaxDim + 1 }, "sites[1].in: ", ErrInvalid},
	{"slot past the end", func(p *Program) { p.Sites[0].B = 2 }, "sites[0].b: slot 2 of 2", ErrInvalid},
	{"half a pair", func(p *Program) { p.Sites[0].A = -1 }, "sites[0].a: slot -1 of 2", ErrInvalid},
	{"slot of two sites", func(p *Program) { p.Sites[1].A, p.Sites[1].B = 0, 1 }, "sites[1].a: slot 0 already belongs to sites[0]", ErrInvalid},
	{"A and B the same", func(p *Program) { p.Sites[0].B = 0 }, "sites[0].b: slot 0 already belongs", ErrInvalid},
	{"A of another depth", func(p *Program) { p.Sites[0].In = 17 }, "sites[0].a: slot 0 is f32[1 2 18], must be f32[1 r 17]", ErrInvalid},
	{"B of other rows", func(p *Program) { p.Sites[0].Out = 5 }, "sites[0].b: slot 1 is f32[1 4 2], must be f32[1 5 2]", ErrInvalid},
	{"rank huge", func(p *Program) {
		p.Slots = append(p.Slots, Slot{Name: "a", Type: f32(op.C(1025), op.C(4))}, Slot{Name: "b", Type: f32(op.C(18), op.C(1025))})
		p.Sites[1].A, p.Sites[1].B = 2, 3
	}, "sites[1].a: slot 2 has rank 1025", ErrInvalid},
}

var methodFaults = []programFault{
	{"unknown kind", func(p *Program) { forward(p).Values[x].Kind = 9 }, "methods[0].values[2].kind: 9", ErrInvalid},
	{"kind 0", func(p *Program) { forward(p).Values[x].Kind = 0 }, "methods[0].values[2].kind: 0", ErrInvalid},
	{"wide input", func(p *Program) { forward(p).Values[0].Type.Wide = true }, "methods[0].values[0].type: i32[P N]: an input is the same for all copies", ErrInvalid},
	{"ref of a temporary", func(p *Program) { forward(p).Values[x].Ref = 1 }, "methods[0].values[2].ref: 1", ErrInvalid},
	{"constant past the end", func(p *Program) { forward(p).Values[scale].Ref = 5 }, "methods[0].values[3].ref: constant 5 of 5", ErrInvalid},
	{"constant below 0", func(p *Program) { forward(p).Values[scale].Ref = -1 }, "methods[0].values[3].ref: ", ErrInvalid},
	{"slot past the end", func(p *Program) { forward(p).Values[slotA].Ref = 2 }, "methods[0].values[8].ref: slot 2 of 2", ErrInvalid},
	{"constant of another dtype", func(p *Program) { forward(p).Values[scale].Type.DType = op.I32 }, "methods[0].values[3].type: i32[1 4], but constant 1 is f32[1 4]", ErrInvalid},
	{"slot of another shape", func(p *Program) { forward(p).Values[slotA].Type = f32(op.C(1), op.C(36)) }, "methods[0].values[8].type: ", ErrInvalid},
	{"input in panels", func(p *Program) {
		forward(p).Values = append(forward(p).Values, Value{"w", Input, 0, panels(f32(op.C(1), op.C(1)))})
	}, "methods[0].values[16].type: ", ErrInvalid},
	{"value of unknown dtype", func(p *Program) { forward(p).Values[ids].Type.DType = 0 }, "methods[0].values[0].type: ", ErrInvalid},
	{"input without name", func(p *Program) { forward(p).Values[ids].Name = "" }, "methods[0].values[0].name: ", ErrInvalid},
	{"input named twice", func(p *Program) { forward(p).Values[first].Name = "seed" }, `methods[0].values[11].name: "seed" is also the name of values[10]`, ErrInvalid},
	{"temporary named with NUL", func(p *Program) { forward(p).Values[x].Name = "\x00" }, "methods[0].values[2].name: ", ErrInvalid},
	{"node without name", func(p *Program) { forward(p).Nodes[1].Name = "" }, "methods[0].nodes[1].name: ", ErrInvalid},
	{"node named twice", func(p *Program) { forward(p).Nodes[4].Name = "embed" }, "methods[0].nodes[4].name: ", ErrInvalid},
	{"unknown op", func(p *Program) { forward(p).Nodes[1].Op = 999 }, "methods[0].nodes[1].op: 999", ErrInvalid},
	{"input past the end", func(p *Program) { forward(p).Nodes[1].In[0] = 99 }, "methods[0].nodes[1].inputs[0]: value 99 of 16", ErrInvalid},
	{"input below 0", func(p *Program) { forward(p).Nodes[1].In[0] = -1 }, "methods[0].nodes[1].inputs[0]: value -1 of 16", ErrInvalid},
	{"output past the end", func(p *Program) { forward(p).Nodes[1].Out[0] = 16 }, "methods[0].nodes[1].outputs[0]: value 16 of 16", ErrInvalid},
	{"too many inputs", func(p *Program) { forward(p).Nodes[0].In = make([]int, 3) }, "methods[0].nodes[0].inputs: 3 of them", ErrInvalid},
	{"too few inputs", func(p *Program) { forward(p).Nodes[0].In = []int{1} }, "methods[0].nodes[0]: ", ErrInvalid},
	{"no output", func(p *Program) { forward(p).Nodes[4].Out = nil }, "methods[0].nodes[4].outputs: 0 of them, Gather makes 1", ErrInvalid},
	{"forward reference", func(p *Program) { n := forward(p).Nodes; n[1], n[2] = n[2], n[1] }, "methods[0].nodes[1].inputs[0]: value 4 is used before", ErrInvalid},
	{"cycle", func(p *Program) { forward(p).Nodes[1].In[0] = up }, "methods[0].nodes[1].inputs[0]: value 6 is used before", ErrInvalid},
	{"own output as input", func(p *Program) { forward(p).Nodes[1].In[0] = normed }, "methods[0].nodes[1].inputs[0]: value 4 is used before", ErrInvalid},
	{"value made twice", func(p *Program) { forward(p).Nodes[1].Out[0] = x }, "methods[0].nodes[1].outputs[0]: value 2 is already made by nodes[0]", ErrInvalid},
	{"node makes an input", func(p *Program) { forward(p).Nodes[1].Out[0] = eps }, "methods[0].nodes[1].outputs[0]: value 12 is not a temporary", ErrInvalid},
	{"node writes a slot", func(p *Program) { forward(p).Nodes[1].Out[0] = slotB }, "methods[0].nodes[1].outputs[0]: value 9 is not a temporary", ErrInvalid},
	{"node writes a constant", func(p *Program) { forward(p).Nodes[1].Out[0] = scale }, "methods[0].nodes[1].outputs[0]: value 3 is not a temporary", ErrInvalid},
	{"temporary never made", func(p *Program) {
		forward(p).Values = append(forward(p).Values, Value{"t", Temp, 0, f32()})
	}, "methods[0].values[16]: a temporary that no node makes", ErrInvalid},
	{"declared type", func(p *Program) { forward(p).Values[up].Type = f32(op.S(op.Tokens, 0), op.C(17)) }, "methods[0].nodes[2].outputs[0]: value 6 is declared f32[1 N 17], the op makes f32[1 N 18]", ErrInvalid},
	{"declared width", func(p *Program) { forward(p).Values[y].Type.Wide = false }, "methods[0].nodes[3].outputs[0]: value 13 is declared f32[1 N 4]", ErrInvalid},
	{"dtype of a port", func(p *Program) { forward(p).Values[ids].Type.DType = op.U32 }, "methods[0].nodes[0]: Gather: input 1: ", ErrInvalid},
	{"shapes that do not fit", func(p *Program) { forward(p).Nodes[2].In[1] = downW }, "methods[0].nodes[2]: Linear: ", ErrInvalid},
	{"panels at a port for rows", func(p *Program) { forward(p).Nodes[1].In[0] = upW }, "methods[0].nodes[1]: RMSNormalization: ", ErrInvalid},
	{"attribute of another kind", func(p *Program) { forward(p).Nodes[1].Attrs[0].Kind = op.Int }, "methods[0].nodes[1]", ErrInvalid},
	{"attribute missing", func(p *Program) { forward(p).Nodes[1].Attrs = nil }, "methods[0].nodes[1]", ErrInvalid},
	{"attribute NaN", func(p *Program) { forward(p).Nodes[1].Attrs[0].F = math.NaN() }, "methods[0].nodes[1]: RMSNormalization: invalid op: attribute epsilon=NaN", ErrInvalid},
	{"attribute infinite", func(p *Program) { forward(p).Nodes[1].Attrs[0].F = math.Inf(1) }, "methods[0].nodes[1]: ", ErrInvalid},
	{"attribute out of range", func(p *Program) { forward(p).Nodes[3].Attrs[0].I = -1 }, "methods[0].nodes[3]: ", ErrInvalid},
	{"update of a value", func(p *Program) {
		p.Methods[1].Values[0] = Value{"B", Input, 0, f32(op.C(4), op.C(2))}
	}, "methods[1].nodes[0].inputs[0]: value 0: what is updated (B) must be a slot", ErrInvalid},
	{"slot updated twice", func(p *Program) {
		m := &p.Methods[1]
		again := m.Nodes[0]
		again.Name = "again"
		m.Nodes = append(m.Nodes, again)
	}, "methods[1].nodes[1].inputs[0]: value 0: slot 1 is updated twice", ErrInvalid},
	{"slot updated by what is read from it", func(p *Program) {
		p.Slots = append(p.Slots, Slot{Name: "rates", Type: f32(op.C(1))})
		m := &p.Methods[1]
		m.Values[0] = Value{"B", SlotRef, 2, f32(op.C(1))}
		m.Values[3] = Value{"lr", SlotRef, 2, f32(op.C(1))}
	}, "methods[1].nodes[0].inputs[3]: value 3: slot 2 is updated by the node itself", ErrInvalid},
	{"output past the end", func(p *Program) { forward(p).Outputs[1] = 16 }, "methods[0].outputs[1]: value 16 of 16", ErrInvalid},
	{"output an input", func(p *Program) { forward(p).Outputs[1] = ids }, "methods[0].outputs[1]: value 0 is not a temporary", ErrInvalid},
	{"output twice", func(p *Program) { forward(p).Outputs[1] = y }, `methods[0].outputs[1].name: "y" is also the name of outputs[0]`, ErrInvalid},
	{"output without name", func(p *Program) { forward(p).Values[y].Name = "" }, "methods[0].outputs[0].name: must not be empty", ErrInvalid},
}

var indexFaults = []programFault{
	{"index is a slot", func(p *Program) {
		p.Slots = append(p.Slots, Slot{Name: "s", Type: i32(op.C(3))})
		forward(p).Values[picks] = Value{"s", SlotRef, 2, i32(op.C(3))}
	}, "methods[0].nodes[4].inputs[1]: value 14: indices (indices) must be", ErrInvalid},
	{
		"index made by a node", func(p *Program) { forward(p).Nodes[2].In, forward(p).Nodes[2].Op = []int{embedding, x}, op.Gather },
		"methods[0].nodes[2].inputs[1]: value 2: indices (indices) must be a method input or a constant", ErrInvalid,
	},
	{
		"index too large", func(p *Program) { p.Constants[4].Data = integers(0, 7, 2) },
		"methods[0].nodes[4].inputs[1].constant picks: invalid op: element 1 is 7", ErrInvalid,
	},
	{
		"index below 0", func(p *Program) { p.Constants[4].Data = integers(0, 1, -2) },
		"methods[0].nodes[4].inputs[1].constant picks: invalid op: element 2 is -2", ErrInvalid,
	},
	{
		"offsets do not end at the extent", func(p *Program) { choices(p, []int32{0, 1, 3}, []int32{0, 2}, []int32{1}) },
		"methods[2].nodes[0].inputs[1].constant rows: invalid op: offsets must begin at 0 and end at 4", ErrInvalid,
	},
	{
		"offsets fall", func(p *Program) { choices(p, []int32{0, 5, 4}, []int32{0, 2}, []int32{1}) },
		"methods[2].nodes[0].inputs[1].constant rows: invalid op: offset 2 is 4", ErrInvalid,
	},
	{
		"offsets of offsets", func(p *Program) { choices(p, []int32{0, 1, 4}, []int32{0, 3}, []int32{1}) },
		"methods[2].nodes[0].inputs[2].constant groups: ", ErrInvalid,
	},
	{
		"index into an empty group", func(p *Program) { choices(p, []int32{0, 0, 4}, []int32{0, 0, 2}, []int32{0, 1}) },
		"methods[2].nodes[0].inputs[3].constant gold: invalid op: element 0 is 0", ErrInvalid,
	},
	{
		"index past its group", func(p *Program) { choices(p, []int32{0, 1, 4}, []int32{0, 2}, []int32{2}) },
		"methods[2].nodes[0].inputs[3].constant gold: invalid op: element 0 is 2", ErrInvalid,
	},
}

// TestMalformedPrograms: each fault is found in memory, and, with all hashes
// right, in a file; both errors begin with the same field.
func TestMalformedPrograms(t *testing.T) {
	for kind, faults := range map[string][]programFault{
		"storage": storageFaults, "site": siteFaults, "method": methodFaults, "index": indexFaults,
	} {
		for _, fault := range faults {
			t.Run(kind+"/"+fault.name, func(t *testing.T) {
				p := sample()
				fault.edit(p)
				err := Verify(p)
				if err == nil || !strings.HasPrefix(err.Error(), fault.want) || !errors.Is(err, fault.kind) {
					t.Fatalf("Verify: %v\nwant %s… %v", err, fault.want, fault.kind)
				}
				data := assemble(p, nil)
				if data == nil {
					return
				}
				field, _, _ := strings.Cut(fault.want, ":")
				_, err = Parse(data)
				if fault.name == "tokenizer without kind" {
					if err != nil { // then there is no tokenizer in the file
						t.Fatal(err)
					}
				} else if err == nil || !strings.HasPrefix(err.Error(), field) {
					t.Errorf("Parse: %v\nwant it to begin with %s", err, field)
				}
			})
		}
	}
}

// TestSoundVariants: what is near the faults above, but allowed.
func TestSoundVariants(t *testing.T) {
	for name, edit := range map[string]func(p *Program){
		"choices":             func(p *Program) { choices(p, []int32{0, 1, 4}, []int32{0, 2}, []int32{1}) },
		"method without node": func(p *Program) { p.Methods = append(p.Methods, Method{Name: "nothing"}) },
		"unnamed temporary":   func(p *Program) { forward(p).Values[x].Name = "" },
		"optional bias": func(p *Program) {
			p.Constants = append(p.Constants, Constant{"bias", f32(op.C(18)), floats(18)})
			m := forward(p)
			m.Values = append(m.Values, Value{"bias", ConstRef, 5, f32(op.C(18))})
			m.Nodes[2].In = append(m.Nodes[2].In, 16)
		},
	} {
		p := sample()
		edit(p)
		if err := Verify(p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Parse(assemble(p, nil)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
