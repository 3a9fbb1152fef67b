// A loop of nothing but an instruction, for what a device reaches at best. It leaves
// a word an invocation, so that no driver leaves it out.

layout(std430, binding = 0) writeonly buffer Output { uint Y[]; };

layout(std140, binding = 1) uniform Parameters { uint rounds; };

const uint CHAINS = 16; // that do not wait for each other
