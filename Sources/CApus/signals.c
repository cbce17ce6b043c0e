// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#include "apus_signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static atomic_int stop_count;
static char stop_notice[256];
static size_t stop_notice_length;

// Only what signal-safety(7) allows: lock-free atomics, write and _exit.
static void on_stop(int number) {
  (void)number;
  int saved = errno;
  if (atomic_fetch_add(&stop_count, 1) > 0) _exit(130);
  ssize_t written = write(STDERR_FILENO, stop_notice, stop_notice_length);
  (void)written;
  errno = saved;
}

int apus_signals_watch(const char *notice) {
  size_t length = strlen(notice);
  if (length > sizeof stop_notice) length = sizeof stop_notice;
  memcpy(stop_notice, notice, length);
  stop_notice_length = length;

  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_stop;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0) return errno;

  // Whoever started the process may have left them blocked.
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  return pthread_sigmask(SIG_UNBLOCK, &both, NULL);
}

int apus_signals_count(void) { return atomic_load(&stop_count); }

int apus_signals_ignore_broken_pipes(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_IGN;
  sigemptyset(&action.sa_mask);
  return sigaction(SIGPIPE, &action, NULL) == 0 ? 0 : errno;
}
