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

// 1: the compiler and the device have the atomic operations of OpenCL 2.0 that order memory for the whole device. The
// host tells (DeviceAtomics), because a compiler may know more than its device.
#ifndef DEVICE_ATOMICS
#define DEVICE_ATOMICS 0
#endif

#define LINE 16  // values of 4 bytes in a cache line

// The counter of a team. Counters are a cache line apart; the first line holds the flag that a work-item sets when it
// gives up.
inline int off_arrivals(int team) { return (team + 1) * LINE; }

// arrive: counts this work-item as one that has finished a step. Whoever sees the count also sees what it wrote before,
// and what its group wrote before a barrier.
// arrived: returns the count. What others wrote before they arrived is visible afterwards.
#if IS_NVIDIA
// OpenCL 1.2's fences need not reach beyond a group. PTX orders memory for the whole device.
inline void arrive(__global int* arrivals, int team) {
  ulong count = (ulong)(arrivals + off_arrivals(team));
  __asm__ volatile("red.release.gpu.global.add.u32 [%0], 1;" : : "l"(count) : "memory");
}
inline int arrived(__global int* arrivals, int team) {
  ulong count = (ulong)(arrivals + off_arrivals(team));
  int found;
  __asm__ volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(found) : "l"(count) : "memory");
  return found;
}
#elif DEVICE_ATOMICS
// The same order in OpenCL 2.0's words. The pointers are to the global address space, because OpenCL C 3.0 need not
// have a generic one.
inline void arrive(__global int* arrivals, int team) {
  volatile __global atomic_int* count = (volatile __global atomic_int*)(arrivals + off_arrivals(team));
  atomic_fetch_add_explicit(count, 1, memory_order_release, memory_scope_device);
}
inline int arrived(__global int* arrivals, int team) {
  volatile __global atomic_int* count = (volatile __global atomic_int*)(arrivals + off_arrivals(team));
  return atomic_load_explicit(count, memory_order_acquire, memory_scope_device);
}
#else
// For CPUs, whose fences reach all cores. No work-group of a GPU waits for another with these.
inline void arrive(__global int* arrivals, int team) {
  mem_fence(CLK_GLOBAL_MEM_FENCE);
  atomic_inc(arrivals + off_arrivals(team));
}
// An atomic operation that changes nothing: unlike a load, it is ordered after what others wrote before they arrived.
inline int arrived(__global int* arrivals, int team) {
  int found = atomic_or(arrivals + off_arrivals(team), 0);
  mem_fence(CLK_GLOBAL_MEM_FENCE);
  return found;
}
#endif

// How long the first `steps` steps of a launch may take: `patience` in units of clock.cl, and for each step as much
// more as step_patience, in 256ths of that unit.
inline uint patience_for(int steps, int patience, int step_patience) {
  return patience + (uint)min((long)step_patience * steps >> 8, (long)INT_MAX);
}

// Waits until the team has counted `expected` arrivals since the sequence began. Returns 0 if it gave up because more
// than `patience` has passed since `begun`.
inline int all_arrived(__global int* arrivals, int team, int expected, uint begun, uint patience) {
  while (arrived(arrivals, team) < expected) {
    if (clock_now() - begun > patience) {
      atomic_or(arrivals, 1);
      return 0;
    }
  }
  return 1;
}
