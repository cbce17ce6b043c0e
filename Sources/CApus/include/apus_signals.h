// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// SIGINT and SIGTERM as a count that any thread may read.

#ifndef APUS_SIGNALS_H
#define APUS_SIGNALS_H

/// From now on the first SIGINT or SIGTERM is counted, and `notice` (at most 256 bytes of it) is written
/// to standard error; the second one ends the process at once, with 130. Call it from one thread.
/// Returns 0 or an errno.
int apus_signals_watch(const char *notice);

/// How many such signals came.
int apus_signals_count(void);

/// From now on writing to a pipe that nobody reads is an error of the write and not a signal.
/// Returns 0 or an errno.
int apus_signals_ignore_broken_pipes(void);

#endif
