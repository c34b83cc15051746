// Where threads run.
//
// A Linux guest takes a halted virtual CPU for one that its host has taken away, and lets a thread that wakes up run on
// the CPU of the one that woke it, though another is idle. They share it until the scheduler next balances, after
// milliseconds: longer than many a parallel region. A thread that steps aside runs on the other at once.
#pragma once

namespace mlwright::runtime {

// The CPU that this thread runs on; -1 where that is not known.
int current_cpu() noexcept;

// If this thread runs on `cpu`, it goes on on another one of its affinity, if there is one. For threads of our own: the
// affinity is set, and set back.
void leave_cpu(int cpu) noexcept;

}  // namespace mlwright::runtime
