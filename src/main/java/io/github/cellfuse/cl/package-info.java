/**
 * A thin layer over OpenCL. Every object is {@link java.lang.AutoCloseable}, the status of every call is checked, and a
 * missing runtime or device is a sentence in {@link io.github.cellfuse.cl.OpenCl#problems()} instead of a class that
 * fails to load. The package knows nothing about LSTMs, and no other package imports {@code org.jocl}.
 *
 * <p><b>Calls.</b> The package-private class {@code Cl} is the only caller of {@code org.jocl.CL}, with one method for
 * each OpenCL function in use. It checks the status itself: JOCL's own exceptions are one switch for the whole process,
 * which belongs to the host program and not to a library. If the program has turned them on, they are translated. A
 * failure is a {@link io.github.cellfuse.cl.ClException} with the status, the call and its purpose. A half-built object
 * releases everything it holds before the exception leaves, so any call may fail without a leak:
 * {@link io.github.cellfuse.cl.OpenCl#liveObjects()} is the same before and after.
 *
 * <p><b>Ownership.</b> A context owns its queues, programs and buffers, a program its kernels, a queue its events and
 * mappings; a mapping also belongs to its buffer. Closing a parent closes its children first, the newest first.
 * {@code close()} is idempotent, may be called from any thread and never throws: if OpenCL refuses a release, that is
 * logged. An object that is dropped without being closed is reported in the log but never freed implicitly;
 * {@code -Dcellfuse.leaks=true} adds the place that opened it. Using a closed object throws an
 * {@link java.lang.IllegalStateException} that names it. Don't close an object while another thread is inside a call on
 * it.
 *
 * <p><b>Threads.</b> Contexts, buffers, programs, devices and the cache may be shared; queues, kernels, mappings and
 * ranges belong to one thread at a time.
 *
 * <p><b>Transfers</b> block, or go through mapped memory. JOCL spends a waiting thread on each non-blocking transfer
 * and pins heap arrays for as long as a call lasts, so host memory must be direct and in native byte order.
 */
package io.github.cellfuse.cl;
