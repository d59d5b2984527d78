package io.github.cellfuse.bench.peers;

import java.nio.FloatBuffer;

/**
 * An LSTM implementation. {@link #prepare} binds buffers once, so that a library that can work in place does: its
 * tensors use the problem's own memory, and only computing is timed. Not thread safe.
 */
interface Peer extends AutoCloseable {
    /** The library's version, as it says itself. */
    String version();

    /** Prepares a problem: packs weights, compiles, makes tensors. Frees the previous problem. */
    void prepare(ContestProblem problem);

    /** Runs the problem once and returns when the result is there. */
    void run();

    /** {@code y [T,N,H]} of the last run. */
    FloatBuffer output();

    /** Returns how it runs the problem, and why, where it says so. */
    default String plan() {
        return "ready";
    }

    /** Returns the device's multiply-add peak just now, in operations per second; NaN where nobody measures it. */
    default double peak() {
        return Double.NaN;
    }

    @Override
    void close();
}
