// Package data turns files of examples into the packed inputs of a program's
// `losses` method, and the losses it gives back into accuracies.
//
// The way of an example:
//
//	Reader   file (JSON lines, tab-separated or plain text) → Row
//	Task     Row → prompt and candidate answers, by a template
//	Set      token ids of every candidate, through an Encoder; of all rows, or of
//	         a few of each label
//	Order    which examples a training step takes, from (seed, step) alone
//	Batch    tokens, label rows and offsets, packed without padding
//	Score    per-row losses → predictions and mean losses
//	Scores   predictions, or written answers → accuracy, F1, exact match
//
// The training loop and the tool call it. It sees a tokenizer only through
// Encoder, and knows nothing of programs, sessions or optimizers; what a task
// is trained on is named here (Loss), what the loss is belongs to the program.
//
// Files are taken as hostile: every line has a stated limit, must be UTF-8, and
// the first bad row ends the reading with an error that names file and line.
package data
