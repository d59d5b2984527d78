package io.github.cellfuse.audit;

/**
 * How many waves (NVIDIA: warps) of a kernel a compute unit holds at the same time.
 *
 * @param groups work-groups, or 0 where the driver chooses their size
 * @param waves of all of them
 * @param limit what allows no more
 */
record Occupancy(int groups, int waves, String limit) {}
