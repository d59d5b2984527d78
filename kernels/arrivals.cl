// requires: clock
//
// How the work-items of a team wait for each other between two steps of a sequence. OpenCL has no barrier beyond a
// work-group, so each arrives at a counter, and waits until all have.
//
//      hidden states of a step ──► fence ──► counter + 1        counter = all of the team? ──► fence ──► the next step
//
// All work-items of a team have to run at the same time, which OpenCL doesn't guarantee. The host starts no more of
// them than the device holds at once, and no work-item waits for long: as soon as the steps so far have taken longer
// than they would have under another plan, it gives up and sets arrivals[0], and the host runs the batch with that
// plan.

// Values of 4 bytes in a cache line.
#define ARRIVALS_LINE 16

// Makes what this work-item and, after a barrier, its group have written visible to the whole device before what
// follows, and what others have written visible to what follows. NVIDIA's mem_fence need not reach beyond the group.
#if IS_NVIDIA
#define device_fence() __asm__ volatile("fence.acq_rel.gpu;" ::: "memory")
#else
#define device_fence() mem_fence(CLK_GLOBAL_MEM_FENCE)
#endif

// The counter of a team. Counters are a cache line apart; the first line holds the flag that a work-item sets when it
// gives up.
inline int off_arrivals(int team) { return (team + 1) * ARRIVALS_LINE; }

// Counts this work-item as one that has finished a step. What it wrote before is visible to all who see the count.
inline void arrive(__global int* arrivals, int team) {
  device_fence();
  atomic_inc(arrivals + off_arrivals(team));
}

// Waits until the team has counted `expected` arrivals since the sequence began. Returns 0 if it gave up because more
// than `patience` has passed since `begun`. It checks with an atomic operation that changes nothing: unlike a load,
// this is ordered after what others wrote before they arrived.
inline int all_arrived(__global int* arrivals, int team, int expected, uint begun, uint patience) {
  __global int* count = arrivals + off_arrivals(team);
  while (atomic_or(count, 0) < expected) {
    if (clock_now() - begun > patience) {
      atomic_or(arrivals, 1);
      return 0;
    }
  }
  device_fence();
  return 1;
}
