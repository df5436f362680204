/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One object: programs share maps, and the loader one file. */
#include "kernel.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#include "connect.bpf.c"
#include "state.bpf.c"
#include "retransmit.bpf.c"
#include "reset.bpf.c"
#include "owner.bpf.c"
#include "scan.bpf.c"
#include "watch.bpf.c"
