package io.github.cellfuse.cl;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks whether the JVM keeps its signal handlers when a driver loads a compiler into the process.
 *
 * <p>The JVM stops its threads by letting them read a protected page and handling the SIGSEGV. PoCL compiles with LLVM,
 * which installs handlers of its own for SIGSEGV while it has temporary files: the next stop of a thread then runs
 * LLVM's handler, which deletes those files (the build fails with "unable to rename temporary") and, if two threads
 * meet there, ends the process without a message. The JDK's {@code libjsig.so}, preloaded, keeps the JVM's handlers in
 * front and chains the others.
 */
final class SignalChaining {
    private static final Logger LOG = LoggerFactory.getLogger(SignalChaining.class);
    private static final AtomicBoolean WARNED = new AtomicBoolean();
    private static final String WARNING =
            "PoCL's compiler takes over signals that the JVM needs: a build may fail, or the process end. Start java"
                    + " with LD_PRELOAD=$JAVA_HOME/lib/libjsig.so, as bin/cellfuse does";

    private SignalChaining() {}

    /** Warns once, before a compilation on {@code device}, that the process is at risk, and says what to do. */
    static void check(ClDevice device) {
        if (!WARNED.get()) {
            warning(device.platformName())
                    .filter(warning -> WARNED.compareAndSet(false, true))
                    .ifPresent(LOG::warn);
        }
    }

    /**
     * Returns what puts a process at risk that uses the platform of that name, and what to do; empty if nothing does.
     */
    static Optional<String> warning(String platformName) {
        return PoclCache.isPocl(platformName) && isMissing() ? Optional.of(WARNING) : Optional.empty();
    }

    /** Returns whether this is Linux and the process has not loaded libjsig. */
    static boolean isMissing() {
        return ProcessMaps.files()
                .filter(files -> files.stream().noneMatch(file -> file.contains("libjsig")))
                .isPresent();
    }
}
