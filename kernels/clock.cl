// The device's own clock. It counts at the same rate on all cores, and from the same start. The host measures the rate
// with lstm_clock, so any unit will do; this one keeps minutes in 32 bits.
//
// Where there is no such clock it stands still. No work-item waits for another one on such a device: the host expects
// it of few devices only, and notices where it stands still after all.

// 1: the device offers the clock of cl_khr_kernel_clock. The host tells (DeviceAtomics), because some compilers define
// the extension's macros for every device.
#ifndef KERNEL_CLOCK
#define KERNEL_CLOCK 0
#endif

#if IS_NVIDIA
inline uint clock_now() {
  ulong nanoseconds;
  __asm__ volatile("mov.u64 %0, %%globaltimer;" : "=l"(nanoseconds));
  return (uint)(nanoseconds >> 6);
}
#elif defined(__AMDGCN__)
// A counter of a constant rate: 100 MHz on current GPUs. Up to RDNA 2 an instruction reads it, then a message.
#if __has_builtin(__builtin_amdgcn_s_memrealtime)
inline uint clock_now() { return (uint)(__builtin_amdgcn_s_memrealtime() >> 4); }
#elif __has_builtin(__builtin_amdgcn_s_sendmsg_rtnl)
#define GET_REALTIME 0x83
inline uint clock_now() { return (uint)(__builtin_amdgcn_s_sendmsg_rtnl(GET_REALTIME) >> 4); }
#else
inline uint clock_now() { return 0; }
#endif
#elif KERNEL_CLOCK
// Its rate may be anything up to the cycles of the cores.
inline uint clock_now() { return (uint)(clock_read_device() >> 6); }
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
