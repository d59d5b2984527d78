package io.github.cellfuse.cl;

/** Releasing what a half-built object holds, without losing the reason why it was not built. */
final class Cleanup {
    private Cleanup() {}

    /** Runs {@code release}; what it throws is attached to {@code reason}. */
    static void after(Throwable reason, Runnable release) {
        try {
            release.run();
        } catch (RuntimeException second) {
            reason.addSuppressed(second);
        }
    }
}
