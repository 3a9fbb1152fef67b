package data

import (
	"fmt"
	"io"
	"slices"
)

// evaluationSeed picks the examples of an evaluation that is limited: MeZO's
// choice of a thousand.
const evaluationSeed = 42

// LoadShots reads a file and takes a few examples of each label from it, as
// MeZO's medium-sized experiments do: the file's rows are shuffled by the seed;
// of each label, in the order in which the labels then first occur, the first k
// are for training and the next k for choosing the best adapter. A label that
// has fewer rows gives what it has.
func LoadShots(path string, task *Task, encoder Encoder, options Options, k int, seed uint32) (train, heldOut *Set, err error) {
	file, err := open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	return ReadShots(path, file, task, encoder, options, k, seed)
}

// ReadShots is LoadShots of an open file.
func ReadShots(name string, source io.Reader, task *Task, encoder Encoder, options Options, k int, seed uint32) (train, heldOut *Set, err error) {
	if k < 1 || len(task.Labels) == 0 {
		return nil, nil, fmt.Errorf("%d examples of each label are to be taken: the number must be positive, and the task one with labels: %w", k, ErrTask)
	}
	l, err := newLoader(name, task, encoder, options)
	if err != nil {
		return nil, nil, err
	}
	rows, err := l.rows(source)
	if err != nil {
		return nil, nil, err
	}
	var order []int // labels, as they first occur
	taken := make([][]*Row, len(task.Labels))
	for _, i := range shuffled(seed, len(rows)) {
		_, gold, err := task.answers(&rows[i])
		if err != nil {
			return nil, nil, l.place(&rows[i], err)
		}
		if !slices.Contains(order, gold) {
			order = append(order, gold)
		}
		if len(taken[gold]) < 2*k {
			taken[gold] = append(taken[gold], &rows[i])
		}
	}
	var first, second []*Row
	for _, label := range order {
		n := min(k, len(taken[label]))
		first, second = append(first, taken[label][:n]...), append(second, taken[label][n:]...)
	}
	if train, err = l.encode(first); err != nil {
		return nil, nil, err
	}
	if len(second) == 0 {
		return nil, nil, fmt.Errorf("%s: no label has more than %d rows, and as many again are to choose the best adapter by: %w", name, k, ErrEmpty)
	}
	heldOut, err = l.encode(second)
	return train, heldOut, err
}

// rows reads all rows of a file, as the task has them.
func (l *loader) rows(source io.Reader) ([]Row, error) {
	var rows []Row
	err := l.each(source, func(row *Row) error {
		rows = append(rows, *row)
		return nil
	})
	return rows, err
}

// encode makes a set of some rows.
func (l *loader) encode(rows []*Row) (*Set, error) {
	set := *l.set
	set.Examples = nil
	one := loader{task: l.task, set: &set, encoding: l.encoding}
	for _, row := range rows {
		if err := one.add(row); err != nil {
			return nil, one.place(row, err)
		}
	}
	return one.set, one.finish()
}

// sample reads a file and makes a set of at most options.Limit of its rows, in
// their own order.
func (l *loader) sample(source io.Reader) (*Set, error) {
	rows, err := l.rows(source)
	if err != nil {
		return nil, err
	}
	picks := shuffled(evaluationSeed, len(rows))
	picks = picks[:min(len(picks), l.options.Limit)]
	slices.Sort(picks)
	chosen := make([]*Row, len(picks))
	for i, pick := range picks {
		chosen[i] = &rows[pick]
	}
	return l.encode(chosen)
}
