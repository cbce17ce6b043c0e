// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// Loops that Swift cannot say well. Every pointer is to contiguous elements; inputs and outputs do not
// overlap unless a comment says so. Nothing here allocates, and nothing fails.

#ifndef APUS_H
#define APUS_H

#include <stddef.h>
#include <stdint.h>

#include "apus_convolutions.h"
#include "apus_elementary.h"
#include "apus_kernels.h"
#include "apus_memory.h"
#include "apus_signals.h"

#endif
