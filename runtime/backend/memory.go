package backend

// Memory is what a session of a delegate holds, in bytes.
type Memory struct {
	Constants   int64 `json:"constants"`
	Slots       int64 `json:"slots"`
	Temporaries int64 `json:"temporaries"` // of all partitions, with their nodes' working memory
	Values      int64 `json:"values"`      // inputs and outputs of partitions
	// Other is for copying, for kernels' parameters, and what is not used of
	// larger pieces.
	Other int64 `json:"other"`
	// Shared says that it is the host's memory, of which it takes a part: not
	// that of a card.
	Shared bool `json:"shared"`
}

// Total is the sum.
func (m Memory) Total() int64 {
	return m.Constants + m.Slots + m.Temporaries + m.Values + m.Other
}

// Holder is a Session that knows what memory it holds.
type Holder interface {
	// Measure says what the session will hold with all of these partitions and
	// takes none of it; what copying needs is not known before. An error wraps
	// ErrDeclined where the device has not as much.
	Measure(partitions []*Partition) (Memory, error)
	// Held is what it holds now.
	Held() Memory
}
