package kernel

import "zeroth/runtime/platform"

// The phases of a node that a profile tells apart; all else is phase 0.
const (
	PhaseRound   platform.Phase = iota + 1 // x is rounded, for a product of codes or of bf16
	PhaseNoise                             // z is drawn, and B + σεz made of it
	PhaseProject                           // t = x Aᵀ
	PhaseLowRank                           // t (B + σεz)ᵀ is added to the base product
)
