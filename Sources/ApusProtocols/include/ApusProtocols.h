// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#include "apus/v1/blob.pb-c.h"
#include "apus/v1/common.pb-c.h"
#include "apus/v1/coordinator.pb-c.h"
#include "apus/v1/edge.pb-c.h"
#include "apus/v1/plan.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"
