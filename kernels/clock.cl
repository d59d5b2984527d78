// The device's own clock. It counts at the same rate on all cores, and from the same start. The host measures the rate
// with lstm_clock, so any unit will do; this one keeps minutes in 32 bits.
//
// Where there is no such clock it stands still. No work-item waits for another one on such a device.

#if IS_NVIDIA
inline uint clock_now() {
  ulong nanoseconds;
  __asm__ volatile("mov.u64 %0, %%globaltimer;" : "=l"(nanoseconds));
  return (uint)(nanoseconds >> 6);
}
#elif defined(__x86_64__)
inline uint clock_now() { return (uint)(__builtin_readcyclecounter() >> 10); }
#elif defined(__aarch64__)
inline uint clock_now() {
  ulong ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return (uint)(ticks >> 6);
}
#else
inline uint clock_now() { return 0; }
#endif

// Stores the time.
//   global size (1)
__kernel void lstm_clock(__global int* restrict now) {  // [1]
  now[0] = (int)clock_now();
}
