// The same for kernels that take programs on functions and security hooks. An object of its own, since what a program could need is
// held in memory for as long as the sensor runs.
#include "sensor.bpf.c"
#include "hook.h"
