package main

import (
	"fmt"

	"zeroth/kernels/cpu"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// noteArithmetic records how a new run rounds, and says where a run that is
// resumed goes on with other last bits than it began with.
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
		fmt.Fprintf(r.stderr, "zeroth: notice: the run began with %s arithmetic and goes on with %s: its last bits are no longer those of a run that stayed\n", was, have)
	}
	r.config.Arithmetic = have
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
