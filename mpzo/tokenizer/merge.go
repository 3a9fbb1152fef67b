package tokenizer

// joiner says which neighbours may be merged, and how soon.
type joiner interface {
	// join looks up two neighbours by their joined text, whose first leftSize
	// bytes are the left one. The pair of highest score is merged first.
	join(joined string, leftSize int) (score float32, found bool)
}

// symbol is a stretch of the text in a doubly linked list; -1 ends the list. A
// symbol that was merged into its left neighbour has size 0.
type symbol struct {
	start, size int // bytes
	prev, next  int
	frozen      bool // never merged
}

// candidate is a pair that may be merged, if neither side has changed since.
type candidate struct {
	left, right int // indices of symbols
	size        int // bytes of both
	score       float32
}

// merging is the state of one segmentation: of all neighbours that may be merged
// those of highest score are, the leftmost of equals, until none are left. A heap
// of candidate pairs makes that O(n log n).
type merging struct {
	rules      joiner
	longest    int // bytes of the longest text that rules can find
	text       string
	symbols    []symbol
	candidates candidateHeap
}

// push appends a symbol to the list.
func (m *merging) push(start, size int, frozen bool) {
	index := len(m.symbols)
	m.symbols = append(m.symbols, symbol{start: start, size: size, prev: index - 1, next: -1, frozen: frozen})
	if index > 0 {
		m.symbols[index-1].next = index
	}
}

func (m *merging) symbolText(index int) string {
	s := m.symbols[index]
	return m.text[s.start : s.start+s.size]
}

// run merges until no candidate is left.
func (m *merging) run() {
	for right := 1; right < len(m.symbols); right++ {
		m.consider(right-1, right)
	}
	for len(m.candidates) > 0 {
		best := m.candidates.pop()
		left, right := &m.symbols[best.left], &m.symbols[best.right]
		if left.size == 0 || right.size == 0 || left.size+right.size != best.size {
			continue
		}
		left.size = best.size
		right.size = 0
		left.next = right.next
		if left.next >= 0 {
			m.symbols[left.next].prev = best.left
		}
		m.consider(left.prev, best.left)
		m.consider(best.left, left.next)
	}
}

// consider makes a candidate of two neighbours if they may be merged.
func (m *merging) consider(leftIndex, rightIndex int) {
	if leftIndex < 0 || rightIndex < 0 {
		return
	}
	left, right := m.symbols[leftIndex], m.symbols[rightIndex]
	size := left.size + right.size
	if left.frozen || right.frozen || size > m.longest {
		return
	}
	score, found := m.rules.join(m.text[left.start:left.start+size], left.size)
	if found {
		m.candidates.push(candidate{left: leftIndex, right: rightIndex, size: size, score: score})
	}
}

// candidateHeap is a binary heap with the next candidate to merge on top.
type candidateHeap []candidate

// before reports whether a is merged before b.
func (a candidate) before(b candidate) bool {
	return a.score > b.score || a.score == b.score && a.left < b.left
}

func (h *candidateHeap) push(c candidate) {
	*h = append(*h, c)
	heap := *h
	at := len(heap) - 1
	for at > 0 {
		parent := (at - 1) / 2
		if !heap[at].before(heap[parent]) {
			break
		}
		heap[at], heap[parent] = heap[parent], heap[at]
		at = parent
	}
}

// pop removes the top of a heap that is not empty.
func (h *candidateHeap) pop() candidate {
	heap := *h
	top := heap[0]
	heap[0] = heap[len(heap)-1]
	heap = heap[:len(heap)-1]
	*h = heap
	for at := 0; ; {
		first := at
		for child := 2*at + 1; child <= 2*at+2 && child < len(heap); child++ {
			if heap[child].before(heap[first]) {
				first = child
			}
		}
		if first == at {
			return top
		}
		heap[at], heap[first] = heap[first], heap[at]
		at = first
	}
}
