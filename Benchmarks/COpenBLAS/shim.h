// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#include <cblas.h>
