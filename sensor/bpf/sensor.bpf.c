// The kernel half of the sensor. One object, so that its families share maps; each family is a file.
#include "process.h"
#include "returned.h"
#include "container.h"
#include "network.h"

char LICENSE[] SEC("license") = "GPL";
