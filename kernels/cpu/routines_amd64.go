package cpu

// archRoutines lists this architecture's routines, best first.
func archRoutines() []routines {
	avx2 := genericRoutines()
	avx2.needs = Features{AVX2: true}
	avx2.gemm = microKernel{name: "6x16_avx2", MR: 6, NR: 16, fn: gemm6x16AVX2, column: column6x16AVX2}
	avx2.codes = codeKernel{
		name: "6x16_avx2", MR: 6, NR: 16, fn: code6x16AVX2, column: codeColumn6x16AVX2,
		pack: packPairs, xBytes: 8, widen: widenPairs, wBytes: 8, step: 1,
	}
	avx2.codesQ4 = codeKernel{
		name: "q4_6x16_avx2", MR: 6, NR: 16, fn: codeQ4x6x16AVX2, column: codeColumnQ4x6x16AVX2,
		pack: packUnsigned6, xBytes: 4, wBytes: 4, shift: 128, step: 1,
	}
	avx2.largest = largestVectors
	avx2.pairRows = pairRowsVectors
	avx2.roundCodes = roundCodesVectors
	avx2.splitCodes = splitCodesVectors
	avx2.unpackCodes = unpackCodesVectors
	avx2.sumCodes = sumCodesVectors
	avx2.halfScales = halfScalesVectors
	avx2.byteScales = byteScalesVectors
	avx2.widenBrains = widenBrainsVectors
	avx2.narrowBrains = narrowBrainsVectors
	avx2.ditherBrains = ditherBrainsVectors
	avx2.dither = ditherVectors
	avx2.fetch = fetchLines
	avx2.pack = packVectors
	avx2.add = addVectors
	avx2.addScaled = addScaledVectors
	avx2.swiglu = swigluVectors
	avx2.gelu = geluVectors
	avx2.relu = reluVectors
	avx2.sumSquares = sumSquaresVectors
	avx2.scaleBy = scaleByVectors
	avx2.sum = sumVectors
	avx2.centredSquares = centredSquaresVectors
	avx2.standardise = standardiseVectors
	avx2.turnHalves = turnHalvesVectors
	avx2.turnPairs = turnPairsVectors
	avx2.maximum = maximumVectors
	avx2.expSum = expSumVectors
	avx2.gaussian = gaussianVectors
	avx2.rademacher = rademacherVectors
	avx2.strided = stridedTiles
	avx2.project = projectTiles
	avx2.columnMaximum = columnMaximumVectors
	avx2.columnExpSum = columnExpSumVectors
	avx2.columnScaleAdd = columnScaleAddVectors

	avxvnni := avx2
	avxvnni.needs = Features{AVX2: true, AVXVNNI: true}
	avxvnni.codes = codeKernel{
		name: "6x16_avxvnni", MR: 6, NR: 16, fn: code6x16VNNI, column: codeColumn6x16VNNI,
		pack: packUnsigned6, xBytes: 4, wBytes: 4, shift: 128, step: 1,
	}
	avxvnni.codesQ4 = codeKernel{}

	// What AVX2 does at the speed of memory is left to it.
	avx512 := avx2
	avx512.needs = Features{AVX2: true, AVX512: true}
	avx512.gemm = microKernel{
		name: "14x32_avx512", MR: 14, NR: 32, fn: gemm14x32AVX512, half: gemm14x16AVX512, column: column14x32AVX512,
	}
	avx512.strided = stridedWide
	avx512.project = nil
	avx512.columnMaximum = columnMaximumWide
	avx512.columnExpSum = columnExpSumWide

	avx512vnni := avx512
	avx512vnni.needs.AVX512VNNI = true
	avx512vnni.codes = codeKernel{
		name: "14x32_avx512vnni", MR: 14, NR: 32, fn: code14x32VNNI, half: code14x16VNNI, column: codeColumn14x32VNNI,
		pack: packUnsigned(14), xBytes: 4, wBytes: 4, shift: 128, step: 1,
	}
	avx512vnni.codesQ4 = codeKernel{}

	avx512bf16 := avx512vnni
	avx512bf16.needs.AVX512BF16 = true
	avx512bf16.codesBF16 = codeKernel{
		name: "14x32_avx512bf16", MR: 14, NR: 32, fn: code14x32BF16, half: code14x16BF16, column: codeColumn14x32BF16,
		pack: packWords(14), xBytes: 4, wBytes: 4, step: 1,
	}
	return []routines{avx512bf16, avx512vnni, avx512, avxvnni, avx2}
}
