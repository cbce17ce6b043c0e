// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#ifndef APUS_MEMORY_H
#define APUS_MEMORY_H

/// Lets all threads take their memory from one place, where the C library would make one for each; called before
/// there are threads. It saves memory, and costs time only where many threads allocate at once.
void apus_memory_share_arena(void);

/// Gives pages that were freed, but kept for later, back to the system.
void apus_memory_give_back(void);

#endif
