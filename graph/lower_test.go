package graph_test

import (
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"zeroth/graph"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

func TestLower(t *testing.T) {
	p, err := small(t).Lower()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.VerifyStructure(p); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Meta, []program.Meta{{Key: "a", Value: "b"}, {Key: "arch", Value: "small"}}) {
		t.Errorf("metadata %v is not sorted", p.Meta)
	}
	if s := p.Sites[0]; s.A != 0 || s.B != 1 {
		t.Errorf("site has slots %d and %d", s.A, s.B)
	}
	if s := p.Sites[1]; s.A != -1 || s.B != -1 {
		t.Errorf("site without LoRA has slots %d and %d", s.A, s.B)
	}
	// A constant that several nodes read is one value.
	m := small(t)
	g := m.Method("forward")
	scale := m.Constants[1]
	g.Apply(op.RMSNormalization, "again", op.Attrs{op.FloatAttr("epsilon", 0)}, g.Outputs[0], scale.Value())
	if p, err = m.Lower(); err != nil {
		t.Fatal(err)
	}
	uses := 0
	for _, v := range p.Method("forward").Values {
		if v.Kind == program.ConstRef && v.Name == "scale" {
			uses++
		}
	}
	if uses != 1 {
		t.Errorf("constant scale is %d values", uses)
	}
}

// Lower ∘ Lift changes nothing, Lift shares the constants' bytes, and the
// modules can be changed without the program noticing.
func TestLiftAndLower(t *testing.T) {
	m := small(t)
	for i, c := range m.Constants {
		size, err := c.Type.Bytes(op.Extents{})
		if err != nil {
			t.Fatal(err)
		}
		c.Data = slices.Repeat([]byte{byte(i)}, size)
	}
	m.Tokenizer = program.Tokenizer{Kind: "llama2c", Data: []byte{1, 2, 3}}
	p, err := m.Lower()
	if err != nil {
		t.Fatal(err)
	}
	lifted := graph.Lift(p)
	again, err := lifted.Lower()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p, again) {
		t.Errorf("lifting and lowering changes the program:\n%+v\n%+v", p, again)
	}
	for i, c := range lifted.Constants {
		if &c.Data[0] != &p.Constants[i].Data[0] {
			t.Errorf("constant %s was copied", c.Name)
		}
	}
	for i, g := range m.Methods {
		if got := lifted.Methods[i].String(); got != g.String() {
			t.Errorf("lifted method prints as\n%s\nwant\n%s", got, g)
		}
	}
	lifted.Meta["arch"] = "changed"
	lifted.Methods[0].Nodes[1].Attrs[0].F = 0.5
	lifted.Methods[0].Nodes[1].Name = "changed"
	lifted.Methods[0].Outputs[0].Name = "changed"
	if !reflect.DeepEqual(p, again) {
		t.Error("a change of the lifted module reaches the program")
	}
}

func TestApplyKeepsTheFirstError(t *testing.T) {
	g := graph.NewGraph("bad")
	x := g.Input("x", op.F32, op.S(op.Tokens, 0), op.C(4))
	y := g.Input("y", op.F32, op.S(op.Tokens, 0), op.C(5))
	wrong := g.Apply(op.Add, "first", nil, x, y)
	g.Output("out", g.Apply(op.Add, "second", nil, wrong, wrong))
	err := g.Err()
	if !errors.Is(err, graph.ErrBuild) || !errors.Is(err, op.ErrInvalid) ||
		!strings.Contains(err.Error(), "method bad: node first") {
		t.Errorf("error %v", err)
	}
	if len(g.Nodes) != 0 || len(g.Outputs) != 0 {
		t.Errorf("%d nodes and %d outputs after an error", len(g.Nodes), len(g.Outputs))
	}
	m := &graph.Module{Methods: []*graph.Graph{g}}
	if _, err := m.Lower(); !errors.Is(err, graph.ErrBuild) {
		t.Errorf("lowering a graph with an error: %v", err)
	}
	unknown := graph.NewGraph("unknown")
	unknown.Apply(op.ID(99), "what", nil)
	if err := unknown.Err(); err == nil || !strings.Contains(err.Error(), "op(99)") {
		t.Errorf("unknown op: %v", err)
	}
}

func TestLowerRefusesDisorder(t *testing.T) {
	m := small(t)
	g := m.Method("forward")
	g.Nodes[0], g.Nodes[1] = g.Nodes[1], g.Nodes[0]
	if _, err := m.Lower(); !errors.Is(err, graph.ErrBuild) || !strings.Contains(err.Error(), "it reads embedding before it is made") {
		t.Errorf("nodes in a wrong order: %v", err)
	}
	for name, spoil := range map[string]func(*graph.Module){
		"constant": func(m *graph.Module) { m.Constants = m.Constants[1:] },
		"slot":     func(m *graph.Module) { m.Slots = m.Slots[:1] },
		"output": func(m *graph.Module) {
			g := m.Method("forward")
			g.Outputs = append(g.Outputs, &graph.Value{Name: "stray"})
		},
	} {
		m := small(t)
		spoil(m)
		if _, err := m.Lower(); !errors.Is(err, graph.ErrBuild) {
			t.Errorf("a %s that the module lacks: %v", name, err)
		}
	}
}

func TestInferTypesSpreadsWidth(t *testing.T) {
	m := small(t)
	g := m.Method("forward")
	if g.Outputs[0].Type.String() != "f32[P N 4]" || g.Nodes[1].Out[0].Type.String() != "f32[1 N 4]" {
		t.Errorf("types %s and %s", g.Outputs[0].Type, g.Nodes[1].Out[0].Type)
	}
	lora := g.Nodes[2]
	lora.Op, lora.In, lora.Attrs = op.Linear, lora.In[:2], nil
	if err := g.InferTypes(); err != nil {
		t.Fatal(err)
	}
	if g.Outputs[0].Type.String() != "f32[1 N 4]" {
		t.Errorf("without LoRA the output is %s", g.Outputs[0].Type)
	}
	g.Nodes[1].In[1] = m.Constants[2].Value()
	if err := g.InferTypes(); !errors.Is(err, graph.ErrBuild) {
		t.Errorf("a norm with a matrix: %v", err)
	}
}

func TestMaterialise(t *testing.T) {
	m := small(t)
	failed := errors.New("checkpoint is gone")
	m.Constants[0].Data = make([]byte, 7*4*4)
	m.Constants[1].Write = func(w io.Writer) error {
		_, err := w.Write([]byte{9, 0, 0, 0})
		return errors.Join(err, binary.Write(w, binary.LittleEndian, [3]float32{}))
	}
	m.Constants[2].Write = func(io.Writer) error { return failed }
	if err := m.Materialise(); !errors.Is(err, failed) {
		t.Errorf("a constant that cannot be loaded: %v", err)
	}
	if c := m.Constants[1]; len(c.Data) != 16 || c.Data[0] != 9 {
		t.Errorf("constant has %d bytes", len(c.Data))
	}
	if m.Constants[2].Data != nil {
		t.Error("a constant that failed to load has data")
	}
	for _, size := range []int{63, 65} {
		m.Constants[2].Write = func(w io.Writer) error {
			_, err := w.Write(make([]byte, size))
			return err
		}
		if err := m.Materialise(); !errors.Is(err, graph.ErrBuild) || m.Constants[2].Data != nil {
			t.Errorf("%d bytes for a constant of 64: %v", size, err)
		}
	}
}
