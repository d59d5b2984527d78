package io.github.cellfuse.opencl.engine;

import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides when an engine's work-items may wait for each other. With the cores to themselves they are the fastest. Next
 * to other processes they are not: each time one of them loses its core, all others wait, for milliseconds. So a run
 * that takes longer than one without waiting would have is followed by a rest, in which nobody waits. The first rest is
 * short; it doubles as long as the next attempt fails as well. All attempts together then cost a twentieth of the time.
 *
 * <p>What a run without waiting takes is an estimate at first, and measured during rests. Thread safe.
 */
final class Cooperation {
    private static final Logger LOG = LoggerFactory.getLogger(Cooperation.class);

    /** How many times as long as without waiting a run may take. */
    static final double PATIENCE = 1.5;

    /** The seconds that the host needs for a run, besides those of the device. */
    private static final double HOST_SECONDS = 1e-4;

    /** A rest in units of the time that was lost, and its limits in nanoseconds. */
    private static final long REST_PER_LOSS = 20, SHORTEST_REST = 20_000_000, LONGEST_REST = 30_000_000_000L;

    /** The part of the last measurement in the average. */
    private static final double NEWEST = 0.2;

    private final LongSupplier nanoTime;
    /** Whether nobody may ever wait. */
    private boolean forbidden;

    private boolean resting;
    private long restsUntil;
    private long rest;
    /** How many times as long as estimated runs without waiting take; 0 if none has been measured. */
    private double slowness;

    Cooperation() {
        this(System::nanoTime);
    }

    /** Decides by another clock: for tests. */
    Cooperation(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Returns whether the next run's work-items may wait for each other. */
    synchronized boolean isAllowed() {
        if (resting && nanoTime.getAsLong() - restsUntil >= 0) {
            resting = false;
        }
        return !resting && !forbidden;
    }

    /**
     * Lets no work-item wait from now on, because the device can't bound how long it would.
     *
     * @return false if none might wait before, either
     */
    synchronized boolean forbid() {
        boolean before = forbidden;
        forbidden = true;
        return !before;
    }

    /**
     * Returns how long a run may take on the device if its estimate without waiting is {@code estimate}, in seconds.
     */
    synchronized double patience(double estimate) {
        return PATIENCE * estimate * Math.max(1, slowness);
    }

    /** Learns from a run without waiting, estimated at {@code estimate} seconds. */
    synchronized void ranAlone(double estimate, long nanos) {
        if (resting && estimate < Double.POSITIVE_INFINITY) {
            double now = nanos * 1e-9 / (estimate + HOST_SECONDS);
            slowness = slowness == 0 ? now : slowness + NEWEST * (now - slowness);
        }
    }

    /**
     * Learns from a run whose work-items waited for each other; without, it was estimated at {@code estimate} seconds.
     */
    synchronized void ranTogether(double estimate, long nanos) {
        double limit = patience(estimate + HOST_SECONDS);
        if (nanos * 1e-9 > limit) {
            rest(nanos - (long) (limit / PATIENCE * 1e9));
        }
    }

    /** Learns from a run that gave up after {@code nanos}. */
    synchronized void gaveUp(long nanos) {
        rest(nanos);
    }

    private void rest(long lost) {
        long now = nanoTime.getAsLong();
        boolean failedAgain = rest > 0 && now - restsUntil < rest;
        rest = Math.max(SHORTEST_REST, Math.max(REST_PER_LOSS * lost, failedAgain ? 2 * rest : 0));
        rest = Math.min(rest, LONGEST_REST);
        restsUntil = now + rest;
        resting = true;
        LOG.debug(
                "work-items that wait for each other lost {} us; none waits for {} ms", lost / 1000, rest / 1_000_000);
    }
}
