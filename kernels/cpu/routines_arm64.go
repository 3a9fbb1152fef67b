package cpu

// archRoutines lists this architecture's routines, best first.
func archRoutines() []routines {
	neon := genericRoutines()
	neon.needs = Features{NEON: true}
	neon.gemm = microKernel{name: "6x16_neon", MR: 6, NR: 16, fn: gemm6x16NEON}
	neon.pack = packVectors
	neon.add = addVectors
	neon.swiglu = swigluVectors
	neon.gelu = geluVectors
	neon.relu = reluVectors
	neon.sumSquares = sumSquaresVectors
	neon.scaleBy = scaleByVectors
	neon.maximum = maximumVectors
	neon.expSum = expSumVectors
	neon.mixRows = mixRowsVectors
	neon.gaussian = gaussianVectors
	return []routines{neon}
}
