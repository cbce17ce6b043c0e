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
#include "apus_data.h"
#include "apus_exact_sum.h"
#include "apus_magnitudes.h"
#include "apus_nn_activation.h"
#include "apus_nn_convolution.h"
#include "apus_nn_dropout.h"
#include "apus_nn_elementwise.h"
#include "apus_nn_loss.h"
#include "apus_nn_normalization.h"
#include "apus_nn_pooling.h"
#include "apus_nn_reduce.h"
#include "apus_nn_rows.h"
#include "apus_nn_strided.h"
#include "apus_optimizers.h"
#include "apus_products.h"
#include "apus_signals.h"

#endif
