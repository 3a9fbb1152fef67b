package cpu

// archRoutines lists this architecture's routines, best first.
func archRoutines() []routines {
	neon := genericRoutines()
	neon.needs = Features{NEON: true}
	neon.gemm = microKernel{
		name: "6x16_neon", MR: 6, NR: 16, fn: gemm6x16NEON, column: column6x16NEON, narrow: column6x16Narrow,
	}
	neon.codes = code4x16
	neon.codesQ4 = code4x16Q4
	neon.largest = largestVectors
	neon.pairRows = pairRowsVectors
	neon.roundCodes = roundCodesVectors
	neon.splitCodes = splitCodesVectors
	neon.unpackCodes = unpackCodesVectors
	neon.halfScales = halfScalesVectors
	neon.byteScales = byteScalesVectors
	neon.widenBrains = widenBrainsVectors
	neon.narrowBrains = narrowBrainsVectors
	neon.ditherBrains = ditherBrainsVectors
	neon.dither = ditherVectors
	neon.pack = packVectors
	neon.add = addVectors
	neon.addScaled = addScaledVectors
	neon.swiglu = swigluVectors
	neon.gelu = geluVectors
	neon.relu = reluVectors
	neon.sumSquares = sumSquaresVectors
	neon.scaleBy = scaleByVectors
	neon.maximum = maximumVectors
	neon.expSum = expSumVectors
	neon.gaussian = gaussianVectors
	neon.rademacher = rademacherVectors
	neon.sum = sumVectors
	neon.centredSquares = centredSquaresVectors
	neon.standardise = standardiseVectors
	neon.turnHalves = turnHalvesVectors
	neon.turnPairs = turnPairsVectors
	neon.strided = stridedVectors
	neon.columnMaximum = columnMaximumVectors
	neon.columnExpSum = columnExpSumVectors
	neon.columnScaleAdd = columnScaleAddVectors

	dotProd := neon
	dotProd.needs = Features{NEON: true, DotProd: true}
	dotProd.codes, dotProd.codesQ4 = code6x16, codeKernel{}

	i8mm := dotProd
	i8mm.needs = Features{NEON: true, DotProd: true, I8MM: true}
	i8mm.codes = code6x16Octets

	bf16 := i8mm
	bf16.needs = Features{NEON: true, DotProd: true, I8MM: true, BF16: true}
	bf16.codesBF16 = brain6x16
	bf16.roundBF16 = roundBF16Vectors
	return []routines{bf16, i8mm, dotProd, neon}
}
