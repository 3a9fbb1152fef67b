package cpu

import (
	"zeroth/runtime/kernel"
	"zeroth/runtime/noise"
)

// fillNoise is noise.Sampler.Fill, bit for bit.
func (r *routines) fillNoise(s noise.Sampler, z []float32, seed [2]uint32, site, query, first uint32) {
	if s == noise.Gaussian {
		r.gaussian(z, seed, site, query, first)
		return
	}
	r.rademacher(z, seed, site, query, first)
}

// gaussianGeneric: z[i] = noise.Gaussian at index first+i.
func gaussianGeneric(z []float32, seed [2]uint32, site, query, first uint32) {
	noise.Gaussian.Fill(z, seed, site, query, first)
}

// rademacherGeneric: z[i] = noise.Rademacher at index first+i.
func rademacherGeneric(z []float32, seed [2]uint32, site, query, first uint32) {
	noise.Rademacher.Fill(z, seed, site, query, first)
}

// updateLoRA computes B ← B − c · Σ_i g[i] z_i in place, c = lr / q, by groups
// of rows of B [M, r]. Every product and sum is rounded to float32.
type updateLoRA struct {
	*routines
	call    *kernel.Call
	site    uint32
	sampler noise.Sampler
	noise   perWorker
	b, g    []float32
	seed    [2]uint32
	c       float32
	M, r    int
}

func (r *routines) bindUpdateLoRA(c *kernel.Call) (kernel.Runner, error) {
	return &updateLoRA{
		routines: r, call: c,
		site: uint32(c.Attrs.Int("site")), sampler: noise.Sampler(c.Attrs.Int("sampler")),
	}, nil
}

// updateRows is the number of rows of B in one tile.
const updateRows = 16

func (r *routines) scratchUpdateLoRA(c *kernel.Call) int {
	var a arena
	a.takePerWorker(2*updateRows*c.In[0].Shape[1], c.Pool.Workers())
	return a.bytes()
}

func (u *updateLoRA) Run() error {
	in := u.call.In
	u.M, u.r = in[0].Shape[0], in[0].Shape[1]
	scratch := newArena(u.call.Scratch)
	u.noise = scratch.takePerWorker(2*updateRows*u.r, u.call.Pool.Workers())
	u.b, u.g = in[0].Copy(0), in[2].Copy(0)
	copy(u.seed[:], in[1].U32())
	if len(u.g) == 0 {
		return nil
	}
	u.c = in[3].Copy(0)[0] / float32(len(u.g))
	u.call.Pool.Run(u, ceilDiv(u.M, updateRows))
	return nil
}

// Tile updates one group of rows.
func (u *updateLoRA) Tile(worker, tile int) {
	part := u.noise.of(worker)
	first := tile * updateRows * u.r
	b := u.b[first:min(first+updateRows*u.r, u.M*u.r)]
	z, sum := part.take(len(b)), part.take(len(b))
	clear(sum)
	for i, g := range u.g {
		u.fillNoise(u.sampler, z, u.seed, u.site, uint32(i), uint32(first))
		u.addScaled(sum, sum, z, g)
	}
	u.addScaled(b, b, sum, -u.c)
}
