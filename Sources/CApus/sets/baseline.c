// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// What every processor of this kind has. OpenBLAS, which knows the processor, has the better products.

#include "apus_kernels.h"

#define SET baseline
#define VL 4
#define ROWS 6
#define DOTS 5
#define LAYER 128
#define PORTABLE 0
#define OWN 0
#include "../kernels/kernels.h"
