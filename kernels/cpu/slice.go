package cpu

import "zeroth/runtime/kernel"

// slice copies channels: y[n, c] = x[n, start + c]. x [w·N, C] → y [w·N, size].
type slice struct {
	call  *kernel.Call
	start int
	rows  int
}

func (*routines) bindSlice(c *kernel.Call) (kernel.Runner, error) {
	return &slice{call: c, start: c.Attrs.Int("start")}, nil
}

func (s *slice) Run() error {
	y := s.call.Out[0]
	s.rows = y.Width * y.Shape[0]
	s.call.Pool.Run(s, ceilDiv(s.rows, rowsPerTile(y.Shape[1])))
	return nil
}

// Tile copies a group of rows.
func (s *slice) Tile(_, tile int) {
	x, y := s.call.In[0], s.call.Out[0]
	C, size := x.Shape[1], y.Shape[1]
	group := rowsPerTile(size)
	for r := tile * group; r < min((tile+1)*group, s.rows); r++ {
		copy(y.F32()[r*size:(r+1)*size], x.F32()[r*C+s.start:])
	}
}
