package train

import (
	"fmt"
	"math"

	"zeroth/runtime/noise"
	"zeroth/runtime/op"
	"zeroth/runtime/program"
)

// paramsCore is what a program with cores says under "params".
const paramsCore = "core"

// findCores finds the sites of a program with cores. A site's A is V [r, K] and
// its B is R [r, r]: what is said of A and B elsewhere holds for them. U [M, r]
// is beside them.
func (m *Model) findCores() error {
	p := m.session.Program()
	slots := make(map[string]int)
	for i, s := range p.Slots {
		slots[s.Name] = i
	}
	for _, site := range p.Sites {
		r, trained := slots[site.Name+".core_R"]
		if !trained {
			continue
		}
		v, hasV := slots[site.Name+".core_V"]
		u, hasU := slots[site.Name+".core_U"]
		if !hasV || !hasU {
			return fmt.Errorf("%w: site %s lacks a slot of its core", ErrProgram, site.Name)
		}
		if err := checkCore(p, site, v, u, r); err != nil {
			return err
		}
		site.A, site.B = v, r
		m.sites, m.u = append(m.sites, site), append(m.u, u)
	}
	return nil
}

// checkCore wants V [r, K], U [M, r] and R [r, r].
func checkCore(p *program.Program, site program.Site, v, u, r int) error {
	rank := op.C(0)
	if shape := p.Slots[r].Type.Shape; len(shape) == 2 {
		rank = shape[0]
	}
	for _, want := range []struct {
		slot  int
		shape []op.Dim
	}{
		{r, []op.Dim{rank, rank}},
		{v, []op.Dim{rank, op.C(site.In)}},
		{u, []op.Dim{op.C(site.Out), rank}},
	} {
		slot := p.Slots[want.slot]
		if wanted := (op.Type{DType: op.F32, Shape: want.shape}); !slot.Type.Equal(wanted) {
			return fmt.Errorf("%w: slot %s is %s, want %s", ErrProgram, slot.Name, slot.Type, wanted)
		}
	}
	return nil
}

// initU fills site i's U. Its elements have variance 1/r, so that those of Uz
// have z's: ε means for R what it means for B. It is of no data and in integers
// up to the last conversion, so that every machine has the same.
func (m *Model) initU(i int, runSeed uint64) error {
	u, err := m.session.WriteSlot(m.u[i])
	if err != nil {
		return err
	}
	rank := len(u) / m.sites[i].Out
	noise.FillUniform(u, ^runSeed, m.sites[i].ID, float32(math.Sqrt(3/float64(rank))))
	return nil
}

// loraB returns B [M, r] of site i as an adapter has it: with cores U R, each
// element summed in float64.
func (m *Model) loraB(i int) ([]float32, error) {
	trained, err := m.session.ReadSlot(m.sites[i].B)
	if err != nil || m.u == nil {
		return trained, err
	}
	u, err := m.session.ReadSlot(m.u[i])
	if err != nil {
		return nil, err
	}
	M := m.sites[i].Out
	rank := len(u) / M
	b := make([]float32, len(u))
	for row := range M {
		for c := range rank {
			sum := 0.0
			for j, v := range u[row*rank:][:rank] {
				sum += float64(float64(v) * float64(trained[j*rank+c])) // rounded alike with and without FMA
			}
			b[row*rank+c] = float32(sum)
		}
	}
	return b, nil
}

// setLoRAB takes B [M, r] from an adapter. With cores only B = 0 can be taken: it
// then is R that is 0.
func (m *Model) setLoRAB(i int, b []float32) error {
	trained, err := m.session.WriteSlot(m.sites[i].B)
	if err != nil {
		return err
	}
	if m.u == nil {
		copy(trained, b)
		return nil
	}
	for _, v := range b {
		if v != 0 {
			return fmt.Errorf("%w: %s: a core can begin at an adapter's A alone, and this one's B is not 0", ErrAdapter, m.sites[i].Name)
		}
	}
	clear(trained)
	return nil
}
