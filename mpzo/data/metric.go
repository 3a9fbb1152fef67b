package data

import (
	"fmt"
	"math"
	"slices"
)

// Metric is a score of predictions, 0 … 1.
type Metric uint8

// The metrics.
const (
	// Accuracy is the share of examples whose gold candidate is predicted.
	Accuracy Metric = iota
	// F1 is that of the second label: 2·TP/(2·TP+FP+FN). Of free text it is the
	// mean F1 of the words of a generated answer, as SQuAD has it.
	F1
	// MacroF1 is the mean over the labels of each one's F1.
	MacroF1
	// ExactMatch is the share of groups of examples that are all predicted
	// right. Of free text it is the share of generated answers that are equal to
	// a reference, as SQuAD has it.
	ExactMatch
)

var metricNames = []string{"accuracy", "f1", "macro_f1", "exact_match"}

// String names the metric as task files do.
func (m Metric) String() string { return metricNames[m] }

// ParseMetric reads the name of a metric.
func ParseMetric(name string) (Metric, error) {
	if i := slices.Index(metricNames, name); i >= 0 {
		return Metric(i), nil
	}
	return 0, fmt.Errorf("metric %s is none of %s: %w", shown(name), wanted(metricNames), ErrTask)
}

// metrics reads the task's metrics and checks that they fit its answers.
func (s *Spec) metrics() ([]Metric, error) {
	if len(s.Metrics) == 0 && s.AnswerField == "" {
		return []Metric{Accuracy}, nil
	}
	var out []Metric
	for _, name := range s.Metrics {
		m, err := ParseMetric(name)
		if err != nil {
			return nil, err
		}
		free, labels := s.AnswerField != "", len(s.Labels)
		switch {
		case slices.Contains(out, m):
			err = fmt.Errorf("metric %s is given twice: %w", m, ErrTask)
		case free && (m == Accuracy || m == MacroF1):
			err = fmt.Errorf("metric %s needs candidates, and free text has none: %w", m, ErrTask)
		case m == F1 && !free && labels != 2:
			err = fmt.Errorf("metric f1 is of the second of two labels, %d are given: %w", labels, ErrTask)
		case m == MacroF1 && labels == 0:
			err = fmt.Errorf("metric macro_f1 needs labels: %w", ErrTask)
		case m == ExactMatch && !free && s.GroupField == "":
			err = fmt.Errorf("metric exact_match needs group_field, which says what rows belong together: %w", ErrTask)
		case (m == F1 && slices.Contains(out, MacroF1)) || (m == MacroF1 && slices.Contains(out, F1)):
			err = fmt.Errorf("metrics f1 and macro_f1 exclude each other: %w", ErrTask)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// Scores are the metrics of a set's predictions, NaN where they were not asked
// for. F1 holds MacroF1 as well: a task has one of the two.
type Scores struct {
	Accuracy, F1, ExactMatch float64
}

// NoScores are scores of which none was asked for.
func NoScores() Scores { return Scores{math.NaN(), math.NaN(), math.NaN()} }

// Of returns the score in a metric.
func (s Scores) Of(m Metric) float64 {
	switch m {
	case Accuracy:
		return s.Accuracy
	case ExactMatch:
		return s.ExactMatch
	default:
		return s.F1
	}
}

func (s *Scores) set(m Metric, value float64) {
	switch m {
	case Accuracy:
		s.Accuracy = value
	case ExactMatch:
		s.ExactMatch = value
	default:
		s.F1 = value
	}
}

// macroF1 is the mean of the labels' F1. A label that no example has and none was
// predicted to have does not count.
func (s *Set) macroF1(examples []Example, predicted []int32) float64 {
	sum, labels := 0.0, 0
	for label := range s.Labels {
		met := slices.Contains(predicted, int32(label)) ||
			slices.ContainsFunc(examples, func(e Example) bool { return int(e.Gold) == label })
		if met {
			sum += labelF1(examples, predicted, label)
			labels++
		}
	}
	return sum / float64(max(labels, 1))
}

// Score scores predictions of candidates, one for each of the set's examples
// from the first; -1 is never right.
func (s *Set) Score(predicted []int32) (Scores, error) {
	out := NoScores()
	if len(predicted) > len(s.Examples) {
		return out, fmt.Errorf("%d predictions for %d examples: %w", len(predicted), len(s.Examples), ErrBatch)
	}
	examples := s.Examples[:len(predicted)]
	for _, m := range s.Metrics {
		switch m {
		case Accuracy:
			out.set(m, accuracy(examples, predicted))
		case F1:
			out.set(m, labelF1(examples, predicted, 1))
		case MacroF1:
			out.set(m, s.macroF1(examples, predicted))
		case ExactMatch:
			out.set(m, groupAccuracy(examples, predicted))
		}
	}
	return out, nil
}

func accuracy(examples []Example, predicted []int32) float64 {
	right := 0
	for i := range examples {
		if int(predicted[i]) == examples[i].Gold {
			right++
		}
	}
	return float64(right) / float64(len(examples))
}

// labelF1 returns 2·TP/(2·TP+FP+FN) of one label, 0 where it is neither there
// nor predicted.
func labelF1(examples []Example, predicted []int32, label int) float64 {
	both, one := 0, 0
	for i := range examples {
		is, said := examples[i].Gold == label, int(predicted[i]) == label
		switch {
		case is && said:
			both++
		case is != said:
			one++
		}
	}
	if both == 0 {
		return 0
	}
	return 2 * float64(both) / float64(2*both+one)
}

// groupAccuracy returns the share of groups without a wrong prediction.
func groupAccuracy(examples []Example, predicted []int32) float64 {
	right := make(map[string]bool)
	for i := range examples {
		group := examples[i].Group
		before, seen := right[group]
		right[group] = (before || !seen) && int(predicted[i]) == examples[i].Gold
	}
	good := 0
	for _, ok := range right {
		if ok {
			good++
		}
	}
	return float64(good) / float64(len(right))
}
