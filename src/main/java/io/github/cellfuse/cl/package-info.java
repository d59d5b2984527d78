/**
 * A thin layer over OpenCL: every object is {@link java.lang.AutoCloseable}, every call's status is checked, and a missing
 * runtime or device is a sentence in {@link io.github.cellfuse.cl.OpenCl#problems()} instead of a failed class. It knows nothing
 * of LSTMs and is the only package that imports {@code org.jocl}.
 *
 * <p><b>The seam.</b> The package-private class {@code Cl} is the only caller of {@code org.jocl.CL}: one method for each OpenCL
 * function in use. It checks the status itself, because JOCL's own exceptions are one switch for the whole process, which
 * belongs to the program and not to a library; should the program have turned them on, they are translated. A failure is a
 * {@link io.github.cellfuse.cl.ClException} with the status, the call and what was wanted. Whatever a half-built object already
 * held is released before the exception leaves, so each call can be made to fail once without anything being left behind:
 * {@link io.github.cellfuse.cl.OpenCl#liveObjects()} is the same before and after.
 *
 * <p><b>Ownership.</b> A context owns its queues, programs and buffers, a program its kernels, a queue its events and mappings; a
 * mapping also belongs to its buffer. Closing a parent closes its children first, the youngest first. {@code close()} is
 * idempotent, may be called from any thread and never throws: what OpenCL says against a release is logged. An object that is
 * dropped without being closed is reported in the log, never freed behind the program's back; {@code -Dcellfuse.leaks=true} adds
 * where it was created. Using a closed object is an {@link java.lang.IllegalStateException} that names it; closing one while
 * another thread is inside a call on it is the caller's mistake.
 *
 * <p><b>Threads.</b> Contexts, buffers, programs, devices and the cache may be shared; queues, kernels, mappings and ranges belong
 * to one thread at a time.
 *
 * <p><b>Transfers</b> block, or go through mapped memory. JOCL spends a waiting thread on each non-blocking transfer and pins heap
 * arrays for as long as a call lasts, so host memory must be direct and in native byte order.
 */
package io.github.cellfuse.cl;
