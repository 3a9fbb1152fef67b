package noise

// Copy says how copy p of a pass that begins at first is perturbed: by σ ε z of
// a query i. From first ≥ 0 on copies come in ± pairs: with j = first + p,
// i = ⌊j/2⌋ and σ is +1 for even j, −1 for odd j. A negative first stands for
// the one-sided form from copy k = −1 − first + p on: copy 0 is not perturbed
// (σ = 0), and copy k > 0 is so by +ε z of query k − 1.
func Copy(first int32, p int) (query uint32, sigma int) {
	if first < 0 {
		k := ^uint32(first) + uint32(p)
		if k == 0 {
			return 0, 0
		}
		return k - 1, 1
	}
	j := uint32(first) + uint32(p)
	return j / 2, 1 - 2*int(j%2)
}
