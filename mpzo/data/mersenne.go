package data

// mersenne is MT19937 (Matsumoto and Nishimura, 1998), seeded and drawn from as
// NumPy's numpy.random.seed and numpy.random.shuffle do. MeZO's samples are made
// by these, so with them a seed names the same examples here as there.
type mersenne struct {
	state [624]uint32
	at    int // of the next number in state
}

func newMersenne(seed uint32) *mersenne {
	m := &mersenne{at: len(mersenne{}.state)}
	m.state[0] = seed
	for i := 1; i < len(m.state); i++ {
		m.state[i] = 1812433253*(m.state[i-1]^m.state[i-1]>>30) + uint32(i)
	}
	return m
}

// next returns the next 32 bits.
func (m *mersenne) next() uint32 {
	if m.at == len(m.state) {
		m.twist()
	}
	x := m.state[m.at]
	m.at++
	x ^= x >> 11
	x ^= x << 7 & 0x9d2c5680
	x ^= x << 15 & 0xefc60000
	return x ^ x>>18
}

// twist makes the next 624 numbers of the recurrence.
func (m *mersenne) twist() {
	n := len(m.state)
	for i := range m.state {
		y := m.state[i]&0x80000000 | m.state[(i+1)%n]&0x7fffffff
		m.state[i] = m.state[(i+397)%n] ^ y>>1
		if y&1 != 0 {
			m.state[i] ^= 0x9908b0df
		}
	}
	m.at = 0
}

// upTo returns a number of 0 … most, each as likely: masked to the bits of most
// and drawn again while it is above. Only where most is 0 is nothing drawn.
func (m *mersenne) upTo(most uint32) uint32 {
	mask := most
	for shift := 1; shift < 32; shift *= 2 {
		mask |= mask >> shift
	}
	for mask != 0 {
		if x := m.next() & mask; x <= most {
			return x
		}
	}
	return 0
}

// shuffled returns 0 … n−1 in the order in which numpy.random.shuffle leaves a
// list of n items after numpy.random.seed(seed).
func shuffled(seed uint32, n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	random := newMersenne(seed)
	for i := n - 1; i > 0; i-- {
		j := random.upTo(uint32(i))
		order[i], order[j] = order[j], order[i]
	}
	return order
}
