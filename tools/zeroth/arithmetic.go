package main

import (
	"fmt"

	"zeroth/kernels/cpu"
	"zeroth/kernels/gpu"
	"zeroth/kernels/opencl"
	"zeroth/kernels/vulkan"
	"zeroth/mpzo/train"
	"zeroth/runtime/kernel"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// noteArithmetic records how a run rounds, and says where one that is resumed goes on
// with other last bits than it had last.
func (r *trainRun) noteArithmetic() error {
	if r.engine.Backend != "cpu" {
		return nil
	}
	features, err := cpu.DetectLimited()
	if err != nil {
		return usageError{err}
	}
	have := cpu.Arithmetic(features, weightTypes(r.file.Program))
	if was := r.config.Arithmetic; r.resuming && was != "" && was != have {
		fmt.Fprintf(r.stderr, "zeroth: notice: the run was last trained with %s arithmetic and goes on with %s: its last bits are no longer those of a run that stayed\n", was, have)
	}
	r.config.Arithmetic = have
	return nil
}

// leastEpsInHalf is the smallest ε whose slopes activations in f16 leave be. Their
// error grows as 1/ε: docs/RATIONALE.md has it measured.
const leastEpsInHalf = 1e-3

// How activations are stored, as run.json says it.
const (
	storageF32 = "f32"
	storageF16 = "f16"
)

// halvesOf are the operands of ops that kernels keep as f16.
func halvesOf(kernels []kernel.Kernel) map[op.ID]kernel.Operands {
	half := make(map[op.ID]kernel.Operands)
	for _, k := range kernels {
		if k.Half != (kernel.Operands{}) {
			half[k.Op] = k.Half
		}
	}
	return half
}

// noteStorage records how a backend stores activations, and says where a run that is
// resumed goes on with them stored otherwise, or with too few digits.
func (r *trainRun) noteStorage() error {
	b, err := r.engine.find()
	if err != nil {
		return err
	}
	half, have := len(halvesOf(b.Kernels)) > 0, storageF32
	if half {
		have = storageF16
	}
	if was := r.config.Storage; r.resuming && was != "" && was != have {
		fmt.Fprintf(r.stderr, "zeroth: notice: the run was last trained with activations stored as %s and goes on with %s: its losses are no longer those of a run that stayed (%s in %s or %s chooses)\n",
			was, have, gpu.WayStore16, vulkan.ArithmeticVariable, opencl.ArithmeticVariable)
	}
	r.config.Storage = have
	if half && r.config.Eps < leastEpsInHalf && r.config.Estimator != (train.JVP{}).Name() {
		fmt.Fprintf(r.stderr, "zeroth: notice: %s stores activations as f16, whose rounding drowns slopes at eps %g: make that %g or more, or run without %s\n",
			r.engine.Backend, r.config.Eps, leastEpsInHalf, gpu.WayStore16)
	}
	return nil
}

// weightTypes lists the element types of a program's constants.
func weightTypes(p *program.Program) []op.DType {
	var types []op.DType
	for _, c := range p.Constants {
		types = append(types, c.Type.DType)
	}
	return types
}
