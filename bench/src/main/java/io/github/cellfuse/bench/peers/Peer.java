package io.github.cellfuse.bench.peers;

import java.nio.FloatBuffer;

/**
 * An LSTM implementation. Buffers are bound once by {@link #prepare}, not handed to each run, so that a library that can work in
 * place does: its tensors are made beforehand over the problem's own memory, and only computing is timed. Not thread safe.
 */
interface Peer extends AutoCloseable {
    /** The library's version, as it says itself. */
    String version();

    /** Takes a problem and does once what need not be done in every run: packs weights, compiles, makes tensors. Frees the last one. */
    void prepare(ContestProblem problem);

    /** Runs the problem once and returns when the result is there. */
    void run();

    /** {@code y [T,N,H]} of the last run. */
    FloatBuffer output();

    /** How it runs the problem, and why, where it says so. */
    default String plan() {
        return "ready";
    }

    /** The device's multiply-add peak just now, in operations per second; NaN where nobody measures it. */
    default double peak() {
        return Double.NaN;
    }

    @Override
    void close();
}
