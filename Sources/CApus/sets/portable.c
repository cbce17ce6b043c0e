// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// Vectors of four numbers, which every processor has, rounded as written: the same bytes everywhere.

#include "apus_kernels.h"

#define SET portable
#define VL 4
#define ROWS 6
#define DOTS 5
#define LAYER 128
#define PORTABLE 1
#define OWN 1
#include "../kernels/kernels.h"
