package conformance

// Result is what came of one case.
type Result struct {
	Op      string  `json:"op"`
	Case    string  `json:"case"`
	Kernel  string  `json:"kernel"`
	NMSE    float64 `json:"nmse"`  // the worst of all runs; math.MaxFloat64 where it has no finite value
	Limit   float64 `json:"limit"` // 0: equal bits are demanded
	Pass    bool    `json:"pass"`
	Half    bool    `json:"f16,omitempty"`     // the kernel keeps some of the operands as f16
	Message string  `json:"message,omitempty"` // why it failed
}

// Report lists the results in the order of the table.
type Report struct {
	Results []Result `json:"results"`
	// Untaken counts the cases that no kernel supports, with Options.Taken.
	Untaken int `json:"untaken,omitempty"`
}

// Failed lists the results that did not pass.
func (r Report) Failed() []Result {
	var failed []Result
	for _, result := range r.Results {
		if !result.Pass {
			failed = append(failed, result)
		}
	}
	return failed
}

// Summary is one op with one of the kernels picked for its cases.
type Summary struct {
	Op     string  `json:"op"`
	Kernel string  `json:"kernel"`
	Cases  int     `json:"cases"`
	Failed int     `json:"failed"`
	Worst  float64 `json:"worst"` // largest NMSE over limit; 0 where bits are compared and equal
}

// Summaries groups the results by op and kernel, in the order of the table.
func (r Report) Summaries() []Summary {
	var list []Summary
	at := make(map[[2]string]int)
	for _, result := range r.Results {
		key := [2]string{result.Op, result.Kernel}
		i, ok := at[key]
		if !ok {
			i = len(list)
			at[key] = i
			list = append(list, Summary{Op: result.Op, Kernel: result.Kernel})
		}
		s := &list[i]
		s.Cases++
		if !result.Pass {
			s.Failed++
		}
		if result.Limit > 0 {
			s.Worst = max(s.Worst, min(result.NMSE, 1e9)/result.Limit)
		}
	}
	return list
}
