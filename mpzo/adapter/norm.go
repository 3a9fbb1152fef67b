package adapter

import "math"

// Norm returns how far the adapter moves the weight of a site: the Frobenius norm
// of s B A, in time r² (in + out), from
//
//	‖B A‖² = Σij (A Aᵀ)ij (Bᵀ B)ij
func (a *Adapter) Norm(site int) float64 {
	in, out, loraA, loraB := a.Sites[site].In, a.Sites[site].Out, a.A[site], a.B[site]
	sum := 0.0
	for i := range a.Rank {
		for j := range i + 1 {
			rows, columns := 0.0, 0.0
			for k := range in {
				rows += float64(loraA[i*in+k]) * float64(loraA[j*in+k])
			}
			for m := range out {
				columns += float64(loraB[m*a.Rank+i]) * float64(loraB[m*a.Rank+j])
			}
			if sum += rows * columns; i != j {
				sum += rows * columns // and (j, i)
			}
		}
	}
	return a.Scale() * math.Sqrt(max(sum, 0)) // below 0 by rounding alone
}

// Scale is s, by which the product of B and A is multiplied.
func (a *Adapter) Scale() float64 { return a.Alpha / float64(a.Rank) }
