package model_test

import (
	"testing"

	"zeroth/graph/importer"
	"zeroth/graph/model"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// Every published shape makes a sound program, in every weight type.
func TestPublishedShapesBuild(t *testing.T) {
	for _, name := range importer.PublishedNames() {
		checkpoint, err := importer.NewSynthetic(name, importer.Synthetic{Layers: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, dtype := range op.WeightTypes() {
			m, err := model.Build(checkpoint, model.Options{Weights: dtype})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			p, err := m.Lower()
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if err := program.VerifyStructure(p); err != nil {
				t.Errorf("%s in %s: %v", name, dtype, err)
			}
			for _, c := range m.Constants {
				outer := c.Type.DType == op.I8 && dtype.Bytes() == 0 && c.Type.Shape[0].Offset == checkpoint.Config().VocabSize
				if matrix := c.Type.Layout == op.Panels16; matrix && c.Type.DType != dtype && !outer || !matrix && c.Type.DType != op.F32 {
					t.Errorf("%s in %s: constant %s is %s", name, dtype, c.Name, c.Type)
				}
			}
		}
	}
	checkpoint, err := importer.NewSynthetic("gpt2", importer.Synthetic{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := model.Build(checkpoint, model.Options{Weights: op.I32}); err == nil {
		t.Error("weights of type i32 are taken")
	}
}
