// Package train fine-tunes a program with zeroth-order steps: forward passes
// and nothing else.
//
// A step draws q directions z_i over the LoRA matrices B, takes the losses at
// B ± ε z_i, and moves B along the mean of g_i z_i with
// g_i = (L(B + ε z_i) − L(B − ε z_i)) / 2ε (SPSA; MeZO, Malladi et al. 2023;
// P-RGE, MobiZO, arXiv 2409.15520). The directions are never stored: the
// program makes them from the step's seed.
//
// Model binds a program's methods, an Estimator turns a batch into projected
// gradients, and a Trainer runs the loop: batches, steps, evaluations, the
// journal and the best adapter. Two runs of the same program, data, settings
// and seed leave the same journal, byte for byte, whatever the number of
// threads; a resumed run ends with the same bits as one that was never
// interrupted.
package train
