// requires: clock
//
// How the work-items of a team wait for each other between two steps of a sequence. OpenCL has no barrier beyond a
// work-group, so each arrives at a counter, and waits until all have.
//
//      hidden states of a step ──► counter + 1        counter = all of the team? ──► the next step reads them
//
// All work-items of a team have to run at the same time, which OpenCL doesn't guarantee. The host starts no more of
// them than the device holds at once, and no work-item waits for long: as soon as the steps so far have taken longer
// than they would have under another plan, it gives up and sets arrivals[0], and the host runs the batch with that
// plan.

// Values of 4 bytes in a cache line.
#define ARRIVALS_LINE 16

// The counter of a team. Counters are a cache line apart; the first line holds the flag that a work-item sets when it
// gives up.
inline int off_arrivals(int team) { return (team + 1) * ARRIVALS_LINE; }

// count_arrival: adds one to a counter. Whoever sees it also sees what this work-item wrote before, and what its group
// wrote before a barrier.
// arrivals_counted: returns the counter. What others wrote before they arrived is visible afterwards.
#if IS_NVIDIA
// OpenCL's fences need not reach beyond a group. PTX orders memory for the whole device.
inline void count_arrival(__global int* count) {
  __asm__ volatile("red.release.gpu.global.add.u32 [%0], 1;" : : "l"((ulong)count) : "memory");
}
inline int arrivals_counted(__global int* count) {
  int counted;
  __asm__ volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(counted) : "l"((ulong)count) : "memory");
  return counted;
}
#else
inline void count_arrival(__global int* count) {
  mem_fence(CLK_GLOBAL_MEM_FENCE);
  atomic_inc(count);
}
// An atomic operation that changes nothing: unlike a load, it is ordered after what others wrote before they arrived.
inline int arrivals_counted(__global int* count) {
  int counted = atomic_or(count, 0);
  mem_fence(CLK_GLOBAL_MEM_FENCE);
  return counted;
}
#endif

// Counts this work-item as one that has finished a step.
inline void arrive(__global int* arrivals, int team) { count_arrival(arrivals + off_arrivals(team)); }

// Waits until the team has counted `expected` arrivals since the sequence began. Returns 0 if it gave up because more
// than `patience` has passed since `begun`.
inline int all_arrived(__global int* arrivals, int team, int expected, uint begun, uint patience) {
  while (arrivals_counted(arrivals + off_arrivals(team)) < expected) {
    if (clock_now() - begun > patience) {
      atomic_or(arrivals, 1);
      return 0;
    }
  }
  return 1;
}
